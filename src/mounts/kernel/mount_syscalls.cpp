#include "mounts/kernel/mount_syscalls.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "mounts/kernel/mount_classic.h"
#include "mounts/kernel/path_walk.h"
#include "mounts/kernel/refusals.h"
#include "support/descriptors.h"

namespace swrun {
namespace {

// What this kernel has answered with ENOSYS so far.  A call is tried until then and never again after.
struct Missing {
    bool open_tree = false;
    bool mount_setattr = false;
    bool fsopen = false;
    bool move_mount = false;
    bool openat2 = false;
};
Missing missing;

// Notes that a call has failed because the kernel lacks it.
bool lacks(bool& call, int err) {
    if (err == ENOSYS) call = true;
    return call;
}

// glibc 2.36 declares some of these, older ones none: the numbers are the same on all architectures.
long sys_open_tree(int dir, const char* path, unsigned flags) { return ::syscall(SYS_open_tree, dir, path, flags); }

unsigned long attributes_of(const MountFlags& flags) {
    unsigned long attributes = 0;
    if (flags.read_only) attributes |= MOUNT_ATTR_RDONLY;
    if (flags.no_suid) attributes |= MOUNT_ATTR_NOSUID;
    if (flags.no_dev) attributes |= MOUNT_ATTR_NODEV;
    if (flags.no_exec) attributes |= MOUNT_ATTR_NOEXEC;
    return attributes;
}

// The kernel writes what it disliked into the fs context: one "e text" line per read(2).
std::string context_messages(int context) {
    std::string text;
    char line[256];
    for (;;) {
        const ssize_t count = ::read(context, line, sizeof line);
        if (count <= 2) return text;
        text.append(text.empty() ? " (" : "; ").append(line + 2, static_cast<std::size_t>(count) - 2);
        while (!text.empty() && text.back() == '\n') text.pop_back();
    }
}

Error refused(KernelCall kind, std::string_view call, std::string_view object, int err) {
    return with_refusal_hint(sys_error(Error::Kind::host, call, object, err), kind);
}

template <class T> Result<T> with_hints(KernelCall kind, Result<T> result) {
    if (!result) result.error() = with_refusal_hint(std::move(result.error()), kind);
    return result;
}

KernelCall kind_of(const std::string& type) {
    if (type == "fuse") return KernelCall::fuse_mount;
    if (type == "overlay") return KernelCall::overlay;
    return type == "tmpfs" ? KernelCall::make_tmpfs : KernelCall::make_other;
}

Error context_error(std::string_view call, const std::string& type, int context, int err) {
    Error error = refused(kind_of(type), call, type, err);
    std::string said = context_messages(context);
    if (!said.empty()) error.message.append(said.append(")"));
    return error;
}

// From Linux 5.2 to 5.11 clones are detached and cannot be remounted (EINVAL, they are in no namespace): they
// go into the scratch first, and from there to their target as they would have gone anyway.
Status restrict_by_remount(int mount, const MountFlags& flags, std::string_view name) {
    if (!missing.open_tree) {
        struct stat status {};
        if (::fstat(mount, &status) != 0) return sys_error(Error::Kind::host, "fstat", name, errno);
        SWRUN_TRY(const Fd place, classic_place(S_ISDIR(status.st_mode)));
        SWRUN_CHECK(attach_mount(mount, place.get(), name));
    }
    return classic_restrict(mount, flags, name);
}

}  // namespace

Result<Fd> clone_mount(const std::string& path, bool recursive) { return clone_mount_at(AT_FDCWD, path, recursive); }

Result<Fd> clone_mount_at(int directory, const std::string& path, bool recursive) {
    const auto classic = [&] { return with_hints(KernelCall::clone_mount, classic_clone(directory, path, recursive)); };
    if (missing.open_tree) return classic();
    unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
    if (recursive) flags |= AT_RECURSIVE;
    if (path.empty()) flags |= AT_EMPTY_PATH;
    const long fd = with_room([&] { return sys_open_tree(directory, path.c_str(), flags); });
    const int err = errno;
    if (fd >= 0) return Fd(static_cast<int>(fd));
    if (lacks(missing.open_tree, err)) return classic();
    return refused(KernelCall::clone_mount, "open_tree", path, err);
}

Status restrict_mount(int mount, const MountFlags& flags, std::string_view name) {
    mount_attr attributes{};
    attributes.attr_set = attributes_of(flags);
    if (attributes.attr_set == 0) return {};
    const auto classic = [&] {
        return with_hints(KernelCall::restrict_mount, restrict_by_remount(mount, flags, name));
    };
    if (missing.mount_setattr) return classic();
    const unsigned how = AT_EMPTY_PATH | (flags.recursive ? static_cast<unsigned>(AT_RECURSIVE) : 0U);
    if (::syscall(SYS_mount_setattr, mount, "", how, &attributes, sizeof attributes) == 0) return {};
    const int err = errno;
    if (lacks(missing.mount_setattr, err)) return classic();
    return refused(KernelCall::restrict_mount, "mount_setattr", name, err);
}

namespace {

// ENOSYS: the kernel has no such calls.
Result<Fd> make_by_context(const std::string& type, const std::vector<FsOption>& options, const MountFlags& flags) {
    const Fd context(static_cast<int>(::syscall(SYS_fsopen, type.c_str(), FSOPEN_CLOEXEC)));
    if (!context) return refused(kind_of(type), "fsopen", type, errno);
    for (const FsOption& option : options) {
        const bool flag = option.value.empty();
        const long set = ::syscall(SYS_fsconfig, context.get(), flag ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING,
                                   option.key.c_str(), flag ? nullptr : option.value.c_str(), 0);
        if (set != 0) return context_error("fsconfig " + option.key + " of", type, context.get(), errno);
    }
    if (::syscall(SYS_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
        return context_error("mount", type, context.get(), errno);
    }
    const long mount = ::syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, attributes_of(flags));
    if (mount < 0) return context_error("fsmount", type, context.get(), errno);
    return Fd(static_cast<int>(mount));
}

}  // namespace

Result<Fd> make_mount(const std::string& type, const std::vector<FsOption>& options, const MountFlags& flags) {
    const auto classic = [&] { return with_hints(kind_of(type), classic_make(type, options, flags)); };
    if (missing.fsopen) return classic();
    Result<Fd> made = make_by_context(type, options, flags);
    if (made) return made;
    if (lacks(missing.fsopen, made.error().sys_errno)) return classic();
    // All of it again: a context whose mount found no number cannot give another (EBUSY).
    if (made.error().sys_errno != EMFILE || !raise_descriptor_limit()) return made;
    if (type == "fuse") return made;  // its device is used up (ENOTCONN): the caller has to open another
    return make_by_context(type, options, flags);
}

Status attach_mount(int mount, int target, std::string_view name) {
    const auto classic = [&] { return with_hints(KernelCall::attach_mount, classic_attach(mount, target, name)); };
    if (missing.move_mount) return classic();
    const unsigned how = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
    if (::syscall(SYS_move_mount, mount, "", target, "", how) == 0) return {};
    const int err = errno;
    if (lacks(missing.move_mount, err)) return classic();
    return refused(KernelCall::attach_mount, "move_mount to", name, err);
}

Result<std::string> park_mount(Fd mount, std::string_view name) {
    struct stat status {};
    if (::fstat(mount.get(), &status) != 0) return sys_error(Error::Kind::host, "fstat", name, errno);
    SWRUN_TRY(std::string place, classic_park(S_ISDIR(status.st_mode)));
    SWRUN_TRY(const Fd target, classic_open(place));
    SWRUN_CHECK(attach_mount(mount.get(), target.get(), name));
    return place;
}

Result<Fd> take_parked(const std::string& place) { return classic_open(place); }

Result<Fd> open_in_root(int root, const std::string& path, int flags) {
    if (missing.openat2) return walk_in_root(root, path, flags);
    open_how how{};
    how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    for (;;) {
        const long fd = with_room([&] { return ::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how); });
        if (fd >= 0) return Fd(static_cast<int>(fd));
        const int err = errno;
        if (err == EAGAIN) continue;  // a rename raced with "..": openat2(2) says try again
        if (lacks(missing.openat2, err)) return walk_in_root(root, path, flags);
        return sys_error(Error::Kind::host, "open", path, err);
    }
}

Status make_mounts_slave() {
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) {
        return refused(KernelCall::propagation, "mount MS_SLAVE", "/", errno);
    }
    return {};
}

Status unmount_here(std::string_view name) {
    if (::umount2(".", MNT_DETACH) != 0) return refused(KernelCall::switch_root, "umount", name, errno);
    return {};
}

Status switch_root(int root) {
    SWRUN_CHECK(classic_leave());
    if (::fchdir(root) != 0) return sys_error(Error::Kind::host, "fchdir", "the new root", errno);
    // With both arguments "." the old root ends up stacked on the new one, so no directory for it is
    // needed inside the (read-only) image: pivot_root(2), "pivot_root(".", ".")".
    if (::syscall(SYS_pivot_root, ".", ".") != 0) return refused(KernelCall::switch_root, "pivot_root", ".", errno);
    SWRUN_CHECK(unmount_here("the old root"));
    if (::chdir("/") != 0) return sys_error(Error::Kind::host, "chdir", "/", errno);
    return {};
}

std::vector<std::string> missing_mount_calls() {
    std::vector<std::string> names;
    const auto check = [&](const char* name, long result) {
        if (result < 0 && errno == ENOSYS) names.emplace_back(name);
    };
    check("open_tree", sys_open_tree(-1, "", ~0U));
    check("move_mount", ::syscall(SYS_move_mount, -1, "", -1, "", ~0U));
    check("fsopen", ::syscall(SYS_fsopen, nullptr, ~0U));
    check("mount_setattr", ::syscall(SYS_mount_setattr, -1, "", ~0U, nullptr, 0));
    check("openat2", ::syscall(SYS_openat2, -1, "", nullptr, 0));
    return names;
}

}  // namespace swrun
