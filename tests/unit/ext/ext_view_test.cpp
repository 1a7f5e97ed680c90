// The tree inside an ext3 image, made by mke2fs, and what damage does to it.
#include "ext/ext_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <random>

#include "support/image_fixture.h"

namespace swrun {
namespace {

using testing::ElementsAre;

std::uint64_t size_of(const Fd& file) {
    struct stat status {};
    return ::fstat(file.get(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

constexpr std::size_t kOffset = 31;  // of Singularity 2.x's launch line: not aligned to anything

class ExtViewTest : public testing::Test {
protected:
    void SetUp() override {
        SWRUN_NEED_TOOL("mke2fs");
        const std::string root = dir_ / "root";
        std::filesystem::create_directories(root + "/dir/below");
        write_file(root + "/dir/file", "text\n");
        write_file(root + "/dir/big", std::string(100000, 'x'));
        std::filesystem::create_symlink("file", root + "/dir/link");
        std::filesystem::create_symlink("/" + std::string(200, 'l'), root + "/dir/long");
        std::filesystem::permissions(root + "/dir/file", std::filesystem::perms(0640));
        ASSERT_TRUE(run_command("mke2fs -q -F -t ext3 -b 1024 -d '" + root + "' '" + (dir_ / "image") + "' 4M"));
        bytes_ = slurp(dir_ / "image");
    }

    static std::unique_ptr<ExtView> open(const Fd& file, std::uint64_t offset = 0) {
        Result<std::unique_ptr<ExtView>> view = ExtView::open(file.get(), offset, size_of(file) - offset);
        EXPECT_TRUE(view) << format_error(view.error());
        return view ? std::move(view).value() : nullptr;
    }

    TempDir dir_;
    std::string bytes_;
};

void expect_tree(const ExtView& view) {
    EXPECT_EQ(view.look("/").kind, Node::Kind::directory);
    EXPECT_EQ(view.look("/dir/below").kind, Node::Kind::directory);
    const Node file = view.look("/dir/file");
    EXPECT_EQ(file.kind, Node::Kind::file);
    EXPECT_EQ(file.mode, 0640U);
    EXPECT_EQ(file.size, 5U);
    EXPECT_EQ(view.look("/dir/link").kind, Node::Kind::symlink) << "not followed";
    EXPECT_EQ(view.look("/dir/absent").kind, Node::Kind::absent);
    EXPECT_EQ(view.look("/dir/file/below").kind, Node::Kind::absent);
    EXPECT_EQ(view.read_text("/dir/file", 100).value(), "text\n");
    EXPECT_EQ(view.read_text("/dir/big", 100000).value().size(), 100000U);
    EXPECT_EQ(view.read_link("/dir/link").value(), "file");
    EXPECT_EQ(view.read_link("/dir/long").value(), "/" + std::string(200, 'l'));
    EXPECT_THAT(view.list("/dir").value(), ElementsAre("below", "big", "file", "link", "long"));
}

TEST_F(ExtViewTest, ShowsTheTree) {
    const Fd file = memory_file(bytes_);
    expect_tree(*open(file));
}

TEST_F(ExtViewTest, AtAnOffset) {
    const Fd file = memory_file(std::string(kOffset, '#') + bytes_);
    expect_tree(*open(file, kOffset));
}

TEST_F(ExtViewTest, SaysWhatIsWrong) {
    const Fd file = memory_file(bytes_);
    const auto view = open(file);
    EXPECT_EQ(view->read_text("/dir/big", 1000).error().sys_errno, EFBIG);
    EXPECT_EQ(view->read_text("/dir", 1000).error().sys_errno, EISDIR);
    EXPECT_EQ(view->read_text("/dir/link", 1000).error().sys_errno, EINVAL);
    EXPECT_EQ(view->read_text("/none", 1000).error().sys_errno, ENOENT);
    EXPECT_EQ(view->read_link("/dir/file").error().sys_errno, EINVAL);
    EXPECT_EQ(view->list("/dir/file").error().sys_errno, ENOTDIR);
    const Fd nothing = memory_file(std::string(8192, '\0'));
    EXPECT_FALSE(ExtView::open(nothing.get(), 0, 8192));
}

}  // namespace
}  // namespace swrun
