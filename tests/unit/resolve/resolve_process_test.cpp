// The root, the namespaces, the environment and the program of a launch.
#include <gmock/gmock.h>

#include <cerrno>

#include "support/plan_fixture.h"

namespace swrun {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kOci =
    "#!/bin/sh\nOCI_ENTRYPOINT='\"python3\" \"-u\"'\nOCI_CMD='\"main.py\"'\neval \"set ${SINGULARITY_OCI_RUN}\"\n";

std::vector<std::string> programs(const LaunchPlan& plan) {
    std::vector<std::string> all;
    for (const Candidate& candidate : plan.process.program.candidates) all.push_back(candidate.path);
    return all;
}

OverlaySpec overlay(const std::string& path, bool read_only) { return {path, read_only, by("--overlay")}; }

TEST(Root, WritableIsForDirectories) {
    PlanCase c;
    c.request.writable = yes("--writable");
    EXPECT_THAT(c.error().message, HasSubstr("you don't have write permissions"));
    c.image.writable_by_caller = true;
    EXPECT_EQ(c.error().message, "no SIF writable overlay partition found in /images/image.sif");
    c.image.is_sif = false;
    EXPECT_THAT(c.error().message, HasSubstr("squashfs is a read-only filesystem"));
    EXPECT_EQ(c.error().kind, Error::Kind::request);
    EXPECT_THAT(c.error().hint, HasSubstr("--overlay"));
}

TEST(Root, AWritableDirectoryGetsNothingThatItLacks) {
    PlanCase c;
    c.as_directory(true);
    c.image_tree.drop("/etc/hosts").drop("/proc");
    c.request.writable = yes("--writable");
    const LaunchPlan plan = c.plan();
    EXPECT_TRUE(plan.root.writable);
    EXPECT_THAT(plan.root.ghosts, IsEmpty());
    EXPECT_THAT(warnings(plan), ElementsAre(HasSubstr("Skipping mount /etc/hosts"), HasSubstr("Skipping mount /proc")));
    EXPECT_TRUE(mount_at(plan, "/etc/passwd").is<GeneratedFile>());
    EXPECT_TRUE(mount_at(plan, "/home").is<TmpfsMount>()) << "covers the image's, to hold the user's";
    EXPECT_TRUE(mount_at(plan, "/home/u").create_target);
    c.request.binds = {bind_spec("/data", "/absent")};
    EXPECT_THAT(c.error().message, HasSubstr("destination /absent doesn't exist in container"));
    EXPECT_FALSE(c.error().hint.empty());
}

TEST(Root, RootInAWritableContainerKeepsTheImagesIdentity) {
    PlanCase c;
    c.host.user = {0, 0, "root", "", "/root", "/bin/sh", true};
    c.request.writable_tmpfs = yes("--writable-tmpfs");
    EXPECT_THAT(ghost_paths(c.plan()), Not(Contains("/etc/passwd")));
    c.request.writable_tmpfs = {};
    EXPECT_THAT(ghost_paths(c.plan()), Contains("/etc/passwd"));
}

TEST(Root, ADirectoryImageRepeatsParents) {
    PlanCase c;
    c.as_directory(false);
    EXPECT_THAT(ghost_paths(c.plan()),
                ElementsAre("/etc", "/etc/group", "/etc/localtime", "/etc/passwd", "/home", "/home/u"));
}

TEST(Root, Overlays) {
    PlanCase c;
    c.host_tree.dir("/scratch/a/upper").dir("/scratch/b").dir("/scratch/w").link("/scratch/l", "/scratch/w");
    c.host.cwd.physical = "/scratch";
    c.request.overlays = {overlay("a", true), overlay("/scratch/b", true), overlay("l", false)};
    const RootPlan root = c.plan().root;
    EXPECT_THAT(root.read_only_layers,
                ElementsAre(Layer(DirectoryLayer{"/scratch/b"}), Layer(DirectoryLayer{"/scratch/a/upper"})))
        << "the last one asked for is on top";
    EXPECT_EQ(root.upper, UpperLayer(DirectoryUpper{"/scratch/w"}));
    EXPECT_TRUE(root.layered());
    EXPECT_EQ(root.layer_origin, by("--overlay"));
    EXPECT_FALSE(c.plan().process.environment) << "a layer may hold other files: known once it is mounted";
    EXPECT_TRUE(c.plan().process.startup.late);
}

TEST(Root, AnImageAsLayerIsReadOnly) {
    PlanCase c;
    c.host_tree.file("/data/layer.sqfs");
    FurtherImage layer;
    layer.argument = "/data/layer.sqfs";
    layer.facts.kind = ImageFacts::Kind::squashfs;
    layer.view = &c.image_tree;
    c.images = {layer};
    c.request.overlays = {overlay("/data/layer.sqfs", false)};
    EXPECT_THAT(c.plan().root.read_only_layers, ElementsAre(Layer(ImageLayer{"/data/layer.sqfs", 1, ""})));
    EXPECT_THAT(warnings(c.plan()),
                ElementsAre("Overlay image /data/layer.sqfs is not writable, proceeding with read-only"));
    c.request.overlays[0].read_only = true;
    EXPECT_THAT(warnings(c.plan()), IsEmpty());
}

TEST(Root, OverlaysThatCannotBe) {
    PlanCase c;
    c.host_tree.dir("/scratch/w");
    c.request.overlays = {overlay("/nowhere", false)};
    EXPECT_THAT(c.error().message, HasSubstr("failed to open overlay image /nowhere: no such file or directory"));
    c.host_tree.hidden("/nfs/w", ESTALE);
    c.request.overlays = {overlay("/nfs/w", false)};
    EXPECT_THAT(c.error().message, HasSubstr("failed to open overlay image /nfs/w: stale file handle (ESTALE)"));
    c.request.overlays = {overlay("/data/table.csv", false)};
    EXPECT_THAT(c.error().message, HasSubstr("neither a directory nor an image"));
    c.request.overlays = {overlay("/scratch/w", false), overlay("/scratch/u", false)};
    EXPECT_THAT(c.error().message, HasSubstr("more than one writable overlay, /scratch/w contains"));
    c.request.overlays.pop_back();
    c.request.writable_tmpfs = yes("--writable-tmpfs");
    EXPECT_THAT(c.error().message, HasSubstr("--writable-tmpfs with another writable overlay"));
    c.request.overlays[0].read_only = true;
    EXPECT_TRUE(c.plan().root.upper_is_tmpfs()) << "above a read-only one it is fine";
    c.as_directory(true);
    c.request.writable = yes("--writable");
    EXPECT_EQ(c.error().message, "cannot use --overlay in conjunction with --writable");
    c.request.overlays.clear();
    EXPECT_FALSE(c.plan().root.upper_is_tmpfs());
    EXPECT_THAT(warnings(c.plan()), Contains(HasSubstr("Disabling --writable-tmpfs")));
}

TEST(Namespaces, MapTheCallerAlone) {
    PlanCase c;
    const LaunchPlan plan = c.plan();
    EXPECT_EQ(plan.namespaces.uid, (IdMap{1234, 1234, 1}));
    EXPECT_EQ(plan.namespaces.gid, (IdMap{1234, 1234, 1}));
    EXPECT_FALSE(plan.namespaces.pid || plan.namespaces.ipc || plan.namespaces.uts || plan.namespaces.net);
    EXPECT_TRUE(plan.process.no_new_privs && plan.process.drop_capabilities);
    c.host.umask = 077;
    EXPECT_EQ(c.plan().process.umask, 077U);
    c.request.no_umask = yes("--no-umask");
    EXPECT_EQ(c.plan().process.umask, 022U);
}

TEST(Namespaces, RootKeepsItsRightsUnlessItDoesNotWantThem) {
    PlanCase c;
    c.host.user = {0, 0, "root", "", "/root", "/bin/sh", true};
    EXPECT_FALSE(c.plan().process.no_new_privs || c.plan().process.drop_capabilities);
    c.request.no_privs = yes("--no-privs");
    EXPECT_TRUE(c.plan().process.no_new_privs && c.plan().process.drop_capabilities);
}

TEST(Environment, IsFinishedWhereTheFilesAreSimple) {
    PlanCase c;
    c.request.overrides = {{"ASKED", "1", by("--env")}};
    const LaunchPlan plan = c.plan();
    EXPECT_EQ(variable(plan, "FROM_IMAGE"), "1");
    EXPECT_EQ(variable(plan, "ASKED"), "1");
    EXPECT_EQ(variable(plan, "MINE"), "kept");
    EXPECT_EQ(variable(plan, "PATH"), "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    EXPECT_EQ(variable(plan, "SINGULARITY_CONTAINER"), "/images/image.sif");
    c.containall();
    EXPECT_EQ(variable(c.plan(), "MINE"), "unset");
}

TEST(Environment, FilesComeFromTheContainerNotFromTheImage) {
    PlanCase c;
    c.host_tree.file("/data/env/10-mine.sh", "export FROM_BIND=1\n");
    c.request.binds = {bind_spec("/data/env", "/.singularity.d/env")};
    EXPECT_EQ(variable(c.plan(), "FROM_BIND"), "1");
    EXPECT_EQ(variable(c.plan(), "FROM_IMAGE"), "unset");
}

TEST(Environment, IsLeftToTheContainerWhereItIsNot) {
    for (const char* script : {"coproc cat\n", "echo printed\n", "exit 3\n"}) {
        PlanCase c;
        c.host.host_bash = "/bin/bash-static";
        c.image_tree.file("/.singularity.d/env/95-more.sh", script);
        const LaunchPlan plan = c.plan();
        EXPECT_FALSE(plan.process.environment) << script;
        EXPECT_EQ(plan.process.startup.files.size(), 2U) << script;
        EXPECT_EQ(plan.process.host_bash, "/bin/bash-static");
    }
}

TEST(Environment, AFileOfTheUser) {
    PlanCase c;
    c.host_tree.file("/home/u/work/vars", "ASKED=file\n");
    c.request.env_files = {{"vars", by("--env-file")}};
    EXPECT_EQ(variable(c.plan(), "ASKED"), "file");
    c.request.env_files = {{"absent", by("--env-file")}};
    EXPECT_EQ(c.error().kind, Error::Kind::request);
    EXPECT_EQ(c.error().message, "could not read environment file \"absent\": no such file or directory");
    EXPECT_THAT(c.error().context, ElementsAre("reading variables (from --env-file)"));
    c.host_tree.link("/home/u/work/loop", "loop").hidden("/home/u/work/dead", ENOTCONN);
    c.request.env_files = {{"loop", by("--env-file")}};
    EXPECT_EQ(c.error().message, "could not read environment file \"loop\": too many levels of symbolic links");
    c.request.env_files = {{"dead/vars", by("--env-file")}};
    EXPECT_EQ(c.error().message, "could not read environment file \"dead/vars\": transport endpoint is not connected");
}

TEST(Program, OfExec) {
    PlanCase c;
    const ProgramPlan program = c.plan().process.program;
    ASSERT_EQ(program.candidates.size(), 1U);
    EXPECT_EQ(program.candidates[0].test, Candidate::Test::lookup);
    EXPECT_THAT(program.candidates[0].argv, ElementsAre("tool", "--flag"));
}

TEST(Program, OfRun) {
    PlanCase c;
    c.request.action = Action::run;
    EXPECT_THAT(programs(c.plan()), ElementsAre("/.singularity.d/runscript", "/singularity", "/bin/sh"));
    const ProgramPlan program = c.plan().process.program;
    for (const Candidate& each : program.candidates) {
        EXPECT_EQ(each.test, Candidate::Test::executable);
        EXPECT_THAT(each.argv, ElementsAre(each.path, "tool", "--flag"));
    }
    EXPECT_EQ(program.candidates[2].note, "No runscript found in container, executing /bin/sh");
    EXPECT_EQ(program.none_status, 1);
    c.request.app = text("foo", "--app");
    EXPECT_THAT(programs(c.plan()), ElementsAre("/scif/apps/foo/scif/runscript"));
    EXPECT_EQ(c.plan().process.program.none_message, "no runscript for contained app: foo");
}

TEST(Program, OfAnOciImageNeedsNoShell) {
    PlanCase c;
    c.request.action = Action::run;
    c.image_tree.file("/.singularity.d/runscript", kOci);
    c.request.arguments = {"a b", "$HOME", "\""};
    ASSERT_EQ(c.plan().process.program.candidates.size(), 1U);
    const auto argv = [&] { return c.plan().process.program.candidates[0].argv; };
    EXPECT_EQ(c.plan().process.program.candidates[0].test, Candidate::Test::lookup);
    EXPECT_THAT(argv(), ElementsAre("python3", "-u", "a b", "$HOME", "\"")) << "not evaluated a second time";
    c.request.arguments.clear();
    EXPECT_THAT(argv(), ElementsAre("python3", "-u", "main.py"));
}

TEST(Program, OfShell) {
    PlanCase c;
    c.request.action = Action::shell;
    EXPECT_THAT(programs(c.plan()), ElementsAre("/bin/bash", "/bin/sh"));
    EXPECT_THAT(warnings(c.plan()), ElementsAre("Parameters to shell command are ignored"));
    c.request.arguments.clear();
    for (const auto& [shell, test] :
         {std::pair("/bin/zsh", Candidate::Test::executable), {"zsh", Candidate::Test::try_lookup}}) {
        c.request.shell = text(shell, "--shell");
        const std::vector<Candidate> candidates = c.plan().process.program.candidates;
        EXPECT_THAT(programs(c.plan()), ElementsAre(shell, "/bin/bash", "/bin/sh"));
        EXPECT_EQ(candidates[0].test, test);
        EXPECT_THAT(candidates[0].env, IsEmpty());
        EXPECT_THAT(candidates[1].argv, ElementsAre("/bin/bash", "--norc"));
        EXPECT_THAT(candidates[1].env, ElementsAre(std::pair<std::string, std::string>("SHELL", "/bin/bash")));
        EXPECT_THAT(candidates[1].note, HasSubstr(std::string("shell ") + shell + " is not in the container"));
    }
}

TEST(Program, OfShellAsTheImagesFilesDecide) {
    PlanCase c;
    c.request.action = Action::shell;
    c.request.arguments.clear();
    const std::string file = "/.singularity.d/env/90-environment.sh";
    c.image_tree.file(file, "export SINGULARITY_SHELL=/opt/mysh\r\nset -- -c \"${0##*/}\"\r\n");
    EXPECT_THAT(programs(c.plan()), ElementsAre("/opt/mysh", "/bin/bash", "/bin/sh"));
    EXPECT_THAT(c.plan().process.program.candidates[0].argv, ElementsAre("/opt/mysh", "-c", "shell"));
    EXPECT_THAT(c.plan().process.program.candidates[1].argv, ElementsAre("/bin/bash", "--norc", "-c", "shell"));
    EXPECT_THAT(c.plan().process.program.candidates[2].note, HasSubstr("/opt/mysh, which the image's environment"));
    c.request.shell = text("/bin/zsh", "--shell");
    EXPECT_THAT(programs(c.plan()), ElementsAre("/bin/zsh", "/bin/bash", "/bin/sh")) << "the user's wish goes first";
    c.request.shell = {};
    c.image_tree.file(file, "APPTAINER_SHELL=mysh\n");
    EXPECT_EQ(c.plan().process.program.candidates[0].test, Candidate::Test::try_lookup);
    c.image_tree.file(file, "eval :\n");  // a real shell will say
    EXPECT_TRUE(c.plan().process.program.candidates[0].image_shell);
    EXPECT_TRUE(c.plan().process.program.candidates[1].image_arguments);
}

TEST(Program, OfTest) {
    PlanCase c;
    c.request.action = Action::test;
    EXPECT_THAT(programs(c.plan()), ElementsAre("/.singularity.d/test"));
    EXPECT_EQ(c.plan().process.program.none_status, 0) << "nothing to test is no failure";
    c.request.app = text("foo", "--app");
    EXPECT_THAT(programs(c.plan()), ElementsAre("/scif/apps/foo/scif/test"));
    EXPECT_EQ(c.plan().process.program.none_status, 1);
}

}  // namespace
}  // namespace swrun
