// Images of each kind with one thing wrong: an Error or another tree, and nothing worse.  Worth most under asan.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "ext/ext_view.h"
#include "support/image_fixture.h"

namespace swrun {
namespace {

using testing::HasSubstr;

constexpr std::size_t kLimit = 1U << 20U;

struct Kind {
    const char* name;
    const char* options;
};

void put(std::string& bytes, std::size_t at, std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i) bytes[at + static_cast<std::size_t>(i)] = static_cast<char>(value >> (8 * i));
}

std::uint64_t get(const std::string& bytes, std::size_t at, int size) {
    std::uint64_t value = 0;
    for (int i = size; i > 0; --i)
        value = value << 8U | static_cast<unsigned char>(bytes[at + static_cast<std::size_t>(i) - 1]);
    return value;
}

class ExtHostile : public testing::TestWithParam<Kind> {
protected:
    void SetUp() override {
        SWRUN_NEED_TOOL("mke2fs");
        const std::string root = dir_ / "root";
        std::filesystem::create_directories(root + "/dir/below");
        write_file(root + "/dir/file", "text\n");
        write_file(root + "/dir/big", std::string(20000, 'x'));
        std::filesystem::create_symlink("file", root + "/dir/link");
        std::filesystem::create_symlink("/" + std::string(200, 'l'), root + "/dir/long");
        for (int i = 0; i < 40; ++i) write_file(root + "/dir/below/a-name-of-some-length-" + std::to_string(i), "");
        ASSERT_TRUE(run_command("mke2fs -q -F -b 1024 -N 64 " + std::string(GetParam().options) + " -d '" + root +
                                "' '" + (dir_ / "image") + "' 160k"));
        bytes_ = slurp(dir_ / "image");
    }

    // A file of its own, which is changed in place and put right again: thousands of copies would take long.
    void look_at(const Fd& file, std::size_t size) {
        const auto view = ExtView::open(file.get(), 0, size);
        if (!view) return;
        for (const char* path : {"/", "/dir", "/dir/below"}) (void)(*view)->list(path);
        (void)(*view)->read_text("/dir/big", kLimit);
        (void)(*view)->read_link("/dir/link");
        (void)(*view)->read_link("/dir/long");
        (void)(*view)->look("/dir/below/a-name-of-some-length-39");
    }

    void with_byte(const Fd& file, std::size_t at, unsigned char value) {
        ASSERT_EQ(::pwrite(file.get(), &value, 1, static_cast<off_t>(at)), 1);
    }

    // Every value of `values` in every byte of a range.
    void change_each(std::size_t from, std::size_t to) {
        const Fd file = memory_file(bytes_);
        for (std::size_t at = from; at < to; ++at) {
            const auto old = static_cast<unsigned char>(bytes_[at]);
            for (const unsigned change : {0xffU, 0x01U, 0x80U, 0x08U}) {
                with_byte(file, at, static_cast<unsigned char>(old ^ change));
                look_at(file, bytes_.size());
            }
            with_byte(file, at, old);
        }
        EXPECT_TRUE(ExtView::open(file.get(), 0, bytes_.size())) << "the image itself is good";
    }

    [[nodiscard]] std::size_t inode_table() const { return get(bytes_, 2048 + 8, 4) * 1024; }
    [[nodiscard]] std::size_t inode_size() const { return get(bytes_, 1024 + 0x58, 2); }
    [[nodiscard]] std::size_t root() const { return inode_table() + inode_size(); }

    [[nodiscard]] Result<std::vector<std::string>> list_root() {
        const Fd file = memory_file(bytes_);
        SWRUN_TRY(const auto view, ExtView::open(file.get(), 0, bytes_.size()));
        return view->list("/");
    }

    TempDir dir_;
    std::string bytes_;
};

TEST_P(ExtHostile, Superblock) { change_each(1024, 2048); }
TEST_P(ExtHostile, Descriptors) { change_each(2048, 2048 + 64); }
TEST_P(ExtHostile, Inodes) { change_each(inode_table(), inode_table() + 22 * inode_size()); }
TEST_P(ExtHostile, FirstBlocksBehindTheInodes) {
    const std::size_t start = inode_table() + 64 * inode_size();
    change_each(start, start + 6144);
}

TEST_P(ExtHostile, CutAnywhere) {
    for (std::size_t size = 0; size < bytes_.size(); size += 509) {
        const Fd file = memory_file(bytes_.substr(0, size));
        look_at(file, size);           // the end is known
        look_at(file, bytes_.size());  // cut meanwhile
        EXPECT_TRUE(size >= root() || !ExtView::open(file.get(), 0, size)) << size;
    }
}

TEST_P(ExtHostile, IsRefusedByTheNameOfAFeature) {
    for (const auto& [bit, name] : {std::pair{0x1U, "compression"},
                                    {0x8U, "journal_dev"},
                                    {0x1000U, "dirdata"},
                                    {0x10000U, "encrypt"},
                                    {0x20000U, "casefold"},
                                    {0x800000U, "FEATURE_I23"}}) {
        std::string bytes = bytes_;
        put(bytes, 1024 + 0x60, get(bytes, 1024 + 0x60, 4) | bit, 4);
        const Fd file = memory_file(bytes);
        const auto view = ExtView::open(file.get(), 0, bytes.size());
        ASSERT_FALSE(view) << name;
        EXPECT_THAT(view.error().message, HasSubstr(name));
    }
}

TEST_P(ExtHostile, AJournalThatWasNotWrittenBackIsReadAsItLies) {
    put(bytes_, 1024 + 0x60, get(bytes_, 1024 + 0x60, 4) | 0x4U, 4);
    EXPECT_TRUE(list_root());
}

TEST_P(ExtHostile, RootThatIsAFile) {
    put(bytes_, root(), 0100644, 2);
    ASSERT_FALSE(list_root());
    EXPECT_THAT(list_root().error().message, HasSubstr("the image is damaged: its root is not a directory"));
}

TEST_P(ExtHostile, DirectoryWithoutEnd) {
    put(bytes_, root() + 4, 0xfffffc00U, 4);
    ASSERT_FALSE(list_root());
    EXPECT_THAT(list_root().error().message, HasSubstr("is a directory of"));
}

TEST_P(ExtHostile, NodesThatPointInACircle) {
    // As extents: an index whose only record leads to a block that says the same of itself, at each depth.
    const std::size_t block = 100;
    for (const unsigned depth : {1U, 5U, 6U, 0xffffU}) {
        for (const std::size_t node : {root() + 0x28, block * 1024}) {
            put(bytes_, node, 0xF30A, 2);
            put(bytes_, node + 2, 1, 2);
            put(bytes_, node + 4, 4, 2);
            put(bytes_, node + 6, depth, 2);
            put(bytes_, node + 12, 0, 4);
            put(bytes_, node + 16, block, 8);
        }
        put(bytes_, root() + 0x20, 0x80000, 4);
        const auto names = list_root();
        ASSERT_FALSE(names);
        EXPECT_THAT(names.error().message, HasSubstr("the image is damaged: the extents of inode 2 make no sense"));
    }
    // As a map: a block of numbers that are all its own.
    for (std::size_t at = 0; at < 1024; at += 4) put(bytes_, block * 1024 + at, block, 4);
    for (std::size_t at = 0; at < 60; at += 4) put(bytes_, root() + 0x28 + at, block, 4);
    put(bytes_, root() + 0x20, 0, 4);
    put(bytes_, root() + 4, 60U << 20U, 4);
    const auto names = list_root();
    ASSERT_FALSE(names);
    EXPECT_THAT(names.error().message, HasSubstr("the image is damaged: "));
}

INSTANTIATE_TEST_SUITE_P(Mke2fs, ExtHostile,
                         testing::Values(Kind{"ext2", "-t ext2 -I 128"}, Kind{"ext4", "-t ext4 -I 256 -O ^has_journal"},
                                         Kind{"inline", "-t ext4 -I 256 -O ^has_journal,inline_data"}),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace swrun
