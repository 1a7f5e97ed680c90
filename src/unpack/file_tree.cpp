#include "unpack/file_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>

#include "support/io.h"
#include "support/path.h"
#include "support/text.h"

namespace swrun {
namespace {

using Kind = SquashNode::Kind;

Error failed(const char* call, const std::string& name, int err) {
    return sys_error(Error::Kind::host, call, printable(name), err);
}

std::array<timespec, 2> times_of(const SquashNode& node) {
    const timespec at{static_cast<time_t>(node.mtime), 0};
    return {at, at};
}

// EINVAL: the id does not exist in this namespace.
bool owner_matters(int err) { return err != EINVAL && err != EPERM; }

// "a/b/c" -> the directory a/b and the name c.
struct Place {
    Fd directory;
    std::string name;
};

Result<Place> place_of(int root, const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const bool top = slash == std::string::npos;
    SWRUN_TRY(Fd directory, open_directory_below(root, top ? "" : path.substr(0, slash)));
    return Place{std::move(directory), top ? path : path.substr(slash + 1)};
}

Status add_ghost(int root, const Ghost& ghost) {
    SWRUN_TRY(const Place place, place_of(root, ghost.path.substr(ghost.path.find_first_not_of('/'))));
    const char* name = place.name.c_str();
    const int at = place.directory.get();
    if (ghost.kind == Ghost::Kind::directory) {
        if (::mkdirat(at, name, ghost.mode) == 0) return {};
        struct stat there {};
        if (errno != EEXIST) return failed("mkdir", ghost.path, errno);
        if (::fstatat(at, name, &there, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(there.st_mode)) return {};
        if (::unlinkat(at, name, 0) != 0) return failed("unlink", ghost.path, errno);
        if (::mkdirat(at, name, ghost.mode) != 0) return failed("mkdir", ghost.path, errno);
        return {};
    }
    if (::unlinkat(at, name, 0) != 0 && errno != ENOENT) return failed("unlink", ghost.path, errno);
    if (ghost.kind == Ghost::Kind::symlink) {
        if (::symlinkat(ghost.content.c_str(), at, name) != 0) return failed("symlink", ghost.path, errno);
        return {};
    }
    SWRUN_TRY(const Fd file, create_file(at, place.name));
    SWRUN_CHECK(write_all(file.get(), ghost.content, ghost.path));
    if (::fchmod(file.get(), ghost.mode) != 0) return failed("chmod", ghost.path, errno);
    return {};
}

Status remove_content(int directory, const std::string& name) {
    const int fd = ::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return failed("open", name, errno);
    const std::unique_ptr<DIR, int (*)(DIR*)> list(::fdopendir(fd), ::closedir);
    if (!list) {
        const int err = errno;
        ::close(fd);
        return failed("read", name, err);
    }
    while (const dirent* entry = ::readdir(list.get())) {
        const std::string inside(entry->d_name);
        if (inside == "." || inside == "..") continue;
        if (::unlinkat(fd, entry->d_name, 0) == 0) continue;
        const int err = errno;
        if (err != EISDIR && err != EPERM) return failed("unlink", inside, err);
        SWRUN_CHECK(remove_tree(fd, inside));
    }
    return {};
}

}  // namespace

Result<Fd> open_directory_below(int root, const std::string& path) {
    const std::vector<std::string_view> names = components(path);
    Fd directory;
    for (std::size_t i = 0; i < names.size() || i == 0; ++i) {
        const bool last = i + 1 >= names.size();
        const std::string name = names.empty() ? "." : std::string(names[i]);
        const int from = i == 0 ? root : directory.get();
        const int fd = ::openat(from, name.c_str(), (last ? O_RDONLY : O_PATH) | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0) return failed("open", path, errno);
        directory.reset(fd);
    }
    return directory;
}

Result<Fd> create_file(int directory, const std::string& name) {
    const int fd = ::openat(directory, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return failed("create", name, errno);
    return Fd(fd);
}

Result<bool> create_node(int directory, const std::string& name, const SquashNode& node,
                         const std::string& link_target) {
    const char* path = name.c_str();
    switch (node.kind) {
        case Kind::file: return make_error(Error::Kind::internal, "a file is no node: " + printable(name));
        case Kind::directory:
            if (::mkdirat(directory, path, 0700) != 0) return failed("mkdir", name, errno);
            return true;
        case Kind::symlink:
            if (::symlinkat(link_target.c_str(), directory, path) != 0) return failed("symlink", name, errno);
            return true;
        case Kind::fifo:
        case Kind::socket:
            if (::mknodat(directory, path, (node.kind == Kind::fifo ? S_IFIFO : S_IFSOCK) | 0600, 0) != 0)
                return failed("mknod", name, errno);
            return true;
        case Kind::block_device: return false;
        case Kind::char_device:
            // The mark by which a layer removes a name (overlayfs.rst, "whiteouts") is a device that anybody may
            // make, since Linux 5.8.
            if (node.major != 0 || node.minor != 0) return false;
            if (::mknodat(directory, path, S_IFCHR | 0600, makedev(0, 0)) == 0) return true;
            if (errno == EPERM) return false;
            return failed("mknod", name, errno);
    }
    return false;
}

Status set_attributes(int file, const SquashNode& node, const OwnerView& owners) {
    const std::string number = "inode " + std::to_string(node.number);
    if (owners.as_stored && ::fchown(file, node.uid, node.gid) != 0 && owner_matters(errno))
        return failed("chown", number, errno);
    // After chown(2), which takes the setuid bit away.
    if (::fchmod(file, node.mode) != 0) return failed("chmod", number, errno);
    if (::futimens(file, times_of(node).data()) != 0) return failed("utimens", number, errno);
    return {};
}

Status set_attributes_at(int directory, const std::string& name, const SquashNode& node, const OwnerView& owners) {
    const char* path = name.c_str();
    if (owners.as_stored && ::fchownat(directory, path, node.uid, node.gid, AT_SYMLINK_NOFOLLOW) != 0 &&
        owner_matters(errno)) {
        return failed("chown", name, errno);
    }
    // A link has no mode of its own; everything else here is no link, as it was made a moment ago.
    if (node.kind != Kind::symlink && ::fchmodat(directory, path, node.mode, 0) != 0)
        return failed("chmod", name, errno);
    if (::utimensat(directory, path, times_of(node).data(), AT_SYMLINK_NOFOLLOW) != 0)
        return failed("utimens", name, errno);
    return {};
}

Status add_link(int root, const std::string& from, const std::string& to) {
    SWRUN_TRY(const Place old, place_of(root, from));
    SWRUN_TRY(const Place place, place_of(root, to));
    if (::linkat(old.directory.get(), old.name.c_str(), place.directory.get(), place.name.c_str(), 0) != 0)
        return failed("link", to, errno);
    return {};
}

Status add_ghosts(int root, std::span<const Ghost> ghosts) {
    for (const Ghost& ghost : ghosts) SWRUN_CHECK(add_ghost(root, ghost));
    return {};
}

Status remove_tree(int parent, const std::string& name) {
    struct stat there {};
    if (::fstatat(parent, name.c_str(), &there, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) return {};
        return failed("stat", name, errno);
    }
    if (!S_ISDIR(there.st_mode)) {
        if (::unlinkat(parent, name.c_str(), 0) != 0) return failed("unlink", name, errno);
        return {};
    }
    if ((there.st_mode & 0700) != 0700) (void)::fchmodat(parent, name.c_str(), 0700, 0);
    SWRUN_CHECK(remove_content(parent, name));
    if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0) return failed("rmdir", name, errno);
    return {};
}

}  // namespace swrun
