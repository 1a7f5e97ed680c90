// --fusemount: what each spec means, what is wrong with others, and where the mounts stand.
#include <gmock/gmock.h>

#include "resolve/plan_json.h"
#include "resolve/resolve.h"
#include "support/plan_fixture.h"

namespace swrun {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

PlanCase asking(const std::vector<std::string>& specs) {
    PlanCase c;
    for (const std::string& spec : specs) c.request.fusemounts.push_back({spec, by("--fusemount")});
    return c;
}

TEST(FuseMounts, FourTypes) {
    const struct {
        const char* spec;
        std::vector<std::string> argv;
        bool inside;
        bool daemon;
    } cases[] = {
        {"container:sshfs host:/a /mnt/a", {"sshfs", "host:/a", "/dev/fd/3", "-f"}, true, false},
        {"container-daemon:sshfs host:/a /mnt/a", {"sshfs", "host:/a", "/dev/fd/3"}, true, true},
        {"host:sshfs -o ro host:/a /mnt/a", {"sshfs", "-o", "ro", "host:/a", "/dev/fd/3", "-f"}, false, false},
        {"host-daemon:sshfs host:/a /mnt/a", {"sshfs", "host:/a", "/dev/fd/3"}, false, true},
        {" \thost:/opt/a:b\t/mnt/a \n", {"/opt/a:b", "/dev/fd/3", "-f"}, false, false},
    };
    for (const auto& one : cases) {
        const LaunchPlan plan = asking({one.spec}).plan();
        ASSERT_EQ(plan.fuse_mounts.size(), 1U) << one.spec;
        EXPECT_EQ(plan.fuse_mounts[0], (FuseMount{one.argv, one.inside, one.daemon, by("--fusemount")})) << one.spec;
        EXPECT_EQ(plan.has_fuse_mounts(true), one.inside);
        EXPECT_EQ(plan.has_fuse_mounts(false), !one.inside);
        const MountOp& op = mount_at(plan, "/mnt/a");
        EXPECT_TRUE(op.is<ServedByProgram>());
        EXPECT_TRUE(op.required && op.target_is_dir && op.flags.no_suid && op.flags.no_dev);
        EXPECT_THAT(ghost_paths(plan), testing::Contains("/mnt/a")) << "a mount point that the image lacks";
    }
}

TEST(FuseMounts, MistakesNameWhoAskedAndTheGrammar) {
    const std::pair<const char*, const char*> cases[] = {
        {"", "no whitespace separators found in command \"\""},
        {"container:/mnt", "no whitespace separators found in command \"container:/mnt\""},
        {"sshfs host:/a /mnt", "unknown prefix sshfs"},
        {"container /mnt", "unknown prefix container"},
        {"docker:x /mnt", "unknown prefix docker"},
        {"Host:x /mnt", "unknown prefix Host"},
        {"container: /mnt", "no command in \"container: /mnt\""},
        {"host-daemon:x mnt", "the mount point mnt is not an absolute path"},
    };
    for (const auto& [spec, message] : cases) {
        const Result<LaunchPlan> plan = asking({spec}).try_plan();
        ASSERT_FALSE(plan) << spec;
        EXPECT_EQ(exit_code(plan.error()), 255);
        EXPECT_THAT(plan.error().message, HasSubstr(message)) << spec;
        EXPECT_THAT(plan.error().message, HasSubstr("(from --fusemount)"));
        EXPECT_THAT(plan.error().hint, HasSubstr("host-daemon")) << spec;
    }
}

TEST(FuseMounts, StandOnTopOfTheBindsInTheOrderOfAsking) {
    PlanCase c = asking({"host:b /b", "container:a /data/a"});
    c.host.cwd.physical = "/scratch/u";
    c.request.binds = {bind_spec("/data", "/data")};
    const LaunchPlan plan = c.plan();
    std::vector<std::string> all = targets(plan);
    all.erase(all.begin(), all.end() - 4);
    EXPECT_THAT(all, ElementsAre("/scratch/u", "/data", "/b", "/data/a"));
    EXPECT_EQ(plan.mounts.back().shows, MountSource(ServedByProgram{1}));
    EXPECT_TRUE(plan.mounts.back().create_target) << "in the host's directory, as the user";
}

TEST(FuseMounts, NeedAPlaceOfTheirOwn) {
    const struct {
        std::vector<std::string> specs;
        const char* message;
    } cases[] = {
        {{"host:a /m", "host:b /m/below"}, "another FUSE file system is mounted at /m already"},
        {{"host:a /m", "host:b /m"}, "another FUSE file system is mounted at /m already"},
        {{"host:a /"}, "it is the root of the container"},
    };
    for (const auto& [specs, message] : cases) {
        const Result<LaunchPlan> plan = asking(specs).try_plan();
        ASSERT_FALSE(plan) << message;
        EXPECT_THAT(format_error(plan.error()), testing::AllOf(HasSubstr(message), HasSubstr("(from --fusemount)")));
    }
    EXPECT_TRUE(asking({"host:a /m/below", "host:b /m"}).try_plan()) << "covering is allowed";
    PlanCase box = asking({"host:a /not/there"});
    box.as_directory(true);
    box.request.writable = yes("--writable");
    EXPECT_THAT(box.try_plan().error().hint, HasSubstr("make it there"));
}

TEST(FuseMounts, MeanAPidNamespace) {
    PlanCase c = asking({"container:a /m"});
    c.request.no_pid = yes("--no-pid");
    EXPECT_TRUE(c.plan().namespaces.pid);
    EXPECT_FALSE(PlanCase().plan().namespaces.pid);
}

}  // namespace
}  // namespace swrun
