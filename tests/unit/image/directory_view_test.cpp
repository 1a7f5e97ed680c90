#include "image/directory_view.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "support/image_fixture.h"

namespace swrun {
namespace {

namespace fs = std::filesystem;

class DirectoryViewTest : public ::testing::TestWithParam<DirectoryView::Way> {
protected:
    void SetUp() override {
        const std::string root = dir_ / "root";
        make_small_tree(root);
        write_file(dir_ / "outside/secret", "secret");
        fs::create_symlink("data", root + "/alias");
        fs::create_symlink("/data/../data", root + "/absolute");
        fs::create_symlink("../../../..", root + "/data/up");
        fs::create_symlink("../../outside", root + "/escape");
        fs::create_symlink(dir_ / "outside", root + "/escape2");
        fs::create_symlink("loop", root + "/loop");
        fs::create_symlink("/proc/self/cwd", root + "/magic");
        ASSERT_EQ(mkfifo((root + "/fifo").c_str(), 0600), 0);
        fd_ = Fd(open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        ASSERT_TRUE(fd_);
    }
    [[nodiscard]] DirectoryView view() const { return DirectoryView(fd_.get(), GetParam()); }

    TempDir dir_;
    Fd fd_;
};

TEST_P(DirectoryViewTest, LooksWithoutFollowingTheLastComponent) {
    EXPECT_EQ(view().look("/").kind, Node::Kind::directory);
    EXPECT_EQ(view().look("/etc/passwd").kind, Node::Kind::file);
    EXPECT_EQ(view().look("/etc/passwd").size, 30U);
    EXPECT_EQ(view().look("/alias").kind, Node::Kind::symlink);
    EXPECT_EQ(view().look("/fifo").kind, Node::Kind::other);
    EXPECT_EQ(view().look("/absent").kind, Node::Kind::absent);
    EXPECT_EQ(view().look("/etc/passwd/x").kind, Node::Kind::absent);
    EXPECT_EQ(view().look("/loop/x").kind, Node::Kind::unreachable);
    EXPECT_EQ(view().look("/loop/x").sys_errno, ELOOP);
    EXPECT_NE(view().look("/etc").inode, view().look("/bin").inode);
    EXPECT_NE(view().look("/").device, 0U);
}

TEST_P(DirectoryViewTest, LinksOnTheWayStayInside) {
    EXPECT_EQ(view().look("/alias/big").kind, Node::Kind::file);
    EXPECT_EQ(view().look("/absolute/big").kind, Node::Kind::file);
    EXPECT_EQ(view().look("/data/up/etc/passwd").kind, Node::Kind::file) << ".. stops at the root";
    EXPECT_EQ(view().look("/escape/secret").kind, Node::Kind::absent);
    EXPECT_EQ(view().look("/escape2/secret").kind, Node::Kind::absent);
    EXPECT_EQ(view().look("/magic/etc").kind, Node::Kind::absent);
    EXPECT_FALSE(view().read_text("/escape/secret", 100));
}

TEST_P(DirectoryViewTest, ReadsTextsAndLinks) {
    EXPECT_EQ(view().read_text("/etc/passwd", 30).value(), "root:x:0:0:root:/root:/bin/sh\n");
    EXPECT_EQ(view().read_text("/etc/passwd", 29).error().sys_errno, EFBIG);
    EXPECT_EQ(view().read_text("/etc", 100).error().sys_errno, EISDIR);
    EXPECT_EQ(view().read_text("/fifo", 100).error().sys_errno, EINVAL) << "and does not wait for a writer";
    EXPECT_EQ(view().read_text("/absent", 100).error().sys_errno, ENOENT);
    EXPECT_FALSE(view().read_text("/data/link", 100)) << "a link is not followed";
    EXPECT_EQ(view().read_link("/data/link").value(), "/etc/passwd");
    EXPECT_EQ(view().read_link("/etc").error().sys_errno, EINVAL);
}

TEST_P(DirectoryViewTest, ListsSorted) {
    EXPECT_EQ(view().list("/data").value(), (std::vector<std::string>{"big", "empty", "link", "up"}));
    EXPECT_EQ(view().list("/").value().size(), 11U);
    EXPECT_FALSE(view().list("/etc/passwd"));
    EXPECT_FALSE(view().list("/alias")) << "a link is not followed";
}

TEST_P(DirectoryViewTest, LockedDirectoriesAreUnreachable) {
    ASSERT_EQ(chmod((dir_ / "root/data").c_str(), 0), 0);
    {
        const AsNobody nobody;
        EXPECT_EQ(view().look("/data/big").kind, Node::Kind::unreachable);
    }
    ASSERT_EQ(chmod((dir_ / "root/data").c_str(), 0755), 0);
}

INSTANTIATE_TEST_SUITE_P(Ways, DirectoryViewTest,
                         ::testing::Values(DirectoryView::Way::kernel, DirectoryView::Way::walk));

}  // namespace
}  // namespace swrun
