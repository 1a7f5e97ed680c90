#include "runtime/underlay.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <memory>

#include "mounts/kernel/mount_apply.h"
#include "mounts/kernel/mount_syscalls.h"

namespace swrun {
namespace {

Result<Fd> open_directory(int at, const std::string& name) {
    const int fd = ::openat(at, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return sys_error(Error::Kind::image, "open", name, errno);
    return Fd(fd);
}

Result<std::vector<std::string>> names_in(int directory) {
    // A second descriptor: closedir(3) closes the one it is given.
    SWRUN_TRY(Fd copy, open_directory(directory, "."));
    const std::unique_ptr<DIR, int (*)(DIR*)> list(::fdopendir(copy.get()), ::closedir);
    if (!list) return sys_error(Error::Kind::image, "read", "a directory of the image", errno);
    (void)copy.release();
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(list.get())) {
        const std::string name(entry->d_name);
        if (name != "." && name != "..") names.push_back(name);
    }
    return names;
}

Status repeat_link(int image, int under, const std::string& name) {
    std::array<char, PATH_MAX> target{};
    const ssize_t size = ::readlinkat(image, name.c_str(), target.data(), target.size() - 1);
    if (size < 0) return sys_error(Error::Kind::image, "readlink", name, errno);
    if (::symlinkat(target.data(), under, name.c_str()) != 0)
        return sys_error(Error::Kind::host, "symlink", name, errno);
    return {};
}

// A place of the same type, with the image's own entry bound on it.
Status bind_entry(int image, int under, const std::string& name, bool directory) {
    if (directory) {
        if (::mkdirat(under, name.c_str(), 0755) != 0) return sys_error(Error::Kind::host, "mkdir", name, errno);
    } else {
        const Fd file(::openat(under, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
        if (!file) return sys_error(Error::Kind::host, "create", name, errno);
    }
    const Fd source(::openat(image, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!source) return sys_error(Error::Kind::image, "open", name, errno);
    const Fd target(::openat(under, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!target) return sys_error(Error::Kind::host, "open", name, errno);
    SWRUN_TRY(const Fd mount, clone_mount_at(source.get(), "", false));
    return attach_mount(mount.get(), target.get(), name);
}

Status repeat_directory(int image, int under);

Status repeat_entry(int image, int under, const std::string& name) {
    struct stat there {};
    if (::fstatat(image, name.c_str(), &there, AT_SYMLINK_NOFOLLOW) != 0)
        return sys_error(Error::Kind::image, "stat", name, errno);
    struct stat ours {};
    if (::fstatat(under, name.c_str(), &ours, AT_SYMLINK_NOFOLLOW) != 0) {
        if (S_ISLNK(there.st_mode)) return repeat_link(image, under, name);
        return bind_entry(image, under, name, S_ISDIR(there.st_mode));
    }
    if (!S_ISDIR(there.st_mode) || !S_ISDIR(ours.st_mode)) return {};  // replaced
    SWRUN_TRY(const Fd below_image, open_directory(image, name));
    SWRUN_TRY(const Fd below_under, open_directory(under, name));
    return repeat_directory(below_image.get(), below_under.get());
}

Status repeat_directory(int image, int under) {
    SWRUN_TRY(const std::vector<std::string> names, names_in(image));
    for (const std::string& name : names) SWRUN_CHECK(repeat_entry(image, under, name));
    return {};
}

}  // namespace

Result<Fd> make_underlay(int session, const std::vector<Ghost>& ghosts) {
    if (::mkdirat(session, "underlay", 0755) != 0) return sys_error(Error::Kind::host, "mkdir", "underlay", errno);
    SWRUN_TRY(const Fd under, open_directory(session, "underlay"));
    SWRUN_TRY(const Fd image, open_directory(session, "image"));
    SWRUN_CHECK(write_ghosts(under.get(), ghosts));
    SWRUN_CHECK(repeat_directory(image.get(), under.get()));
    SWRUN_TRY(Fd root, clone_mount_at(under.get(), "", true));
    MountFlags flags;
    flags.read_only = true;
    flags.recursive = false;  // the binds are as the image is
    SWRUN_CHECK(restrict_mount(root.get(), flags, "underlay"));
    return root;
}

}  // namespace swrun
