#include "image/image_view.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>

#include "support/image_fixture.h"

namespace swrun {
namespace {

class ImageViewTest : public ::testing::Test {
protected:
    void SetUp() override {
        SWRUN_NEED_TOOL("mksquashfs");
        make_small_tree(dir_ / "root");
        std::filesystem::create_directory_symlink("data", dir_ / "root/alias");
        ASSERT_TRUE(make_squashfs(dir_ / "root", dir_ / "image"));
        auto reader = open_squash_bytes(slurp(dir_ / "image"));
        ASSERT_TRUE(reader);
        reader_ = std::make_unique<SquashReader>(std::move(reader).value());
        view_ = std::make_unique<ImageView>(*reader_);
    }

    TempDir dir_;
    std::unique_ptr<SquashReader> reader_;
    std::unique_ptr<ImageView> view_;
};

TEST_F(ImageViewTest, LooksWithoutFollowing) {
    EXPECT_EQ(view_->look("/").kind, Node::Kind::directory);
    EXPECT_EQ(view_->look("/etc").kind, Node::Kind::directory);
    EXPECT_EQ(view_->look("/etc/passwd").kind, Node::Kind::file);
    EXPECT_EQ(view_->look("/etc/passwd").mode, 0644U);
    EXPECT_EQ(view_->look("/data/link").kind, Node::Kind::symlink);
    for (int i = 0; i < 2; ++i) {  // the second time from memory
        EXPECT_EQ(view_->look("/etc/absent").kind, Node::Kind::absent);
        EXPECT_EQ(view_->look("/absent/x/y").kind, Node::Kind::absent);
        EXPECT_EQ(view_->look("/etc/passwd/x").kind, Node::Kind::absent);
        EXPECT_EQ(view_->look("/alias/big").kind, Node::Kind::absent) << "links on the way are not followed";
        EXPECT_EQ(view_->look("relative").kind, Node::Kind::absent);
        EXPECT_EQ(view_->look("").kind, Node::Kind::absent);
    }
    EXPECT_EQ(view_->look("/bin/tool").inode, view_->look("/bin/same").inode);
    EXPECT_EQ(view_->look("/data/big").size, 29000U);
    EXPECT_EQ(view_->find("/etc")->id, view_->find("/etc")->id);
}

TEST_F(ImageViewTest, ResolvesThroughLinks) {
    const ResolvedPath found = resolve_in(*view_, "/alias/link");
    EXPECT_EQ(found.path, "/etc/passwd");
    EXPECT_TRUE(found.exists());
}

TEST_F(ImageViewTest, ReadsTextsAndLinks) {
    EXPECT_EQ(view_->read_text("/etc/passwd", 100).value(), "root:x:0:0:root:/root:/bin/sh\n");
    EXPECT_EQ(view_->read_text("/data/empty", 0).value(), "");
    EXPECT_EQ(view_->read_text("/etc/passwd", 29).error().sys_errno, EFBIG);
    EXPECT_EQ(view_->read_text("/etc/passwd", 30).value().size(), 30U);
    EXPECT_EQ(view_->read_text("/etc", 100).error().sys_errno, EISDIR);
    EXPECT_EQ(view_->read_text("/absent", 100).error().sys_errno, ENOENT);
    EXPECT_EQ(view_->read_text("/data/link", 100).error().sys_errno, EINVAL);
    EXPECT_EQ(view_->read_link("/data/link").value(), "/etc/passwd");
    EXPECT_EQ(view_->read_link("/etc").error().sys_errno, EINVAL);
    EXPECT_EQ(view_->read_link("/absent").error().sys_errno, ENOENT);
}

TEST_F(ImageViewTest, ListsSorted) {
    EXPECT_EQ(view_->list("/data").value(), (std::vector<std::string>{"big", "empty", "link"}));
    EXPECT_EQ(view_->list("/many").value().size(), 30U);
    EXPECT_EQ(view_->list("/etc/passwd").error().sys_errno, ENOTDIR);
    EXPECT_EQ(view_->list("/absent").error().sys_errno, ENOENT);
}

}  // namespace
}  // namespace swrun
