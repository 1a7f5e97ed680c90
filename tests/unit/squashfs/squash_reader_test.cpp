#include "squashfs/squash_reader.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <set>

#include "support/image_fixture.h"

namespace swrun {
namespace {

namespace fs = std::filesystem;

// Everything that makes a squashfs reader stumble: sizes around a block, holes, fragments, links, many
// entries (a directory with an index), depth, odd names.
void make_rich_tree(const std::string& root) {
    make_small_tree(root);
    for (const std::size_t size : {1UL, 4095UL, 4096UL, 4097UL, 131071UL, 131072UL, 131073UL, 700000UL}) {
        write_file(root + "/sizes/text" + std::to_string(size), std::string(size, 't'));
        write_file(root + "/sizes/noise" + std::to_string(size), noise(size, size));
    }
    std::string holes(1000000, '\0');
    holes.replace(700000, 5, "mid\n\n");
    holes.replace(999990, 4, "end\n");
    write_file(root + "/sparse", holes);
    write_file(root + "/only-hole", std::string(1048576, '\0'));
    for (int i = 0; i < 600; ++i) {
        const std::string name = std::string(30, 'e') + std::to_string(10000 + i);
        write_file(root + "/big/" + name, i % 7 == 0 ? name : "");
    }
    std::string deep = root + "/deep";
    for (int i = 0; i < 40; ++i) deep += "/d" + std::to_string(i);
    write_file(deep + "/bottom", "bottom\n");
    write_file(root + "/names/" + std::string(255, 'n'), "long");
    write_file(root + "/names/new\nline", "nl");
    write_file(root + "/names/\xff\xfe", "bytes");
    fs::create_symlink(std::string(4000, 'x'), root + "/names/longlink");
    fs::create_symlink("nowhere", root + "/names/dangling");
    ASSERT_EQ(mkfifo((root + "/fifo").c_str(), 0640), 0);
    fs::permissions(root + "/data/empty", fs::perms::set_uid | fs::perms::owner_all);
    fs::create_directory(root + "/empty-directory");
}

// Compares a directory of the image with one of the host, all the way down.
void expect_same(SquashReader& reader, const SquashNode& directory, const std::string& host) {
    const auto listed = reader.list(directory, 0, 1 << 20);
    ASSERT_TRUE(listed) << host << ": " << listed.error().message;
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(host)) names.insert(entry.path().filename().string());
    EXPECT_EQ(listed->size(), names.size()) << host;
    for (const SquashEntry& entry : *listed) {
        const std::string path = host + "/" + entry.name;
        ASSERT_TRUE(names.contains(entry.name)) << path;
        const auto found = reader.lookup(directory, entry.name);
        ASSERT_TRUE(found && *found) << path;
        EXPECT_EQ(**found, entry) << path;
        const auto node = reader.node(entry.id);
        ASSERT_TRUE(node) << path << ": " << node.error().message;
        EXPECT_EQ(node->number, entry.number) << path;
        EXPECT_EQ(node->kind, entry.kind) << path;
        struct stat status {};
        ASSERT_EQ(lstat(path.c_str(), &status), 0);
        EXPECT_EQ(node->mode, status.st_mode & 07777U) << path;
        EXPECT_EQ(node->mtime, static_cast<std::uint32_t>(status.st_mtime)) << path;
        if (S_ISDIR(status.st_mode)) {
            ASSERT_EQ(node->kind, SquashNode::Kind::directory) << path;
            expect_same(reader, *node, path);
            continue;
        }
        EXPECT_EQ(node->nlink, status.st_nlink) << path;
        if (S_ISLNK(status.st_mode)) {
            ASSERT_EQ(node->kind, SquashNode::Kind::symlink) << path;
            EXPECT_EQ(reader.read_link(*node).value(), fs::read_symlink(path).string());
        } else if (S_ISFIFO(status.st_mode)) {
            EXPECT_EQ(node->kind, SquashNode::Kind::fifo) << path;
        } else {
            ASSERT_EQ(node->kind, SquashNode::Kind::file) << path;
            ASSERT_EQ(node->size, fs::file_size(path)) << path;
            std::string bytes(node->size + 10, '\x55');
            const auto count = reader.read(*node, 0, std::as_writable_bytes(std::span(bytes)));
            ASSERT_TRUE(count) << path << ": " << count.error().message;
            bytes.resize(*count);
            EXPECT_TRUE(bytes == slurp(path)) << path;
        }
    }
}

SquashNode at(SquashReader& reader, const std::string& path) {
    SquashNode node = reader.root().value();
    for (const fs::path& part : fs::path(path).relative_path()) {
        node = reader.node(reader.lookup(node, part.string()).value().value().id).value();
    }
    return node;
}

class SquashCompressions : public ::testing::TestWithParam<const char*> {};

TEST_P(SquashCompressions, EverythingReadsBackAsItWas) {
    SWRUN_NEED_TOOL("mksquashfs");
    const TempDir dir;
    make_rich_tree(dir / "root");
    if (!make_squashfs(dir / "root", dir / "image", GetParam())) SWRUN_SKIP() << "mksquashfs lacks " << GetParam();
    const std::string bytes = slurp(dir / "image");
    auto reader = open_squash_bytes(bytes, 2 << 20);
    ASSERT_TRUE(reader) << reader.error().message;
    const auto root = reader->root();
    ASSERT_TRUE(root) << root.error().message;
    expect_same(*reader, *root, dir / "root");
    EXPECT_LE(reader->cache().counters().bytes, std::uint64_t{9} << 20);
}

INSTANTIATE_TEST_SUITE_P(Mksquashfs, SquashCompressions,
                         ::testing::Values("-comp gzip", "-comp xz", "-comp lz4", "-comp zstd", "-comp lzo",
                                           "-comp lzma", "-comp gzip -b 4096", "-comp gzip -b 1M", "-comp xz -Xbcj x86",
                                           "-no-fragments", "-always-use-fragments", "-noI -noD -noF", "-noD", "-noI",
                                           "-nopad", "-no-exports", "-comp lz4 -Xhc",
                                           "-comp gzip -Xcompression-level 1", "-no-sparse"));

class SquashReaderTest : public ::testing::Test {
protected:
    void SetUp() override {
        SWRUN_NEED_TOOL("mksquashfs");
        root_ = dir_ / "root";
    }
    SquashReader open(const std::string& options = "") {
        EXPECT_TRUE(make_squashfs(root_, dir_ / "image", options));
        auto reader = open_squash_bytes(slurp(dir_ / "image"));
        EXPECT_TRUE(reader) << reader.error().message;
        return std::move(reader).value();
    }

    TempDir dir_;
    std::string root_;
};

TEST_F(SquashReaderTest, LookupOfAbsentNames) {
    make_small_tree(root_);
    SquashReader reader = open();
    const SquashNode root = reader.root().value();
    for (const std::string name : {"", "a", "zzz", "dat", "data2", "data/", "."}) {
        EXPECT_FALSE(reader.lookup(root, name).value()) << name;
    }
    EXPECT_EQ(reader.lookup(at(reader, "/etc/passwd"), "x").error().sys_errno, ENOTDIR);
    EXPECT_EQ(reader.list(at(reader, "/etc/passwd"), 0, 10).error().sys_errno, ENOTDIR);
    EXPECT_EQ(reader.read_link(root).error().sys_errno, EINVAL);
    EXPECT_EQ(reader.slice(root, 0, 10).error().sys_errno, EINVAL);
}

TEST_F(SquashReaderTest, KeysOfAPartOfAFile) {
    write_file(root_ + "/three", noise(131072 * 2 + 1000, 1));
    write_file(root_ + "/hole", std::string(131072, '\0') + noise(131072, 2));
    SquashReader reader = open("-b 131072");
    const SquashNode three = at(reader, "/three");
    const auto all = reader.keys_of(three, 0, 1U << 30U).value();
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[1], **reader.key_of(three, 1));
    EXPECT_EQ(reader.keys_of(three, 131071, 2).value(), (std::vector{all[0], all[1]}));
    EXPECT_EQ(reader.keys_of(three, 131072, 131072).value(), std::vector{all[1]});
    EXPECT_EQ(reader.keys_of(three, three.size - 1, ~0ULL).value(), std::vector{all[2]});
    EXPECT_TRUE(reader.keys_of(three, three.size, 1).value().empty());
    EXPECT_TRUE(reader.keys_of(three, ~0ULL, ~0ULL).value().empty());
    EXPECT_EQ(reader.keys_of(at(reader, "/hole"), 0, 1U << 30U).value().size(), 1U);
    EXPECT_FALSE(reader.keys_of(reader.root().value(), 0, 1));
}

TEST_F(SquashReaderTest, BeyondAFileAreTheFragmentsOfItsNeighbours) {
    // Each fills most of a fragment of its own.
    for (const char* name : {"/a", "/b", "/c", "/d"})
        write_file(root_ + name, noise(100000, static_cast<unsigned char>(name[1])));
    write_file(root_ + "/large", noise(131072 * 5, 3));
    SquashReader reader = open("-b 131072");
    const auto fragment = [&](const std::string& path) { return **reader.key_of(at(reader, path), 0); };
    const SquashNode a = at(reader, "/a");
    EXPECT_EQ(reader.keys_beyond(a, a.size, 2).value(), (std::vector{fragment("/b"), fragment("/c")}));
    EXPECT_EQ(reader.keys_beyond(a, a.size, 9).value().size(), 3U) << "there are no more";
    const SquashNode last = at(reader, "/d");
    EXPECT_TRUE(reader.keys_beyond(last, last.size, 4).value().empty());
    const SquashNode large = at(reader, "/large");
    EXPECT_EQ(reader.keys_beyond(large, 131072, 2).value(),
              (std::vector{**reader.key_of(large, 1), **reader.key_of(large, 2)}));
    EXPECT_EQ(reader.keys_beyond(large, 131072 + 4096, 2).value(), reader.keys_beyond(large, 131072, 2).value())
        << "the block that it lies in is one of them";
    EXPECT_TRUE(reader.keys_beyond(large, large.size, 2).value().empty()) << "it has none";
}

TEST_F(SquashReaderTest, HardLinksShareTheirInode) {
    make_small_tree(root_);
    SquashReader reader = open();
    EXPECT_EQ(at(reader, "/bin/tool").number, at(reader, "/bin/same").number);
    EXPECT_EQ(at(reader, "/bin/tool").nlink, 2U);
    EXPECT_NE(at(reader, "/bin/tool").number, at(reader, "/etc/passwd").number);
}

TEST_F(SquashReaderTest, ListingGoesOnWhereItStopped) {
    const std::string prefix(100, 'e');
    for (int i = 0; i < 400; ++i) write_file(root_ + "/" + prefix + std::to_string(10000 + i), "");
    SquashReader reader = open();
    const SquashNode root = reader.root().value();
    const auto all = reader.list(root, 0, 1 << 20).value();
    ASSERT_EQ(all.size(), 400U);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{64}, std::size_t{399}}) {
        std::vector<SquashEntry> joined;
        std::uint64_t from = 0;
        for (;;) {
            const auto part = reader.list(root, from, piece).value();
            if (part.empty()) break;
            from = part.back().next;
            joined.insert(joined.end(), part.begin(), part.end());
        }
        EXPECT_TRUE(joined == all) << piece;
        if (piece == 1) {
            EXPECT_LT(all[0].next, all[1].next);
        }
    }
    EXPECT_TRUE(reader.list(root, all.back().next, 10).value().empty());
    EXPECT_TRUE(reader.list(root, 1ULL << 40, 10).value().empty());
}

TEST_F(SquashReaderTest, ReadsAnywhereInALargeFile) {
    // 6 MB in blocks of 4 KiB: 1500 blocks, several checkpoints; a third of them holes.
    std::string bytes = noise(6'000'000, 5);
    for (std::size_t i = 0; i + 8192 < bytes.size(); i += 3 * 8192) bytes.replace(i, 8192, 8192, '\0');
    write_file(root_ + "/large", bytes);
    for (int i = 0; i < 12; ++i) {
        write_file(root_ + "/other" + std::to_string(i), noise(2'200'000, 100U + static_cast<unsigned>(i)));
    }
    SquashReader reader = open("-b 4096 -noD");
    const SquashNode large = at(reader, "/large");
    std::uint64_t state = 12345;
    for (int i = 0; i < 400; ++i) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        const std::size_t offset = (state >> 20) % (bytes.size() + 5000);
        const std::size_t size = 1 + (state >> 50) % 12000;
        std::string part(size, '\x55');
        const auto count = reader.read(large, offset, std::as_writable_bytes(std::span(part)));
        ASSERT_TRUE(count) << count.error().message;
        part.resize(*count);
        ASSERT_TRUE(part == (offset < bytes.size() ? bytes.substr(offset, size) : "")) << offset << " " << size;
        if (i % 20 == 0) {  // more large files than the reader remembers
            const std::string name = "/other" + std::to_string(i / 20 % 12);
            std::string far(100, '\0');
            ASSERT_TRUE(reader.read(at(reader, name), 2'199'900, std::as_writable_bytes(std::span(far))));
            EXPECT_TRUE(far == slurp(root_ + name).substr(2'199'900)) << name;
        }
    }
}

TEST_F(SquashReaderTest, SlicesPointIntoTheCache) {
    write_file(root_ + "/file", noise(300000, 9));
    write_file(root_ + "/hole", std::string(200000, '\0') + "x");
    SquashReader reader = open();
    const SquashNode file = at(reader, "/file");
    const FileSlice slice = reader.slice(file, 131072 - 10, 1000).value();
    EXPECT_EQ(slice.size, 10U) << "up to the end of the block";
    ASSERT_NE(slice.block, nullptr);
    EXPECT_EQ(slice.view().size(), 10U);
    EXPECT_EQ(reader.slice(file, 131072 - 10, 1000).value().block, slice.block);
    EXPECT_EQ(reader.cache().counters().decodes, 1U);
    EXPECT_EQ(reader.slice(file, 300000, 10).value().size, 0U);
    EXPECT_EQ(reader.slice(file, ~std::uint64_t{0}, 10).value().size, 0U);
    const FileSlice hole = reader.slice(at(reader, "/hole"), 100, 5000).value();
    EXPECT_EQ(hole.block, nullptr);
    EXPECT_EQ(hole.size, 5000U);
}

// The end of a file does not keep the memory of a whole block: the cache counts its bytes.
TEST_F(SquashReaderTest, ShortBlocksTakeLittleMemory) {
    for (const std::size_t size : {100U, 5000U, 100'000U, 300'000U, 1'000'000U}) {
        write_file(root_ + "/text" + std::to_string(size), std::string(size, 't'));
    }
    SquashReader reader = open("-b 1048576 -no-fragments");
    for (const std::size_t size : {100U, 5000U, 100'000U, 300'000U, 1'000'000U}) {
        const FileSlice slice = reader.slice(at(reader, "/text" + std::to_string(size)), 0, size).value();
        ASSERT_NE(slice.block, nullptr);
        EXPECT_EQ(slice.block->size, size);
        EXPECT_LE(slice.block->bytes.get_deleter().size, 2 * size);
        EXPECT_EQ(slice.view().back(), std::byte{'t'});
    }
}

// It would be charged nothing.
TEST_F(SquashReaderTest, ABlockOfNothingIsDamage) {
    write_file(root_ + "/file", std::string(100'000, 't'));
    ASSERT_TRUE(make_squashfs(root_, dir_ / "image", "-no-fragments -comp gzip"));
    std::string bytes = slurp(dir_ / "image");
    constexpr std::size_t kFirstBlock = 96;                                             // behind the superblock
    bytes.replace(kFirstBlock, 8, std::string("\x78\x9c\x03\x00\x00\x00\x00\x01", 8));  // zlib, of no bytes
    auto reader = open_squash_bytes(bytes);
    ASSERT_TRUE(reader);
    const auto slice = reader->slice(at(*reader, "/file"), 0, 10);
    ASSERT_FALSE(slice);
    EXPECT_EQ(slice.error().sys_errno, EIO);
    EXPECT_EQ(reader->cache().counters().bytes, 0U);
    EXPECT_FALSE(reader->slice(at(*reader, "/file"), 0, 10)) << "nor is it kept";
    EXPECT_EQ(reader->cache().counters().decodes, 2U);
}

TEST_F(SquashReaderTest, OwnersTimesAndDevices) {
    write_file(root_ + "/file", "x");
    SquashReader reader = open(
        "-p 'null c 666 0 7 1 3' -p 'disk b 640 4294967 6 8 257' -mkfs-time 1 -all-time 1234567890");
    const SquashNode null = at(reader, "/null");
    EXPECT_EQ(null.kind, SquashNode::Kind::char_device);
    EXPECT_EQ(null.mode, 0666U);
    EXPECT_EQ(null.major, 1U);
    EXPECT_EQ(null.minor, 3U);
    const SquashNode disk = at(reader, "/disk");
    EXPECT_EQ(disk.kind, SquashNode::Kind::block_device);
    EXPECT_EQ(disk.major, 8U);
    EXPECT_EQ(disk.minor, 257U);
    EXPECT_EQ(at(reader, "/file").mtime, 1234567890U);
}

TEST_F(SquashReaderTest, IdsThatAreNotOfTheImage) {
    make_small_tree(root_);
    SquashReader reader = open();
    for (const std::uint64_t id : {~std::uint64_t{0}, std::uint64_t{1} << 63, std::uint64_t{1} << 40,
                                   std::uint64_t{0xffff}, std::uint64_t{8191}, std::uint64_t{3}}) {
        const auto node = reader.node(id);  // 3 may happen to look like an inode: no crash is all we ask
        if (id != 3) {
            EXPECT_FALSE(node) << id;
        }
    }
}

TEST_F(SquashReaderTest, SmallestImages) {
    fs::create_directory(root_);
    SquashReader reader = open("-no-fragments");
    const SquashNode root = reader.root().value();
    EXPECT_TRUE(reader.list(root, 0, 10).value().empty());
    EXPECT_FALSE(reader.lookup(root, "x").value());
    const auto none = open_squash_bytes("hsqs");
    EXPECT_FALSE(none);
}

}  // namespace
}  // namespace swrun
