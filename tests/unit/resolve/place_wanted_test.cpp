// Where mounts go and in which order, by where their targets lead.
#include <gmock/gmock.h>

#include <functional>

#include "support/plan_fixture.h"

namespace swrun {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Where the mounts of these sources went, in order.
std::vector<std::string> asked(const LaunchPlan& plan) {
    std::vector<std::string> all;
    for (const MountOp& op : plan.mounts) {
        if (op.origin.kind == Origin::Kind::argument) all.push_back(source_of(op) + ":" + op.target);
    }
    return all;
}

// What is at a path when everything is mounted: the topmost mount at or above it.
std::string source_at(const LaunchPlan& plan, const std::string& path) {
    std::string source = "the image";
    for (const MountOp& op : plan.mounts) {
        if (is_below(path, op.target)) source = source_of(op).empty() ? "a tmpfs" : source_of(op);
    }
    return source;
}

PlanCase linked() {
    PlanCase c;
    c.host_tree.file("/A/f").file("/B/f").dir("/C/sub").dir("/A/u");
    c.image_tree.dir("/lustre/scratch/u").link("/scratch", "/lustre/scratch").link("/work", "lustre/scratch/u");
    c.host.cwd.physical = "/";
    return c;
}

TEST(Order, IsThatOfWhereLinksOfTheImageLead) {
    const struct {
        std::vector<std::pair<const char*, const char*>> binds;
        const char* path;
        const char* source;
    } cases[] = {
        {{{"/A", "/lustre/scratch"}, {"/B", "/work"}}, "/lustre/scratch/u", "/B"},
        {{{"/B", "/work"}, {"/A", "/lustre/scratch"}}, "/lustre/scratch/u", "/B"},
        {{{"/A", "/scratch"}, {"/B", "/lustre/scratch/u"}}, "/lustre/scratch/u", "/B"},
        {{{"/B", "/work/deep"}, {"/A", "/scratch"}, {"/C", "/work"}}, "/lustre/scratch/u/deep", "/B"},
        {{{"/B", "/work/deep"}, {"/A", "/scratch"}, {"/C", "/work"}}, "/lustre/scratch/u", "/C"},
    };
    for (const auto& one : cases) {
        PlanCase c = linked();
        for (const auto& [source, target] : one.binds) c.request.binds.push_back(bind_spec(source, target));
        EXPECT_EQ(source_at(c.plan(), one.path), one.source) << one.binds[0].second;
        EXPECT_THAT(warnings(c.plan()), IsEmpty());
    }
}

TEST(Order, HomeScratchAndBindsAreOneFamily) {
    PlanCase c = linked();
    c.contain();
    c.request.home = text("/C:/data/me", "--home");
    c.request.binds = {bind_spec("/A", "/data")};
    c.request.scratch = {{"/data/fast", by("--scratch")}};
    LaunchPlan plan = c.plan();
    EXPECT_EQ(source_at(plan, "/data/me"), "/C");
    EXPECT_EQ(source_at(plan, "/data/fast"), "a tmpfs");
    EXPECT_EQ(source_at(plan, "/data/else"), "/A");
    EXPECT_THAT(warnings(plan), IsEmpty());
    c.request.binds = {bind_spec("/A", "/data"), bind_spec("/B", "/data/me/in")};
    plan = c.plan();
    EXPECT_EQ(source_at(plan, "/data/me/in"), "/B");
    c.request.workdir = text("/scratch/u", "--workdir");
    EXPECT_EQ(source_at(c.plan(), "/data/fast"), "/scratch/u/scratch/data/fast");
}

TEST(Order, AHomeBehindALinkToTmp) {
    PlanCase c = linked();
    c.image_tree.drop("/var/tmp").link("/var/tmp", "/tmp").link("/var/spool", "tmp");
    c.request.home = text("/A:/var/spool/cwl", "--home");
    EXPECT_EQ(source_of(mount_at(c.plan(), "/tmp/cwl")), "/A");
    EXPECT_EQ(source_at(c.plan(), "/tmp/cwl"), "/A");
    c.contain();
    EXPECT_EQ(source_at(c.plan(), "/tmp/cwl"), "/A");
    c.request.binds = {bind_spec("/B", "/tmp")};
    EXPECT_EQ(source_at(c.plan(), "/tmp/cwl"), "/A");
    EXPECT_EQ(source_at(c.plan(), "/tmp"), "/B");
    EXPECT_THAT(warnings(c.plan()), IsEmpty());
}

TEST(Order, TheOwnHomeBehindALinkToTmp) {
    PlanCase c = linked();
    c.image_tree.drop("/home").link("/home", "/tmp/home");
    const LaunchPlan plan = c.plan();
    EXPECT_EQ(source_at(plan, mount_at(plan, "/home/u").target), "/home/u") << "the link gives way: /tmp is the host's";
    EXPECT_FALSE(mount_at(plan, "/home/u").create_target);
    c.contain();
    EXPECT_TRUE(mount_at(c.plan(), "/tmp/home/u").is<TmpfsMount>()) << "that /tmp is the launch's own";
}

TEST(Order, LinksOfWhatIsBound) {
    PlanCase c = linked();
    c.host_tree.link("/A/in", "/other/place").link("/A/near", "u/x").dir("/home/u/data").link("/home/u/l", "/data/l");
    c.request.binds = {bind_spec("/B", "/other/place/sub"), bind_spec("/C", "/a/in"), bind_spec("/A", "/a")};
    EXPECT_THAT(asked(c.plan()), ElementsAre("/A:/a", "/C:/other/place", "/B:/other/place/sub"));
    c.request.binds = {bind_spec("/B", "/a/near/y"), bind_spec("/C", "/a/u"), bind_spec("/A", "/a")};
    EXPECT_THAT(asked(c.plan()), ElementsAre("/A:/a", "/C:/a/u", "/B:/a/u/x/y"));
    c.request.binds = {bind_spec("/B", "/home/u/l"), bind_spec("/A", "/data")};
    EXPECT_THAT(asked(c.plan()), ElementsAre("/A:/data", "/B:/data/l")) << "of the home directory, which nobody named";
}

TEST(Order, WhatIsAskedForIsOverWhatIsNot) {
    PlanCase c = linked();
    c.host_tree.dir("/A/null").dir("/A/hosts");
    for (const char* target : {"/dev", "/proc", "/sys", "/tmp", "/var/tmp", "/var", "/home", "/home/u", "/etc"}) {
        for (const bool contained : {false, true}) {
            c.request.contain = contained ? yes("--contain") : Flag();
            c.request.binds = {bind_spec("/A", target)};
            EXPECT_EQ(c.plan().mounts.back().target, target);
            EXPECT_THAT(warnings(c.plan()), IsEmpty()) << target;
        }
    }
}

TEST(Cover, OfOneAskedForByAnotherIsSaid) {
    PlanCase c = linked();
    c.request.binds = {bind_spec("/A", "/work"), bind_spec("/B", "/scratch/u", "SINGULARITY_BIND")};
    EXPECT_EQ(source_at(c.plan(), "/lustre/scratch/u"), "/B") << "as asked";
    EXPECT_THAT(warnings(c.plan()),
                ElementsAre(AllOf(HasSubstr("/B:/scratch/u (from SINGULARITY_BIND) covers"),
                                  HasSubstr("/A:/work (from --bind)"), HasSubstr("/lustre/scratch/u"))));
    c.request.binds = {bind_spec("/A", "/data")};
    c.request.scratch = {{"/data", by("--scratch")}};
    EXPECT_THAT(warnings(c.plan()), ElementsAre(AllOf(HasSubstr("--scratch"), HasSubstr("--bind"))));
    c.request.scratch.clear();
    c.request.home = text("/B:/data", "--home");
    EXPECT_THAT(warnings(c.plan()), ElementsAre(AllOf(HasSubstr("--home"), HasSubstr("--bind"))));
    c.request.home = text("/A:/data", "--home");
    EXPECT_THAT(warnings(c.plan()), IsEmpty()) << "the same directory";
}

TEST(Cover, ByAFuseFileSystemIsSaid) {
    PlanCase c = linked();
    c.request.binds = {bind_spec("/A", "/m/in")};
    c.request.fusemounts = {{"host:a /m", by("--fusemount")}};
    EXPECT_THAT(warnings(c.plan()), ElementsAre(AllOf(HasSubstr("/m (from --fusemount) covers"), HasSubstr("/m/in"))));
}

TEST(Cover, OfADriversFilesIsSaid) {
    PlanCase c = linked();
    MountOp library = MountOp{};
    library.shows = BindMount{"/data/table.csv"};
    library.target = "/.singularity.d/libs/libcuda.so.1";
    library.target_is_dir = false;
    library.required = false;
    library.origin = by("--nv");
    c.gpu.mounts = {library};
    c.request.binds = {bind_spec("/A", "/.singularity.d/libs")};
    EXPECT_THAT(warnings(c.plan()), ElementsAre(AllOf(HasSubstr("--bind"), HasSubstr("(from --nv)"))));
}

TEST(Cover, TheUsersBindLiesOverTheSites) {
    PlanCase c = linked();
    BindSpec site = bind_spec("/A", "/work");
    site.required = false;
    site.origin = {Origin::Kind::site_file, "/etc/swrun/swrun.toml:3"};
    c.request.site_binds = {site};
    c.request.binds = {bind_spec("/B", "/scratch/u")};
    EXPECT_EQ(source_at(c.plan(), "/lustre/scratch/u"), "/B");
    EXPECT_THAT(warnings(c.plan()), IsEmpty());
}

TEST(Automatic, NeverEndsALaunch) {
    const struct {
        const char* what;
        std::function<void(FakeTree&)> change;
    } images[] = {
        {"home is a file", [](FakeTree& image) { image.file("/home/u"); }},
        {"its parent is a file", [](FakeTree& image) { image.drop("/home").file("/home"); }},
        {"its parent is a link to itself", [](FakeTree& image) { image.drop("/home").link("/home", "home"); }},
        {"its parent leads to a file", [](FakeTree& image) { image.drop("/home").link("/home", "/etc/passwd"); }},
        {"tmp is a file", [](FakeTree& image) { image.drop("/tmp").file("/tmp"); }},
        {"tmp leads nowhere", [](FakeTree& image) { image.drop("/tmp").link("/tmp", "/none/x"); }},
        {"two links lead to each other",
         [](FakeTree& image) { image.drop("/dev").link("/dev", "x").link("/x", "dev"); }},
        {"proc is a file", [](FakeTree& image) { image.drop("/proc").file("/proc"); }},
        {"sys leads to itself", [](FakeTree& image) { image.drop("/sys").link("/sys", "./sys"); }},
        {"etc is a file", [](FakeTree& image) { image.drop("/etc").file("/etc"); }},
    };
    for (const auto& one : images) {
        for (const bool contained : {false, true}) {
            PlanCase c;
            c.host.cwd.physical = "/scratch/u";
            one.change(c.image_tree);
            if (contained) c.contain();
            const LaunchPlan plan = c.plan();
            EXPECT_THAT(warnings(plan), Not(Contains(HasSubstr("Skipping")))) << one.what;
            for (const char* target : {"/dev", "/proc", "/sys", "/home/u", "/var/tmp"}) {
                const std::string place = resolve_in(c.image_tree, target).path;
                EXPECT_TRUE(mount_at(plan, target).target == target || mount_at(plan, place).target == place)
                    << one.what << ": " << target;
            }
        }
    }
}

TEST(Automatic, IsNeverRequired) {
    PlanCase c;
    for (const MountOp& op : c.plan().mounts) EXPECT_FALSE(op.required) << op.target;
    EXPECT_TRUE(mount_at(c.plan(), "/home/u").warned_of);
    EXPECT_FALSE(mount_at(c.plan(), "/etc/localtime").warned_of);
    c.request.binds = {bind_spec("/data", "/in")};
    c.request.home = text("/scratch/u:/home/me", "--home");
    EXPECT_TRUE(mount_at(c.plan(), "/in").required);
    EXPECT_TRUE(mount_at(c.plan(), "/home/me").required);
}

TEST(Automatic, MakesNothingInABoundDirectory) {
    PlanCase c;
    c.host.user.home = "/tmp/none";
    c.host.cwd.physical = "/";
    EXPECT_THAT(warnings(c.plan()), ElementsAre(AllOf(HasSubstr("Skipping mount /tmp/none"), HasSubstr("/tmp"))));
    EXPECT_THAT(targets(c.plan()), Not(Contains("/tmp/none")));
    c.contain();
    EXPECT_TRUE(mount_at(c.plan(), "/tmp/none").create_target) << "a tmpfs of the launch";
}

TEST(Home, AskedForAndImpossibleIsAnError) {
    PlanCase c;
    c.request.home = text("/scratch/u:/canary", "--home");
    c.as_directory(true);
    c.request.writable = yes("--writable");
    const Error error = c.error();
    EXPECT_THAT(error.message, HasSubstr("destination /canary doesn't exist in container"));
    EXPECT_THAT(format_error(error), HasSubstr("--home"));
    EXPECT_THAT(error.hint, HasSubstr("--writable"));
    c.request.home = text("/scratch/u:/home/me", "--home");
    EXPECT_EQ(source_of(mount_at(c.plan(), "/home/me")), "/scratch/u") << "in a /home of ours";
    c.request.home = text("/data/table.csv:/home/me", "--home");
    EXPECT_THAT(c.error().message, HasSubstr("not a directory"));
    c.request.writable = Flag();
    c.request.home = text("/scratch/u:/etc/passwd", "--home");
    EXPECT_THAT(format_error(c.error()), AllOf(HasSubstr("/etc/passwd"), HasSubstr("--home")));
    c.request.home = Text();
    c.request.writable = yes("--writable");
    c.host.user.home = "/canary";
    EXPECT_THAT(warnings(c.plan()), Contains(HasSubstr("Skipping mount /canary"))) << "nobody asked for it";
}

TEST(Libraries, CountWhoeverPutThemThere) {
    PlanCase c;
    EXPECT_FALSE(c.plan().process.startup.libs_present);
    c.image_tree.dir("/.singularity.d/libs");
    EXPECT_FALSE(c.plan().process.startup.libs_present) << "empty";
    c.request.binds = {bind_spec("/data/table.csv", "/.singularity.d/libs/libx.so")};
    EXPECT_TRUE(c.plan().process.startup.libs_present) << "a file bound there";
    c.request.binds = {bind_spec("/data", "/.singularity.d/libs")};
    EXPECT_TRUE(c.plan().process.startup.libs_present) << "a directory";
    c.host_tree.dir("/void");
    c.request.binds = {bind_spec("/void", "/.singularity.d/libs")};
    EXPECT_FALSE(c.plan().process.startup.libs_present) << "an empty directory";
    c.image_tree.file("/.singularity.d/libs/liby.so");
    EXPECT_FALSE(c.plan().process.startup.libs_present) << "which hides the image's";
    c.request.binds.clear();
    EXPECT_TRUE(c.plan().process.startup.libs_present) << "of the image";
    c.image_tree.drop("/.singularity.d/libs").link("/.singularity.d/libs", "/usr/mylibs").file("/usr/mylibs/libz.so");
    EXPECT_TRUE(c.plan().process.startup.libs_present) << "behind a link";
}

// The directories between the two exist as soon as the outer is placed.
TEST(PlaceWanted, ABindInAReadOnlyBindInADirectoryOfOurs) {
    PlanCase c;
    c.contain();
    c.request.binds = {bind_spec("/data", "/home/u/g/data"), bind_spec("/data/sets", "/home/u/g/data/sets")};
    c.request.binds[0].read_only = true;
    const LaunchPlan plan = c.plan();
    EXPECT_EQ(source_of(mount_at(plan, "/home/u/g/data/sets")), "/data/sets");
    EXPECT_TRUE(mount_at(plan, "/home/u/g/data").create_target);
    EXPECT_FALSE(mount_at(plan, "/home/u/g/data/sets").create_target) << "the outer has it";
}

}  // namespace
}  // namespace swrun
