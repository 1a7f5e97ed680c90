// walk_in_root against openat2(2), which it stands in for: the same file or the same errno, for each path of
// a tree full of traps.
#include "mounts/kernel/path_walk.h"
#include "support/skip.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

namespace swrun {
namespace {

namespace fs = std::filesystem;

class PathWalk : public testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/swrun-walk.XXXXXX";
        top_ = ::mkdtemp(name);
        const fs::path root = top_ / "root";
        fs::create_directories(root / "a/b/c");
        fs::create_directories(root / "secret/inner");
        write(top_ / "outside");
        write(root / "a/file");
        write(root / "a/b/c/deep");
        write(root / "outside");
        link("a/b", root / "dir");
        link("a/file", root / "short");
        link("/a/b/c/deep", root / "absolute");
        link("/", root / "slash");
        link("../../../../outside", root / "a/b/up");
        link((top_ / "outside").string(), root / "escape");
        link("loop", root / "loop");
        link("dir/../file", root / "through");
        link("a/file/", root / "file_slash");
        link("a/b/", root / "dir_slash");
        link("nowhere/x", root / "dangling");
        link("..", root / "a/parent");
        link("chain1", root / "chain0");
        for (int i = 1; i < 45; ++i) link("chain" + std::to_string(i + 1), root / ("chain" + std::to_string(i)));
        write(root / "chain45");
        link("/proc", root / "to_proc");
        fs::permissions(root / "secret", fs::perms::none);
        root_ = Fd(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    }
    void TearDown() override {
        fs::permissions(top_ / "root/secret", fs::perms::owner_all);
        fs::remove_all(top_);
    }

    static void write(const fs::path& path) { std::ofstream(path) << path.filename().string(); }
    static void link(const std::string& target, const fs::path& path) { fs::create_symlink(target, path); }

    static std::string identity(int fd) {
        struct stat st {};
        if (::fstat(fd, &st) != 0) return "no fstat";
        return std::to_string(st.st_dev) + ":" + std::to_string(st.st_ino);
    }

    static std::string by_kernel(int root, const std::string& path, int flags) {
        open_how how{};
        how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
        how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
        const Fd fd(static_cast<int>(::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how)));
        return fd ? identity(fd.get()) : errno_name(errno);
    }

    static std::string by_walk(int root, const std::string& path, int flags) {
        const Result<Fd> fd = walk_in_root(root, path, flags);
        return fd ? identity(fd->get()) : errno_name(fd.error().sys_errno);
    }

    static void compare(int root, const std::vector<std::string>& paths) {
        for (const std::string& path : paths) {
            for (const int flags :
                 {O_PATH, O_PATH | O_DIRECTORY, O_PATH | O_NOFOLLOW, O_PATH | O_NOFOLLOW | O_DIRECTORY}) {
                EXPECT_EQ(by_walk(root, path, flags), by_kernel(root, path, flags))
                    << path.substr(0, 80) << " flags " << flags;
            }
        }
    }

    fs::path top_;
    Fd root_;
};

TEST_F(PathWalk, DoesWhatOpenat2Does) {
    if (by_kernel(root_.get(), "/", O_PATH) == "ENOSYS") SWRUN_SKIP() << "no openat2 here";
    const std::vector<std::string> plain = {
        "",
        "/",
        ".",
        "..",
        "/..",
        "//",
        "/../..",
        "/.",
        "a",
        "/a",
        "a/",
        "/a//b///c",
        "a/file",
        "a/file/",
        "a/file/.",
        "a/file/..",
        "a/./b/../file",
        "a/b/c/deep",
        "a/b/c/deep/x",
        "missing",
        "missing/",
        "missing/..",
        "a/missing/x",
        "../../../outside",
        "a/../../../../outside",
        "/a/b/../../../outside",
        "secret",
        "secret/",
        "secret/inner",
        "secret/..",
        "secret/.",
        std::string(300, 'n'),
        "a/" + std::string(5000, 'n'),
        std::string(4094, '/') + "a",
        std::string(4095, '/') + "a",
    };
    const std::vector<std::string> links = {
        "dir",         "dir/",
        "dir/c/deep",  "dir/..",
        "dir/../file", "short",
        "short/",      "short/x",
        "absolute",    "slash",
        "slash/",      "slash/slash/slash/a",
        "slash/..",    "a/b/up",
        "a/b/up/",     "escape",
        "escape/",     "loop",
        "loop/",       "loop/x",
        "through",     "file_slash",
        "dir_slash",   "dir_slash/c",
        "dangling",    "dangling/",
        "a/parent",    "a/parent/a/parent/a/file",
        "a/parent/..", "chain5",
        "chain6",      "chain4",
        "chain0",      "dir/../parent/../outside",
        "a/b/up/..",
    };
    compare(root_.get(), plain);
    compare(root_.get(), links);
}

// Root passes every permission: the same again as somebody else, where the test runs as root.
TEST_F(PathWalk, SearchPermission) {
    if (::geteuid() == 0) {
        fs::permissions(top_, fs::perms::all);
        ASSERT_EQ(::seteuid(65534), 0);
    }
    const std::string kernel = by_kernel(root_.get(), "secret/inner", O_PATH);
    const std::string walk = by_walk(root_.get(), "secret/inner", O_PATH);
    const std::string above = by_walk(root_.get(), "secret/../a", O_PATH);
    const std::string itself = by_walk(root_.get(), "secret/", O_PATH);
    ASSERT_TRUE(::getuid() != 0 || ::seteuid(0) == 0);
    EXPECT_TRUE(kernel == "EACCES" || kernel == "ENOSYS");
    EXPECT_EQ(walk, "EACCES");
    EXPECT_EQ(above, "EACCES");
    EXPECT_EQ(itself, by_walk(root_.get(), "secret", O_PATH));
}

TEST_F(PathWalk, NeverLeavesTheRoot) {
    const std::string inside = by_walk(root_.get(), "outside", O_PATH);
    struct stat st {};
    ASSERT_EQ(::stat((top_ / "outside").c_str(), &st), 0);
    EXPECT_NE(inside, std::to_string(st.st_dev) + ":" + std::to_string(st.st_ino));
    for (const char* path :
         {"../outside", "/../outside", "a/../../outside", "slash/../outside", "a/b/up", "a/parent/../outside"}) {
        EXPECT_EQ(by_walk(root_.get(), path, O_PATH), inside) << path;
    }
    EXPECT_EQ(by_walk(root_.get(), "escape", O_PATH), "ENOENT");
}

// A link that moves while it is walked: whatever is found, it lies inside.
TEST_F(PathWalk, ASwappedDirectoryDoesNotLeadOut) {
    const fs::path root = top_ / "root";
    const Result<Fd> before = walk_in_root(root_.get(), "a/b/c", O_PATH);
    ASSERT_TRUE(before);
    fs::rename(root / "a/b", top_ / "moved_out");
    EXPECT_EQ(by_walk(root_.get(), "a/b/c/../../file", O_PATH), "ENOENT");
    link("../../moved_out", root / "a/b");
    EXPECT_EQ(by_walk(root_.get(), "a/b/c", O_PATH), "ENOENT");
}

TEST_F(PathWalk, MagicLinksAreRefused) {
    const Fd host(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!fs::exists("/proc/self/fd")) SWRUN_SKIP() << "no /proc";
    for (const char* path : {"proc/self/root", "proc/self/root/etc", "proc/self/cwd", "proc/self/exe",
                             "proc/self/ns/mnt", "proc/self/fd/1"}) {
        EXPECT_EQ(by_walk(host.get(), path, O_PATH), "ELOOP") << path;
        EXPECT_NE(by_walk(host.get(), path, O_PATH | O_NOFOLLOW), "ENOENT") << path;
    }
    for (const char* path : {"proc/self/status", "proc/mounts", "proc/net/dev"}) {
        EXPECT_EQ(by_walk(host.get(), path, O_PATH), by_walk(host.get(), std::string("/") + path, O_PATH));
        EXPECT_NE(by_walk(host.get(), path, O_PATH).find(':'), std::string::npos) << path;
    }
}

TEST_F(PathWalk, LeavesNoDescriptorBehind) {
    const auto open_now = [] {
        return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
    };
    if (!fs::exists("/proc/self/fd")) SWRUN_SKIP() << "no /proc";
    const auto before = open_now();
    for (const char* path : {"/", "a/b/c/deep", "loop", "a/b/up", "chain0", "missing/x"})
        (void)by_walk(root_.get(), path, O_PATH);
    EXPECT_EQ(open_now(), before);
}

}  // namespace
}  // namespace swrun
