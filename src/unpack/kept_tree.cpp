#include "unpack/kept_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <memory>
#include <vector>

#include "support/io.h"
#include "support/log.h"
#include "support/path.h"
#include "support/text.h"
#include "unpack/file_tree.h"

namespace swrun {
namespace {

constexpr const char* kMark = "image";  // holds the identity
constexpr const char* kRoot = "root";
constexpr std::size_t kMaxMark = 16384;

std::string hex(std::uint64_t number) {
    char text[20];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(number));
    return text;
}

// FNV-1a.  Need not be more: the identity itself is compared as well.
std::string key_of(const std::string& identity) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char c : identity) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    return hex(hash);
}

std::string unique_suffix() {
    std::uint64_t number = 0;
    if (::getrandom(&number, sizeof number, 0) != static_cast<ssize_t>(sizeof number))
        number = static_cast<std::uint64_t>(::getpid());
    return hex(number);
}

Result<Fd> open_own_directory(int at, const std::string& name, const std::string& path) {
    Fd directory(::openat(at, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory) return sys_error(Error::Kind::request, "open", path, errno);
    struct stat there {};
    if (::fstat(directory.get(), &there) != 0) return sys_error(Error::Kind::host, "stat", path, errno);
    if (there.st_uid != ::geteuid()) return make_error(Error::Kind::request, path + " belongs to somebody else");
    if ((there.st_mode & 0777) != 0700 && ::fchmod(directory.get(), 0700) != 0)
        return sys_error(Error::Kind::request, "chmod", path, errno);
    return directory;
}

bool is_own_directory(int at, const char* name, struct stat& there) {
    return ::fstatat(at, name, &there, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(there.st_mode) &&
           there.st_uid == ::geteuid();
}

std::vector<std::string> names_in(int directory) {
    std::vector<std::string> names;
    const int fd = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return names;
    const std::unique_ptr<DIR, int (*)(DIR*)> list(::fdopendir(fd), ::closedir);
    if (!list) {
        ::close(fd);
        return names;
    }
    while (const dirent* entry = ::readdir(list.get())) names.emplace_back(entry->d_name);
    return names;
}

}  // namespace

Result<std::string> image_identity(int fd, std::uint64_t offset, std::uint64_t size, const std::string& part) {
    struct stat file {};
    if (::fstat(fd, &file) != 0) return sys_error(Error::Kind::image, "stat", "the image", errno);
    std::array<char, PATH_MAX> path{};
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    if (::readlink(link.c_str(), path.data(), path.size() - 1) < 0)
        return sys_error(Error::Kind::host, "readlink", link, errno);
    return "image " + shell_quote(path.data()) + "\nsize " + std::to_string(file.st_size) + "\nmodified " +
           std::to_string(file.st_mtim.tv_sec) + "." + std::to_string(file.st_mtim.tv_nsec) + "\ninode " +
           std::to_string(file.st_ino) + "\nfile system " + std::to_string(offset) + "+" + std::to_string(size) +
           "\npart " + shell_quote(part) + "\nlayout 1\n";
}

Result<KeptTrees> KeptTrees::open(const std::string& directory) {
    if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
        return sys_error(Error::Kind::request, "mkdir", directory, errno);
    const Fd top(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!top) return sys_error(Error::Kind::request, "open", directory, errno);
    const std::string name = std::to_string(::geteuid());
    const std::string path = join_path(directory, name);
    if (::mkdirat(top.get(), name.c_str(), 0700) != 0 && errno != EEXIST)
        return sys_error(Error::Kind::request, "mkdir", path, errno);
    SWRUN_TRY(Fd own, open_own_directory(top.get(), name, path));
    return KeptTrees(std::move(own), path);
}

bool KeptTrees::find(const std::string& key, const std::string& identity, KeptTree& found) const {
    struct stat there {};
    if (!is_own_directory(directory_.get(), key.c_str(), there)) return false;
    const Fd tree(::openat(directory_.get(), key.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!tree || !is_own_directory(tree.get(), kRoot, there)) return false;
    const Fd mark(::openat(tree.get(), kMark, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!mark || read_all(mark.get(), kMark, kMaxMark).value_or(std::string()) != identity) return false;
    found = {path_ + "/" + key + "/" + kRoot, there.st_dev, there.st_ino};
    return true;
}

// Without a descriptor where the file system has no locks.
Fd KeptTrees::lock(const std::string& key, const std::string& name) const {
    Fd file(::openat(directory_.get(), (key + ".lock").c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) return {};
    if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return file;
    if (errno != EWOULDBLOCK) return {};
    log_info("waiting for another launch that unpacks " + printable(name));
    while (::flock(file.get(), LOCK_EX) != 0) {
        if (errno != EINTR) return {};
    }
    return file;
}

// Of launches that were killed: with the lock held nobody works on them.
void KeptTrees::remove_remains(const std::string& key) const {
    for (const std::string& name : names_in(directory_.get())) {
        if (name.starts_with(key + ".") && name != key + ".lock") (void)remove_tree(directory_.get(), name);
    }
}

Status KeptTrees::make(const std::string& temporary, const std::string& identity,
                       const std::function<Status(int directory)>& fill) const {
    if (::mkdirat(directory_.get(), temporary.c_str(), 0700) != 0)
        return sys_error(Error::Kind::request, "mkdir", path_ + "/" + temporary, errno);
    SWRUN_TRY(const Fd tree, open_own_directory(directory_.get(), temporary, path_ + "/" + temporary));
    if (::mkdirat(tree.get(), kRoot, 0700) != 0) return sys_error(Error::Kind::host, "mkdir", kRoot, errno);
    SWRUN_TRY(const Fd root, open_own_directory(tree.get(), kRoot, kRoot));
    SWRUN_CHECK(fill(root.get()));
    // The mark must not reach the disk before the files: a crash in between would leave a tree that looks whole.
    if (::syncfs(root.get()) != 0) return sys_error(Error::Kind::host, "syncfs", path_, errno);
    SWRUN_TRY(const Fd mark, create_file(tree.get(), kMark));
    return write_all(mark.get(), identity, kMark);
}

Status KeptTrees::put_in_place(const std::string& temporary, const std::string& key,
                               const std::string& identity) const {
    const int at = directory_.get();
    if (::renameat(at, temporary.c_str(), at, key.c_str()) == 0) return {};
    const int err = errno;
    if (err != EEXIST && err != ENOTEMPTY && err != ENOTDIR)
        return sys_error(Error::Kind::host, "rename", path_ + "/" + temporary, err);
    KeptTree other;
    if (find(key, identity, other)) return remove_tree(at, temporary);  // somebody was faster
    const std::string old = key + "." + unique_suffix();
    if (::renameat(at, key.c_str(), at, old.c_str()) != 0 || ::renameat(at, temporary.c_str(), at, key.c_str()) != 0)
        return sys_error(Error::Kind::host, "rename", path_ + "/" + key, errno);
    return remove_tree(at, old);
}

Result<KeptTree> KeptTrees::get(const std::string& identity, const std::string& name,
                                const std::function<Status(int directory)>& fill) const {
    const std::string key = key_of(identity);
    KeptTree found;
    if (find(key, identity, found)) return found;
    const Fd lock_held = lock(key, name);
    if (find(key, identity, found)) return found;
    if (lock_held) remove_remains(key);
    const std::string temporary = key + "." + unique_suffix();
    Status made = make(temporary, identity, fill);
    if (made) made = put_in_place(temporary, key, identity);
    if (!made) {
        (void)remove_tree(directory_.get(), temporary);
        return std::move(made).error();
    }
    if (find(key, identity, found)) return found;
    return make_error(Error::Kind::host, "the unpacked image vanished from " + path_);
}

}  // namespace swrun
