// The binds of the user and the site, and the working directory's.
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

BindSpec site_bind(const std::string& path) {
    BindSpec spec = bind_spec(path, path);
    spec.required = false;
    spec.origin = {Origin::Kind::site_file, "/etc/swrun/swrun.toml:3"};
    return spec;
}

// Only what was asked for: the mounts after the launch's own.
std::vector<std::string> asked_targets(const LaunchPlan& plan) {
    std::vector<std::string> all = targets(plan);
    all.erase(all.begin(), std::find(all.begin(), all.end(), "/etc/resolv.conf") + 1);
    return all;
}

TEST(Binds, ParentsBeforeChildrenThenAsAsked) {
    PlanCase c;
    c.request.binds = {bind_spec("/data/sets/one", "/in/sets/one"),
                       bind_spec("/data/table.csv", "/x/bb"),
                       bind_spec("/scratch/u", "/x/aa"),
                       bind_spec("/scratch", "/x/a"),
                       bind_spec("/data/sets", "/in/sets"),
                       bind_spec("/data", "/in")};
    const LaunchPlan plan = c.plan();
    EXPECT_THAT(asked_targets(plan), ElementsAre("/in", "/x/a", "/x/bb", "/x/aa", "/in/sets", "/in/sets/one"));
    EXPECT_EQ(variable(plan, "SINGULARITY_BIND"), "/in/sets/one,/x/bb,/x/aa,/x/a,/in/sets,/in") << "as asked";
    EXPECT_THAT(ghost_paths(plan), Contains("/in"));
    EXPECT_THAT(ghost_paths(plan), Not(Contains("/in/sets"))) << "the outer bind has it";
}

TEST(Binds, AMissingNestedTargetIsMadeInTheOuterBind) {
    PlanCase c;
    c.request.binds = {bind_spec("/data", "/in"), bind_spec("/data/table.csv", "/in/new/table")};
    const MountOp inner = mount_at(c.plan(), "/in/new/table");
    EXPECT_TRUE(inner.create_target);
    EXPECT_FALSE(inner.target_is_dir);
    EXPECT_FALSE(mount_at(c.plan(), "/in").create_target);
}

TEST(Binds, RelativePathsStartAtTheWorkingDirectory) {
    PlanCase c;
    c.host.cwd.physical = "/data";
    c.request.binds = {bind_spec("sets/../sets", "sets"), bind_spec("./table.csv", "/t")};
    const LaunchPlan plan = c.plan();
    EXPECT_EQ(source_of(mount_at(plan, "/data/sets")), "/data/sets");
    EXPECT_EQ(source_of(mount_at(plan, "/t")), "/data/table.csv");
}

TEST(Binds, KeepTheirOptions) {
    PlanCase c;
    c.request.binds = {bind_spec("/data", "/in", "SINGULARITY_BIND")};
    c.request.binds[0].read_only = true;
    c.request.binds[0].recursive = false;
    c.request.binds[0].nested = false;
    const LaunchPlan plan = c.plan();
    const MountOp op = mount_at(plan, "/in");
    EXPECT_TRUE(op.flags.read_only && op.flags.no_dev && op.flags.no_suid && op.required);
    EXPECT_FALSE(op.flags.recursive);
    EXPECT_EQ(op.origin, by("SINGULARITY_BIND"));
    EXPECT_EQ(variable(plan, "SINGULARITY_BIND"), "") << "not to be repeated by a nested launch";
}

TEST(Binds, ATargetCountsOnce) {
    PlanCase c;
    c.request.binds = {bind_spec("/data", "/in"), bind_spec("/scratch", "/in/")};
    const LaunchPlan plan = c.plan();
    EXPECT_EQ(source_of(mount_at(plan, "/in")), "/data");
    EXPECT_THAT(warnings(plan),
                ElementsAre("While bind mounting '/scratch:/in': destination is already in the mount point list, with "
                            "/data (from --bind)"));
}

TEST(Binds, AnAbsentSource) {
    PlanCase c;
    c.request.binds = {bind_spec("/nowhere", "/in")};
    const Error error = c.error();
    EXPECT_EQ(error.kind, Error::Kind::request);
    EXPECT_EQ(error.message, "mount source /nowhere doesn't exist: no such file or directory");
    EXPECT_THAT(error.context, ElementsAre("binding /nowhere:/in (from --bind)"));
    EXPECT_FALSE(error.hint.empty());
    c.request.binds[0].required = false;
    const LaunchPlan plan = c.plan();
    EXPECT_THAT(asked_targets(plan), IsEmpty());
    EXPECT_THAT(warnings(plan), IsEmpty());
    EXPECT_THAT(plan.notes,
                Contains(Note{Level::verbose, "bind /nowhere:/in (from --bind) skipped: no such file or directory"}));
}

TEST(Binds, ASourceThatMayNotBeSeenIsNotCalledAbsent) {
    PlanCase c;
    c.host_tree.hidden("/closed/data");
    c.request.binds = {bind_spec("/closed/data", "/in")};
    EXPECT_THAT(c.error().message, HasSubstr("cannot be reached: permission denied (EACCES)"));
}

TEST(Binds, ASourceThatCannotBeReachedSaysWhy) {
    PlanCase c;
    c.host_tree.hidden("/nfs/stale", ESTALE).hidden("/fuse", ENOTCONN).link("/loop", "/loop").hidden("/disk", EIO);
    for (const auto& [source, why] : {std::pair("/nfs/stale/x", "stale file handle (ESTALE)"),
                                      {"/fuse", "transport endpoint is not connected (ENOTCONN)"},
                                      {"/loop", "too many levels of symbolic links (ELOOP)"},
                                      {"/disk/a/b", "input/output error (EIO)"}}) {
        c.request.binds = {bind_spec(source, "/in")};
        const Error error = c.error();
        EXPECT_EQ(error.message, "mount source " + std::string(source) + " cannot be reached: " + why);
        EXPECT_THAT(error.hint, Not(HasSubstr("check the path"))) << source;
    }
}

TEST(Binds, ImpossibleTargets) {
    for (const char* target : {"/", "/..", "/etc/passwd/x"}) {
        PlanCase c;
        c.request.binds = {bind_spec("/data", target)};
        EXPECT_EQ(c.error().kind, Error::Kind::request) << target;
        EXPECT_THAT(format_error(c.error()), HasSubstr("--bind")) << target;
    }
}

TEST(Binds, OfTheSiteNeverFailALaunch) {
    PlanCase c;
    c.request.site_binds = {site_bind("/scratch"), site_bind("/absent"), site_bind("/data"),
                            site_bind("/etc/passwd/x")};
    c.host_tree.drop("/etc/passwd").dir("/etc/passwd/x");
    c.request.binds = {bind_spec("/data/sets", "/data")};
    const LaunchPlan plan = c.plan();
    EXPECT_THAT(asked_targets(plan), ElementsAre("/data", "/scratch"));
    EXPECT_EQ(source_of(mount_at(plan, "/data")), "/data/sets") << "the user's own wins";
    EXPECT_EQ(mount_at(plan, "/scratch").origin.kind, Origin::Kind::site_file);
    EXPECT_FALSE(mount_at(plan, "/scratch").required);
    EXPECT_THAT(warnings(plan), IsEmpty());
    EXPECT_EQ(variable(plan, "SINGULARITY_BIND"), "/data");
    c.contain();
    EXPECT_THAT(asked_targets(c.plan()), ElementsAre("/data"));
}

TEST(Binds, DevicesStayDevicesAtTheirOwnPlace) {
    PlanCase c;
    c.host_tree.special("/dev/fuse").link("/dev/alias", "fuse").dir("/tmp/dev").link("/l/null", "/dev/null");
    c.image_tree.link("/devices", "/dev");
    const std::pair<BindSpec, const char*> own[] = {
        {bind_spec("/dev", "/dev"), "/dev"},
        {bind_spec("/dev/fuse", "/dev/fuse"), "/dev/fuse"},
        {bind_spec("/dev/alias", "/dev/fuse"), "/dev/fuse"},
        {bind_spec("/l/null", "/dev/null"), "/dev/null"},
        {bind_spec("/dev/fuse", "/devices/fuse"), "/dev/fuse"},
    };
    for (const auto& [spec, place] : own) {
        c.request.binds = {spec};
        EXPECT_FALSE(mount_at(c.plan(), place).flags.no_dev) << spec.source << ":" << spec.target;
        EXPECT_TRUE(mount_at(c.plan(), place).flags.no_suid) << spec.source << ":" << spec.target;
    }
    const std::pair<BindSpec, const char*> elsewhere[] = {
        {bind_spec("/dev/null", "/mnt/null"), "/mnt/null"},
        {bind_spec("/dev/null", "/dev/zero"), "/dev/zero"},
        {bind_spec("/tmp/dev", "/dev"), "/dev"},
        {bind_spec("/dev", "/mnt/dev"), "/mnt/dev"},
        {bind_spec("/data", "/data"), "/data"},
    };
    for (const auto& [spec, place] : elsewhere) {
        c.request.binds = {spec};
        EXPECT_TRUE(mount_at(c.plan(), place).flags.no_dev) << spec.source << ":" << spec.target;
    }
}

TEST(Binds, DevicesOfAContainedLaunch) {
    PlanCase c;
    c.host_tree.special("/dev/fuse");
    c.request.binds = {bind_spec("/dev/fuse", "/dev/fuse"), bind_spec("/dev/shm", "/dev/shm")};
    c.contain();
    const LaunchPlan plan = c.plan();
    EXPECT_FALSE(mount_at(plan, "/dev/fuse").flags.no_dev);
    EXPECT_TRUE(mount_at(plan, "/dev/fuse").create_target);
    EXPECT_TRUE(mount_at(plan, "/dev/shm").is<TmpfsMount>());
    EXPECT_THAT(warnings(plan), ElementsAre("Skipping /dev/shm bind mount: already mounted"));
    c.request.no_mount = {{"dev", by("--no-mount")}};
    EXPECT_TRUE(mount_at(c.plan(), "/dev/shm").is<BindMount>()) << "then it is not";
}

TEST(Cwd, IsBoundUnlessItIsThereOrTheImages) {
    const std::vector<std::pair<std::string, bool>> cases = {
        {"/home/u/work", false}, {"/tmp/job", false}, {"/", false},    {"/etc", false},     {"/usr", false},
        {"/proc/1", false},      {"/dev", false},     {"/sys", false}, {"/opt/x", true},    {"/scratch/u", true},
        {"/devel", true},        {"/var/log", true},  {"/data", true}, {"/processes", true}};
    for (const auto& [path, bound] : cases) {
        PlanCase c;
        c.host_tree.dir(path);
        c.image_tree.dir("/var/log");
        c.host.cwd.physical = c.host.cwd.logical = path;
        const LaunchPlan plan = c.plan();
        EXPECT_EQ(!asked_targets(plan).empty(), bound) << path;
        if (!bound) continue;
        EXPECT_EQ(plan.mounts.back().target, path);
        EXPECT_EQ(source_of(plan.mounts.back()), path);
        EXPECT_FALSE(plan.mounts.back().required) << path;
    }
}

TEST(Cwd, DoesNotCoverWhatWasBoundThere) {
    PlanCase c;
    c.host.cwd.physical = "/data/sets";
    c.request.binds = {bind_spec("/scratch", "/data/sets")};
    EXPECT_THAT(asked_targets(c.plan()), ElementsAre("/data/sets"));
    EXPECT_EQ(source_of(mount_at(c.plan(), "/data/sets")), "/scratch");
    c.request.binds = {bind_spec("/data", "/data")};
    EXPECT_THAT(asked_targets(c.plan()), ElementsAre("/data")) << "reached through the bind";
    c.host_tree.dir("/other/sets");
    c.request.binds = {bind_spec("/other", "/data")};
    EXPECT_THAT(asked_targets(c.plan()), ElementsAre("/data", "/data/sets")) << "another directory of that name";
    c.request.binds.push_back(bind_spec("/scratch", "/data/sets/one"));
    EXPECT_THAT(asked_targets(c.plan()), ElementsAre("/data", "/data/sets", "/data/sets/one"));
}

TEST(Cwd, LiesUnderWhatIsBoundBelowIt) {
    PlanCase c;
    c.host.cwd.physical = "/data/sets";
    c.request.binds = {bind_spec("/scratch", "/data/sets/one"), bind_spec("/data/table.csv", "/data/sets/new.csv")};
    c.request.scratch = {{"/data/sets/fast", by("--scratch")}};
    const LaunchPlan plan = c.plan();
    EXPECT_THAT(asked_targets(plan),
                ElementsAre("/data/sets", "/data/sets/one", "/data/sets/fast", "/data/sets/new.csv"));
    EXPECT_FALSE(mount_at(plan, "/data/sets/one").create_target);
    EXPECT_TRUE(mount_at(plan, "/data/sets/new.csv").create_target);
    EXPECT_THAT(warnings(plan), IsEmpty());
}

TEST(Cwd, MakesNothingInWhatWasBound) {
    PlanCase c;
    c.host.cwd.physical = "/data/sets";
    c.request.binds = {bind_spec("/scratch", "/data")};
    const LaunchPlan plan = c.plan();
    EXPECT_THAT(asked_targets(plan), ElementsAre("/data"));
    EXPECT_THAT(directories(plan), ElementsAre("/home/u", "/"));
    EXPECT_THAT(warnings(plan), ElementsAre(testing::AllOf(HasSubstr("the working directory /data/sets is not shown"),
                                                           HasSubstr("/scratch, bound to /data, lacks it"))));
    c.request.cwd = text("/tmp", "--pwd");
    EXPECT_THAT(warnings(c.plan()), IsEmpty()) << "nobody misses it";
}

TEST(Cwd, BehindALinkOfTheHostItIsThePhysicalOne) {
    PlanCase c;
    c.host.cwd = {CwdFacts::State::known, "/home/u/link", "/scratch/u"};
    EXPECT_THAT(asked_targets(c.plan()), ElementsAre("/scratch/u"));
    EXPECT_EQ(directories(c.plan()).front(), "/scratch/u");
}

TEST(Cwd, WhereTheProgramStarts) {
    PlanCase c;
    EXPECT_THAT(directories(c.plan()), ElementsAre("/home/u/work", "/home/u", "/"));
    c.host.cwd.state = CwdFacts::State::deleted;
    EXPECT_THAT(directories(c.plan()), ElementsAre("/home/u", "/"));
    EXPECT_THAT(warnings(c.plan()), ElementsAre("can't determine current working directory: it has been deleted"));
    c.contain();
    EXPECT_EQ(directories(c.plan()).front(), "/home/u");
    EXPECT_THAT(warnings(c.plan()), IsEmpty()) << "nobody asked for it";
    for (const auto& [asked, path] : {std::pair("/opt/x/..", "/opt"), {"usr", "/usr"}}) {
        c.request.cwd = text(asked, "--pwd");
        EXPECT_THAT(c.plan().process.directories, ElementsAre(CwdCandidate{path, true}));
    }
}

}  // namespace
}  // namespace swrun
