#include "mounts/kernel/mount_apply.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "mounts/kernel/caller_rights.h"
#include "mounts/kernel/mount_syscalls.h"
#include "support/io.h"
#include "support/path.h"

namespace swrun {
namespace {

std::string octal(std::uint32_t mode) {
    char text[16];
    std::snprintf(text, sizeof text, "%o", mode);
    return text;
}

std::string describe(const MountOp& op) {
    const std::string from = "(from " + to_text(op.origin) + ")";
    switch (op.kind) {
        case MountOp::Kind::image: return "mounting the image " + op.source + " at " + op.target + " " + from;
        case MountOp::Kind::bind: return "binding " + op.source + " to " + op.target + " " + from;
        case MountOp::Kind::generated: return "placing the generated " + op.target + " " + from;
        case MountOp::Kind::fuse:
        case MountOp::Kind::tmpfs:
        case MountOp::Kind::proc:
        case MountOp::Kind::sysfs:
        case MountOp::Kind::devpts:
        case MountOp::Kind::mqueue: return "mounting " + op.target + " " + from;
    }
    return op.target;
}

// mkdir -p for --workdir; a directory that is there already is kept as it is.
Status make_source(const MountOp& op) {
    for (std::size_t end = op.source.find('/', 1); end != std::string::npos; end = op.source.find('/', end + 1)) {
        const std::string up = op.source.substr(0, end);
        if (::mkdir(up.c_str(), 0750) != 0 && errno != EEXIST)
            return sys_error(Error::Kind::request, "mkdir", up, errno);
    }
    if (::mkdir(op.source.c_str(), 0700) != 0) {
        const int err = errno;
        if (err == EEXIST) return {};
        return sys_error(Error::Kind::request, "mkdir", op.source, err);
    }
    if (::chmod(op.source.c_str(), op.mode) != 0) return sys_error(Error::Kind::request, "chmod", op.source, errno);
    return {};
}

Result<Fd> capture_bind(const MountOp& op, bool overrides_modes) {
    if (op.create_source) {
        const CallerRights rights(overrides_modes);
        SWRUN_CHECK(make_source(op));
    }
    SWRUN_TRY(Fd mount, clone_mount(op.source, op.flags.recursive));
    SWRUN_CHECK(restrict_mount(mount.get(), op.flags, op.source));
    return mount;
}

Result<Fd> make_tmpfs(const MountOp& op) {
    SWRUN_TRY(Fd mount, make_mount("tmpfs", {{"source", "swrun"}, {"mode", octal(op.mode)}}, op.flags));
    SWRUN_CHECK(write_ghosts(mount.get(), op.content));
    return mount;
}

// A file of ours bound over one of the image, for roots that cannot hold ghosts: the tmpfs around it
// is dissolved at once and lives on through the clone.
Result<Fd> make_generated(const MountOp& op) {
    SWRUN_TRY(const Fd tmpfs, make_mount("tmpfs", {{"source", "swrun"}, {"mode", "755"}}, op.flags));
    SWRUN_CHECK(write_ghosts(tmpfs.get(), op.content));
    return clone_mount_at(tmpfs.get(), op.content.at(0).path, false);
}

Result<Fd> capture_one(const MountOp& op, bool overrides_modes) {
    switch (op.kind) {
        case MountOp::Kind::bind: return capture_bind(op, overrides_modes);
        case MountOp::Kind::image:
        case MountOp::Kind::fuse: break;  // mounted already, with its server or program
        case MountOp::Kind::tmpfs: return make_tmpfs(op);
        case MountOp::Kind::generated: return make_generated(op);
        case MountOp::Kind::proc: return make_mount("proc", {{"source", "proc"}}, op.flags);
        case MountOp::Kind::sysfs: return make_mount("sysfs", {{"source", "sysfs"}}, op.flags);
        case MountOp::Kind::mqueue: return make_mount("mqueue", {{"source", "mqueue"}}, op.flags);
        case MountOp::Kind::devpts:
            // Every mount of devpts in a user namespace is a new instance; gid 5 is not mapped there.
            return make_mount("devpts", {{"source", "devpts"}, {"mode", "620"}, {"ptmxmode", "666"}}, op.flags);
    }
    return make_error(Error::Kind::internal, "unknown kind of mount");
}

// The kernel refuses a new proc in a user namespace where the visible one has parts mounted over
// (EPERM, mnt_already_visible): the caller's own proc is the next best.
Result<Fd> capture_with_fallback(const MountOp& op, bool overrides_modes, std::vector<Note>& notes) {
    Result<Fd> mount = capture_one(op, overrides_modes);
    if (mount || op.kind != MountOp::Kind::proc || mount.error().sys_errno != EPERM) return mount;
    notes.push_back(
        {Level::warning, "a new /proc is refused here (masked by an outer container): the outer one is shown"});
    return clone_mount("/proc", true);
}

Status make_target(int root, const MountOp& op) {
    const std::string parent(parent_path(op.target));
    Result<Fd> directory = open_in_root(root, parent, O_PATH | O_DIRECTORY);
    if (!directory && directory.error().sys_errno == ENOENT) {
        MountOp up = op;
        up.target = parent;
        up.target_is_dir = true;
        SWRUN_CHECK(make_target(root, up));
        directory = open_in_root(root, parent, O_PATH | O_DIRECTORY);
    }
    if (!directory) return std::move(directory).error();
    const std::string name(base_name(op.target));
    if (op.target_is_dir) {
        if (::mkdirat(directory->get(), name.c_str(), 0755) != 0 && errno != EEXIST) {
            return sys_error(Error::Kind::request, "mkdir", op.target, errno);
        }
        return {};
    }
    const Fd file(::openat(directory->get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (!file && errno != EEXIST) return sys_error(Error::Kind::request, "create", op.target, errno);
    return {};
}

// A mount point below a bound directory of the host.
Status make_asked_target(int root, const MountOp& op, bool overrides_modes) {
    const CallerRights rights(overrides_modes);
    Status made = make_target(root, op);
    if (made) return made;
    const int err = made.error().sys_errno;
    if (err != EACCES && err != EPERM && err != EROFS) return made;
    made.error().with_hint("what is bound there lacks the mount point, and you cannot make it: make it before");
    return made;
}

Status attach_one(int root, const Captured& captured, bool overrides_modes) {
    const MountOp& op = *captured.op;
    Result<Fd> target = open_in_root(root, op.target, O_PATH);
    if (!target && target.error().sys_errno == ENOENT && op.create_target) {
        SWRUN_CHECK(make_asked_target(root, op, overrides_modes));
        target = open_in_root(root, op.target, O_PATH);
    }
    if (!target) {
        Error error = std::move(target).error();
        if (error.sys_errno == ENOENT) error.message = "destination " + op.target + " doesn't exist in container";
        return error;
    }
    Status attached = attach_mount(captured.mount.get(), target->get(), op.target);
    if (!attached && attached.error().sys_errno == ENOTDIR) {
        attached.error().with_hint("a directory can only be bound on a directory, a file on a file");
    }
    return attached;
}

}  // namespace

Result<std::vector<Captured>> capture_mounts(const std::vector<MountOp>& ops, std::vector<Fd>& images,
                                             std::vector<Fd>& fuse_mounts, bool overrides_modes,
                                             std::vector<Note>& notes) {
    std::vector<Captured> captured;
    captured.reserve(ops.size());
    for (const MountOp& op : ops) {
        if (op.kind == MountOp::Kind::image) {
            captured.push_back({&op, std::move(images.at(op.image_mount))});
            continue;
        }
        if (op.kind == MountOp::Kind::fuse) {
            captured.push_back({&op, std::move(fuse_mounts.at(op.fuse_mount))});
            continue;
        }
        Result<Fd> mount = capture_with_fallback(op, overrides_modes, notes);
        if (mount) {
            captured.push_back({&op, std::move(mount).value()});
            continue;
        }
        mount.error().add_context(describe(op));
        if (op.required) return std::move(mount).error();
        const Level level = op.warned_of ? Level::warning : Level::verbose;
        notes.push_back({level, "skipped: " + format_error(mount.error())});
    }
    return captured;
}

Status attach_mounts(int root, std::vector<Captured>& captured, bool overrides_modes, std::vector<Note>& notes) {
    for (Captured& one : captured) {
        Status attached = attach_one(root, one, overrides_modes);
        one.mount.reset();
        if (attached) continue;
        attached.error().add_context(describe(*one.op));
        if (one.op->required) return attached;
        notes.push_back({Level::warning, "skipped: " + format_error(attached.error())});
    }
    return {};
}

Status write_ghosts(int directory, const std::vector<Ghost>& ghosts) {
    for (const Ghost& ghost : ghosts) {
        const char* name = ghost.path.c_str();
        while (*name == '/') ++name;
        switch (ghost.kind) {
            case Ghost::Kind::directory:
                if (::mkdirat(directory, name, ghost.mode) != 0 && errno != EEXIST) {
                    return sys_error(Error::Kind::host, "mkdir", ghost.path, errno);
                }
                break;
            case Ghost::Kind::symlink:
                if (::symlinkat(ghost.content.c_str(), directory, name) != 0) {
                    return sys_error(Error::Kind::host, "symlink", ghost.path, errno);
                }
                break;
            case Ghost::Kind::file: {
                const Fd file(::openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, ghost.mode));
                if (!file) return sys_error(Error::Kind::host, "create", ghost.path, errno);
                SWRUN_CHECK(write_all(file.get(), ghost.content, ghost.path));
                break;
            }
        }
    }
    return {};
}

}  // namespace swrun
