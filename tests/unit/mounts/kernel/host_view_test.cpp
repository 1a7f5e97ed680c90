// The host as a tree: what is at a path, and why nothing is.
#include "mounts/kernel/host_view.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace swrun {
namespace {

class HostViewTest : public testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/swrun-host-view.XXXXXX";
        ASSERT_NE(::mkdtemp(name), nullptr);
        dir_ = name;
    }
    void TearDown() override { std::filesystem::remove_all(dir_); }

    [[nodiscard]] int reason(const std::string& name) const {
        return resolve_in(HostView(), dir_ + "/" + name).sys_errno;
    }

    std::string dir_;
};

TEST_F(HostViewTest, SaysWhyNothingIsThere) {
    ASSERT_EQ(::symlink("loop", (dir_ + "/loop").c_str()), 0);
    ASSERT_EQ(::symlink("b", (dir_ + "/a").c_str()), 0);
    ASSERT_EQ(::symlink("a/x", (dir_ + "/b").c_str()), 0);
    ASSERT_EQ(::close(::creat((dir_ + "/file").c_str(), 0600)), 0);
    EXPECT_EQ(reason("file"), 0);
    EXPECT_EQ(reason("none"), ENOENT);
    EXPECT_EQ(reason("file/x"), ENOTDIR);
    EXPECT_EQ(reason("loop"), ELOOP);
    EXPECT_EQ(reason("a"), ELOOP);
    EXPECT_EQ(reason(std::string(256, 'n')), ENAMETOOLONG);
    EXPECT_EQ(reason("none/" + std::string(255, 'n')), ENOENT);
    std::string deep;
    for (int i = 0; i < 2100; ++i) deep.append("d/");
    EXPECT_EQ(HostView().look(dir_ + "/" + deep).sys_errno, ENAMETOOLONG);
}

}  // namespace
}  // namespace swrun
