#include "mounts/kernel/mount_classic.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "mounts/kernel/mount_lines.h"
#include "support/descriptors.h"
#include "support/io.h"

namespace swrun {
namespace {

constexpr int kDirectory = O_PATH | O_DIRECTORY | O_CLOEXEC;
constexpr std::size_t kMaxTable = 64U << 20U;

// One per process, as long as it lives in its mount namespace.
struct Scratch {
    Fd root;
    Fd mounts;  // mountinfo as seen from the scratch's root, so that the mounts in it are listed
    int used = 0;
};

Scratch& the_scratch() {
    static Scratch scratch;
    return scratch;
}

std::string fd_path(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

Error failed(std::string_view call, std::string_view object, int err) {
    return sys_error(Error::Kind::host, call, object, err);
}

// An attached tmpfs hides what lies under it, or is copied by a recursive bind of what lies above it.  So it
// is put above the root: it becomes the namespace's root, the host's tree hangs below it, and this process
// goes back there with chroot(2).  No path leads to it: ".." ends at a process's root.
//
// Each step, and what the kernel says without it:
// - mounted over "/", a mount point that surely exists; our own root lies below it and does not see it, but
//   "/.." goes up into it (path_resolution(7): mounts are crossed after "..");
// - pivot_root wants a mount (EINVAL) whose parent is not shared (EINVAL): ours are slaves of the host's;
// - chroot by descriptor: a layer session may lie over "/", and by name we would end in it.
Status raise_scratch(Scratch& scratch) {
    const Fd start(with_room([] { return ::open(".", kDirectory); }));
    const Fd host(with_room([] { return ::open("/", kDirectory); }));
    if (!host) return failed("open", "/", errno);
    if (::mount("swrun", "/", "tmpfs", MS_NOSUID | MS_NODEV, "mode=700") != 0) return failed("mount", "tmpfs", errno);
    Fd root(with_room([] { return ::open("/..", kDirectory); }));
    if (!root) return failed("open", "/..", errno);
    if (::mkdirat(root.get(), "host", 0700) != 0) return failed("mkdir", "host", errno);
    if (::fchdir(root.get()) != 0) return failed("fchdir", "the mount scratch", errno);
    if (::syscall(SYS_pivot_root, ".", "host") != 0) return failed("pivot_root", "the mount scratch", errno);
    // Remembers the root of now.
    scratch.mounts = Fd(with_room([&] { return ::openat(host.get(), "proc/self/mountinfo", O_RDONLY | O_CLOEXEC); }));
    const int err = errno;
    if (::fchdir(host.get()) != 0 || ::chroot(".") != 0) return failed("chroot", "/", errno);
    if (start && ::fchdir(start.get()) != 0) return failed("fchdir", ".", errno);
    if (!scratch.mounts)
        return failed("open", "/proc/self/mountinfo", err).with_hint("mounts on this kernel need /proc");
    scratch.root = std::move(root);
    return {};
}

Result<Scratch*> use_scratch() {
    Scratch& scratch = the_scratch();
    if (!scratch.root) SWRUN_CHECK(raise_scratch(scratch));
    return &scratch;
}

// Opened by name after a mount there, it is the mount.
Result<Fd> open_place(const Scratch& scratch, const std::string& name) {
    Fd fd(with_room([&] { return ::openat(scratch.root.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC); }));
    if (!fd) return failed("open", name, errno);
    return fd;
}

// mount(2) wants a directory on a directory and anything else on anything else (ENOTDIR).
Result<std::string> make_place(Scratch& scratch, bool directory) {
    std::string name = std::to_string(++scratch.used);
    if (directory) {
        if (::mkdirat(scratch.root.get(), name.c_str(), 0700) != 0) return failed("mkdir", "a mount point", errno);
        return name;
    }
    const Fd file(::openat(scratch.root.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file) return failed("create", "a mount point", errno);
    return name;
}

Result<int> mount_id(int fd) {
    SWRUN_TRY(const std::string info, read_file("/proc/self/fdinfo/" + std::to_string(fd), 65536));
    return mount_id_of(info);
}

unsigned long flags_of(const MountFlags& flags) {
    unsigned long bits = 0;
    if (flags.read_only) bits |= MS_RDONLY;
    if (flags.no_suid) bits |= MS_NOSUID;
    if (flags.no_dev) bits |= MS_NODEV;
    if (flags.no_exec) bits |= MS_NOEXEC;
    return bits;
}

// A remount sets all flags anew: leaving out one that the mount came with is EPERM in a user namespace
// (they are locked, mount_namespaces(7)).  Access times need no word: naming none keeps what is (since 3.17).
Status add_flags(int mount, unsigned long present, unsigned long wanted, std::string_view name) {
    if ((present & wanted) == wanted) return {};
    if (::mount(nullptr, fd_path(mount).c_str(), nullptr, MS_REMOUNT | MS_BIND | present | wanted, nullptr) != 0) {
        return failed("remount", name, errno);
    }
    return {};
}

}  // namespace

Result<Fd> classic_clone(int directory, const std::string& path, bool recursive) {
    std::string source = path;
    if (directory != AT_FDCWD) source = fd_path(directory) + (path.empty() ? "" : "/" + path);
    struct stat status {};
    if (::stat(source.c_str(), &status) != 0) return failed("bind", path, errno);
    SWRUN_TRY(Scratch * scratch, use_scratch());
    SWRUN_TRY(const std::string place, make_place(*scratch, S_ISDIR(status.st_mode)));
    // By path and not by a descriptor opened before: only this lookup sets off an automount at its end.
    const std::string target = fd_path(scratch->root.get()) + '/' + place;
    const unsigned long how = recursive ? MS_BIND | MS_REC : MS_BIND;
    if (::mount(source.c_str(), target.c_str(), nullptr, how, nullptr) != 0) return failed("bind", path, errno);
    return open_place(*scratch, place);
}

ClassicOptions classic_options(const std::vector<FsOption>& options, const MountFlags& flags) {
    ClassicOptions classic;
    classic.flags = flags_of(flags);
    for (const FsOption& option : options) {
        if (option.key == "source") {
            classic.source = option.value;
        } else if (option.key == "ro") {
            classic.flags |= MS_RDONLY;  // in the text it would be an unknown option of the file system: EINVAL
        } else {
            if (!classic.data.empty()) classic.data.push_back(',');
            classic.data.append(option.key);
            if (!option.value.empty()) classic.data.append("=").append(option.value);
        }
    }
    return classic;
}

Result<Fd> classic_make(const std::string& type, const std::vector<FsOption>& options, const MountFlags& flags) {
    const ClassicOptions classic = classic_options(options, flags);
    SWRUN_TRY(Scratch * scratch, use_scratch());
    SWRUN_TRY(const std::string place, make_place(*scratch, true));
    const std::string target = fd_path(scratch->root.get()) + '/' + place;
    if (::mount(classic.source.c_str(), target.c_str(), type.c_str(), classic.flags, classic.data.c_str()) != 0) {
        return failed("mount", type, errno);
    }
    return open_place(*scratch, place);
}

Result<std::string> classic_park(bool directory) {
    SWRUN_TRY(Scratch * scratch, use_scratch());
    return make_place(*scratch, directory);
}

Result<Fd> classic_open(const std::string& place) { return open_place(the_scratch(), place); }

Result<Fd> classic_place(bool directory) {
    SWRUN_TRY(const std::string place, classic_park(directory));
    return classic_open(place);
}

Status classic_restrict(int mount, const MountFlags& flags, std::string_view name) {
    const unsigned long wanted = flags_of(flags);
    SWRUN_TRY(const Scratch* scratch, use_scratch());
    if (::lseek(scratch->mounts.get(), 0, SEEK_SET) != 0) return failed("lseek", "/proc/self/mountinfo", errno);
    SWRUN_TRY(const std::string text, read_all(scratch->mounts.get(), "/proc/self/mountinfo", kMaxTable));
    SWRUN_TRY(const int id, mount_id(mount));
    const std::vector<MountLine> table = mounts_below(parse_mount_lines(text), id, flags.recursive);
    if (table.empty()) return failed("remount", name, EINVAL);
    SWRUN_CHECK(add_flags(mount, table[0].flags, wanted, name));
    for (std::size_t i = 1; i < table.size(); ++i) {
        // The id tells whether it is this mount: another may cover it, which then has a line of its own.
        const Fd below(::openat(scratch->root.get(), table[i].point.c_str() + 1, O_PATH | O_NOFOLLOW | O_CLOEXEC));
        if (!below && errno == EMFILE) return failed("open", table[i].point, errno);
        if (!below) continue;
        SWRUN_TRY(const int there, mount_id(below.get()));
        if (there != table[i].id) continue;
        SWRUN_CHECK(add_flags(below.get(), table[i].flags, wanted, name));
    }
    return {};
}

Status classic_attach(int mount, int target, std::string_view name) {
    // Moving wants a parent that is not shared (EINVAL): the scratch is private, a tmpfs of ours.
    if (::mount(fd_path(mount).c_str(), fd_path(target).c_str(), nullptr, MS_MOVE, nullptr) != 0) {
        return failed("mount MS_MOVE to", name, errno);
    }
    return {};
}

Status classic_leave() {
    Scratch& scratch = the_scratch();
    if (!scratch.root) return {};
    if (::fchdir(scratch.root.get()) != 0 || ::chroot(".") != 0) return failed("chroot", "the mount scratch", errno);
    scratch = Scratch{};
    return {};
}

}  // namespace swrun
