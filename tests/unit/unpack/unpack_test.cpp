#include "unpack/unpack.h"

#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <cstring>
#include <thread>

#include "unpack_fixture.h"

namespace swrun {
namespace {

namespace fs = std::filesystem;

// One of each thing, with the sizes around which unpacking decides: blocks, tasks, large files.
void make_rich_tree(const std::string& root) {
    make_small_tree(root);
    write_file(root + "/data/large", noise(500000, 3) + std::string(9 << 20, 'z'));
    write_file(root + "/data/exact", noise(131072, 4));
    write_file(root + "/data/one more", noise(131073, 5));
    write_file(root + "/deep/a/b/c/d/e/f/file", "deep\n");
    for (int i = 0; i < 700; ++i)
        write_file(root + "/lots/" + std::to_string(i), noise(static_cast<std::size_t>(i), 7));
    fs::create_hard_link(root + "/bin/tool", root + "/deep/a/tool");
    fs::create_symlink("../nowhere", root + "/deep/dangling");
    ASSERT_EQ(::mkfifo((root + "/data/fifo").c_str(), 0620), 0);
    ASSERT_EQ(::mknod((root + "/data/socket").c_str(), S_IFSOCK | 0600, 0), 0);
    fs::permissions(root + "/bin/tool", fs::perms(0751));
    fs::permissions(root + "/bin/same", fs::perms(04755));
    fs::permissions(root + "/many", fs::perms(0555));
    fs::permissions(root + "/deep/a", fs::perms(0711));
    // Where the file system takes them: of what nobody may write to as well, of small and large files and directories.
    for (const char* path : {"/data/large", "/data/empty", "/lots", "/lots/7", "/many", "/bin/tool"}) {
        const std::string name = root + path;
        ::setxattr(name.c_str(), "user.test", path, std::strlen(path), 0);
        ::setxattr(name.c_str(), "user.long", noise(700, 2).data(), 700, 0);
    }
    fs::permissions(root + "/lots/7", fs::perms(0444));
}

bool bytes_of_image(const TempDir& dir, const std::string& options, std::string& bytes) {
    if (!make_squashfs(dir / "root", dir / "image", options)) return false;
    bytes = slurp(dir / "image");
    return true;
}

void open_for_removal(const std::string& path) { (void)run_command("chmod -R u+rwX " + shell_quote(path)); }

class Compressors : public ::testing::TestWithParam<const char*> {};

TEST_P(Compressors, TheTreeThatWentIn) {
    SWRUN_NEED_TOOL("mksquashfs");
    const TempDir dir;
    make_rich_tree(dir / "root");
    std::string bytes;
    if (!bytes_of_image(dir, GetParam(), bytes)) SWRUN_SKIP() << "mksquashfs lacks " << GetParam();
    const Status done = unpack_bytes(bytes, dir / "out");
    ASSERT_TRUE(done) << format_error(done.error());
    EXPECT_EQ(describe_tree(dir / "out"), describe_tree(dir / "root"));
    EXPECT_EQ(stat_of(dir / "out").st_mode, stat_of(dir / "root").st_mode);
    EXPECT_EQ(describe_xattrs(dir / "out/lots/7"), describe_xattrs(dir / "root/lots/7"));
    EXPECT_EQ(stat_of(dir / "out/bin/tool").st_ino, stat_of(dir / "out/deep/a/tool").st_ino);
    open_for_removal(dir.path());
}

INSTANTIATE_TEST_SUITE_P(All, Compressors,
                         ::testing::Values("-comp gzip", "-comp xz", "-comp lzo", "-comp lz4", "-comp zstd",
                                           "-comp lzma", "-noI -noD -noF", "-no-fragments", "-b 4096",
                                           "-b 1M -always-use-fragments", "-no-duplicates"));

TEST(Unpack, AsUnsquashfsDoes) {
    SWRUN_NEED_TOOL("mksquashfs");
    SWRUN_NEED_TOOL("unsquashfs");
    const TempDir dir;
    make_rich_tree(dir / "root");
    std::string bytes;
    ASSERT_TRUE(bytes_of_image(dir, "", bytes));
    ASSERT_TRUE(run_command("unsquashfs -user-xattrs -dest " + (dir / "theirs") + " " + (dir / "image")));
    ASSERT_TRUE(unpack_bytes(bytes, dir / "ours"));
    EXPECT_EQ(describe_tree(dir / "ours"), describe_tree(dir / "theirs"));
    open_for_removal(dir.path());
}

TEST(Unpack, LeavesNoThread) {
    SWRUN_NEED_TOOL("mksquashfs");
    const TempDir dir;
    make_small_tree(dir / "root");
    std::string bytes;
    ASSERT_TRUE(bytes_of_image(dir, "", bytes));
    ASSERT_TRUE(unpack_bytes(bytes, dir / "out"));
    EXPECT_EQ(std::distance(fs::directory_iterator("/proc/self/task"), fs::directory_iterator()), 1);
}

TEST(Unpack, HolesStayHoles) {
    SWRUN_NEED_TOOL("mksquashfs");
    const TempDir dir;
    write_file(dir / "root/sparse", "start");
    write_file(dir / "root/hole", "");
    write_file(dir / "root/small", "x");
    fs::resize_file(dir / "root/sparse", 64 << 20);
    fs::resize_file(dir / "root/hole", (1 << 20) + 5);
    std::string bytes;
    ASSERT_TRUE(bytes_of_image(dir, "", bytes));
    // Far less room than the sizes add up to.
    const Status done = unpack_bytes(bytes, dir / "out", "/", {}, {1 << 20, UINT64_MAX});
    ASSERT_TRUE(done) << format_error(done.error());
    EXPECT_EQ(stat_of(dir / "out/sparse").st_size, 64 << 20);
    EXPECT_LT(stat_of(dir / "out/sparse").st_blocks * 512, 1 << 20);
    EXPECT_EQ(stat_of(dir / "out/hole").st_size, (1 << 20) + 5);
    EXPECT_EQ(slurp(dir / "out/sparse"), slurp(dir / "root/sparse"));
    EXPECT_EQ(slurp(dir / "out/hole"), std::string((1 << 20) + 5, '\0'));
}

TEST(Unpack, PartOfAnImage) {
    SWRUN_NEED_TOOL("mksquashfs");
    const TempDir dir;
    make_small_tree(dir / "root");
    std::string bytes;
    ASSERT_TRUE(bytes_of_image(dir, "", bytes));
    ASSERT_TRUE(unpack_bytes(bytes, dir / "many", "/many"));
    EXPECT_EQ(describe_tree(dir / "many"), describe_tree(dir / "root/many"));
    ASSERT_TRUE(unpack_bytes(bytes, dir / "one", "/data/big"));
    EXPECT_EQ(slurp(dir / ("one/" + std::string(kUnpackedFile))), slurp(dir / "root/data/big"));
    EXPECT_FALSE(unpack_bytes(bytes, dir / "none", "/data/missing"));
}

TEST(Unpack, GhostsReplaceFilesAndKeepTimes) {
    SWRUN_NEED_TOOL("mksquashfs");
    const TempDir dir;
    make_small_tree(dir / "root");
    fs::create_symlink("passwd", dir / "root/etc/group");
    ASSERT_TRUE(run_command("touch -d 2001-02-03 " + (dir / "root/etc")));
    std::string bytes;
    ASSERT_TRUE(bytes_of_image(dir, "", bytes));
    const std::vector<Ghost> ghosts = {
        {Ghost::Kind::directory, "/etc", "", 0755},       {Ghost::Kind::file, "/etc/group", "g:x:5:\n", 0640},
        {Ghost::Kind::file, "/etc/passwd", "me\n", 0644}, {Ghost::Kind::directory, "/new", "", 0700},
        {Ghost::Kind::directory, "/new/below", "", 0755}, {Ghost::Kind::symlink, "/new/link", "/etc", 0777}};
    const Status done = unpack_bytes(bytes, dir / "out", "/", ghosts);
    ASSERT_TRUE(done) << format_error(done.error());
    EXPECT_EQ(slurp(dir / "out/etc/passwd"), "me\n");
    EXPECT_EQ(slurp(dir / "out/etc/group"), "g:x:5:\n");
    EXPECT_EQ(stat_of(dir / "out/etc/group").st_mode, S_IFREG | 0640U);
    EXPECT_TRUE(fs::is_directory(dir / "out/new/below"));
    EXPECT_EQ(fs::read_symlink(dir / "out/new/link"), "/etc");
    EXPECT_EQ(stat_of(dir / "out/etc").st_mtime, stat_of(dir / "root/etc").st_mtime);
}

TEST(Unpack, GhostInPlaceOfTheWrongThing) {
    SWRUN_NEED_TOOL("mksquashfs");
    const TempDir dir;
    make_small_tree(dir / "root");
    fs::create_symlink("/", dir / "root/way");
    std::string bytes;
    ASSERT_TRUE(bytes_of_image(dir, "", bytes));
    EXPECT_FALSE(unpack_bytes(bytes, dir / "a", "/", {{Ghost::Kind::file, "/etc", "", 0644}}));
    // A mount point of ours takes the place of a file or link, and of nothing behind the link.
    ASSERT_TRUE(unpack_bytes(bytes, dir / "b", "/",
                             {{Ghost::Kind::directory, "/etc/passwd", "", 0755},
                              {Ghost::Kind::directory, "/etc/passwd/below", "", 0755},
                              {Ghost::Kind::directory, "/way", "", 0700}}));
    EXPECT_TRUE(fs::is_directory(dir / "b/etc/passwd/below"));
    EXPECT_EQ(stat_of(dir / "b/way").st_mode, S_IFDIR | 0700U);
    // A link is never followed.
    EXPECT_FALSE(unpack_bytes(bytes, dir / "c", "/", {{Ghost::Kind::file, "/way" + (dir / "escaped"), "", 0644}}));
    EXPECT_FALSE(fs::exists(dir / "escaped"));
}

TEST(Unpack, TooLittleRoomIsSaidBeforeAnythingIsMade) {
    SWRUN_NEED_TOOL("mksquashfs");
    const TempDir dir;
    write_file(dir / "root/file", noise(3 << 20, 1));
    std::string bytes;
    ASSERT_TRUE(bytes_of_image(dir, "", bytes));
    const Status done = unpack_bytes(bytes, dir / "out", "/", {}, {1 << 20, UINT64_MAX});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().sys_errno, ENOSPC);
    EXPECT_EQ(done.error().message, "unpacking it needs 3.0 MiB of memory, 1.0 MiB are free");
    EXPECT_TRUE(fs::is_empty(dir / "out"));
    EXPECT_EQ(unpack_bytes(bytes, dir / "out", "/", {}, {UINT64_MAX, 0}).error().sys_errno, ENOSPC);
}

TEST(Unpack, AFullFileSystemIsAnError) {
    SWRUN_NEED_TOOL("mksquashfs");
    const TempDir dir;
    make_rich_tree(dir / "root");
    std::string bytes;
    ASSERT_TRUE(bytes_of_image(dir, "", bytes));
    fs::create_directory(dir / "small");
    if (::mount("none", (dir / "small").c_str(), "tmpfs", 0, "size=1m") != 0) SWRUN_SKIP() << "may not mount";
    const Status done = unpack_bytes(bytes, dir / "small/out");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().sys_errno, ENOSPC) << format_error(done.error());
    EXPECT_EQ(::umount((dir / "small").c_str()), 0);
    open_for_removal(dir.path());
}

TEST(Unpack, DevicesAreLeftOut) {
    SWRUN_NEED_TOOL("mksquashfs");
    const TempDir dir;
    make_small_tree(dir / "root");
    std::string bytes;
    ASSERT_TRUE(bytes_of_image(dir,
                               "-p 'dev d 755 0 0' -p 'dev/null c 666 0 0 1 3' -p 'dev/sda b 660 0 0 8 0' "
                               "-p 'dev/gone c 000 0 0 0 0'",
                               bytes));
    const Status done = unpack_bytes(bytes, dir / "out");
    ASSERT_TRUE(done) << format_error(done.error());
    EXPECT_FALSE(fs::exists(fs::symlink_status(dir / "out/dev/null")));
    EXPECT_FALSE(fs::exists(fs::symlink_status(dir / "out/dev/sda")));
    EXPECT_EQ(stat_of(dir / "out/dev/gone").st_rdev, makedev(0, 0));  // removes a name of the layer below
}

// What a damaged or hostile image may do: fail, or give some tree.  Never anything outside of it.
class Hostile : public ::testing::Test {
protected:
    void SetUp() override {
        SWRUN_NEED_TOOL("mksquashfs");
        make_small_tree(dir_ / "root");
        fs::create_symlink(dir_ / "outside", dir_ / "root/zlink");
        fs::create_directory(dir_ / "root/zzzzz");
        write_file(dir_ / "root/zzzzz/escaped", "escaped");
        fs::create_directory(dir_ / "outside");
        ASSERT_TRUE(bytes_of_image(dir_, "-noI -noD -noF", image_));
    }
    // Replaces every occurrence.
    [[nodiscard]] std::string with(const std::string& from, const std::string& to) const {
        std::string bytes = image_;
        for (std::size_t at = bytes.find(from); at != std::string::npos; at = bytes.find(from, at + to.size())) {
            bytes.replace(at, to.size(), to);
        }
        return bytes;
    }
    [[nodiscard]] bool untouched() const { return fs::is_empty(dir_ / "outside"); }

    TempDir dir_;
    std::string image_;
};

// The first counts, as for who looks it up in the image.
TEST_F(Hostile, TheSameNameAsLinkAndDirectory) {
    const Status done = unpack_bytes(with("zzzzz", "zlink"), dir_ / "out");
    ASSERT_TRUE(done) << format_error(done.error());
    EXPECT_EQ(fs::read_symlink(dir_ / "out/zlink"), dir_ / "outside");
    EXPECT_TRUE(untouched());
}

TEST_F(Hostile, TheSameNameTwice) {
    const Status done = unpack_bytes(with("entry12", "entry11"), dir_ / "out");
    ASSERT_TRUE(done) << format_error(done.error());
    EXPECT_EQ(slurp(dir_ / "out/many/entry11"), "11");
    EXPECT_FALSE(fs::exists(dir_ / "out/many/entry12"));
    EXPECT_EQ(slurp(dir_ / "out/many/entry13"), "13");
}

TEST_F(Hostile, NamesThatArePaths) {
    for (const char* name : {"../ab", "/etc/", "a/../", ".."}) {
        const std::string text(name);
        EXPECT_FALSE(unpack_bytes(with("zzzzz", text + std::string(5 - text.size(), '\0')), dir_ / "out")) << name;
        fs::remove_all(dir_ / "out");
    }
    EXPECT_TRUE(untouched());
}

TEST_F(Hostile, BitFlips) {
    std::uint64_t inodes = 0;
    std::memcpy(&inodes, image_.data() + 64, sizeof inodes);
    int unpacked = 0;
    for (std::size_t at = static_cast<std::size_t>(inodes); at < image_.size(); at += 37) {
        std::string bytes = image_;
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << (at % 8)));
        if (unpack_bytes(bytes, dir_ / "out", "/", {}, {64 << 20, 10000})) ++unpacked;
        open_for_removal(dir_ / "out");
        fs::remove_all(dir_ / "out");
        ASSERT_TRUE(untouched());
    }
    EXPECT_GT(unpacked, 0);
}

}  // namespace
}  // namespace swrun
