#include "runtime/control_group.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "runtime/group_files.h"
#include "support/io.h"

namespace swrun {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

// A folder with empty files in the place of a group's.
class FakeGroup : public ::testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/swrun-group-XXXXXX";
        ASSERT_NE(::mkdtemp(name), nullptr);
        path_ = name;
    }
    void TearDown() override { std::filesystem::remove_all(path_); }

    void file(const std::string& name) const { std::ofstream(path_ + "/" + name).flush(); }
    [[nodiscard]] std::string text(const std::string& name) const {
        return read_file(path_ + "/" + name, 4096).value_or("absent");
    }
    [[nodiscard]] Status write(const LimitPlan& plan) const {
        const Fd directory(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        return write_settings(directory.get(), plan);
    }

    std::string path_;
};

TEST_F(FakeGroup, gets_every_setting) {
    file("memory.max");
    file("pids.max");
    LimitPlan plan;
    plan.settings = {{"memory.max", "1048576", "", ""}, {"pids.max", "7", "", ""}};
    ASSERT_TRUE(write(plan));
    EXPECT_EQ(text("memory.max"), "1048576");
    EXPECT_EQ(text("pids.max"), "7");
}

TEST_F(FakeGroup, the_other_file_where_the_first_is_missing) {
    file("io.bfq.weight");
    LimitPlan plan;
    plan.settings = {{"io.weight", "default 4950", "io.bfq.weight", "default 500"}};
    ASSERT_TRUE(write(plan));
    EXPECT_EQ(text("io.bfq.weight"), "default 500");
    EXPECT_EQ(text("io.weight"), "absent");
}

TEST_F(FakeGroup, a_missing_controller_is_named) {
    LimitPlan plan;
    plan.settings = {{"cpuset.cpus", "0", "", ""}};
    const Status done = write(plan);
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().message, HasSubstr("controller cpuset is not delegated"));
}

TEST(ScopeCall, counts_its_properties) {
    LimitPlan plan;
    plan.settings = {{"memory.max", "max", "", ""}, {"cpu.max", "150000 100000", "", ""}, {"cpuset.cpus", "0", "", ""}};
    const std::vector<std::string> call = scope_call(plan, 42, "swrun-42.scope");
    const auto at = std::find(call.begin(), call.end(), "swrun-42.scope");
    ASSERT_NE(at, call.end());
    EXPECT_EQ(at[1], "fail");
    EXPECT_EQ(at[2], "5");  // three that are always there, memory and cpu; cpuset is no property of a scope's file
    EXPECT_EQ(call.back(), "0");
    EXPECT_THAT(call, Contains("18446744073709551615"));
    EXPECT_THAT(call, Contains("CPUQuotaPerSecUSec"));
    EXPECT_THAT(call, Contains("1500000"));
    EXPECT_THAT(call, Contains("42"));
}

TEST(ControlGroup, nothing_asked_is_no_group) {
    const Result<ControlGroup> group = ControlGroup::make({});
    ASSERT_TRUE(group);
    EXPECT_FALSE(group->exists());
    EXPECT_FALSE(group->needs_parent());
    EXPECT_TRUE(group->enter());
}

}  // namespace
}  // namespace swrun
