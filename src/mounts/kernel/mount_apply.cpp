#include "mounts/kernel/mount_apply.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "mounts/kernel/caller_rights.h"
#include "mounts/kernel/mount_syscalls.h"
#include "support/descriptors.h"
#include "support/errno_hint.h"
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
    if (op.is<GeneratedFile>()) return "placing the generated " + op.target + " " + from;
    if (op.is<ImageBind>()) return "mounting the image " + source_of(op) + " at " + op.target + " " + from;
    if (const std::string source = source_of(op); !source.empty())
        return "binding " + source + " to " + op.target + " " + from;
    return "mounting " + op.target + " " + from;
}

// mkdir -p for --workdir; a directory that is there already is kept as it is.
Status make_source(const MadeBind& made) {
    const std::string& path = made.source;
    for (std::size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1)) {
        const std::string up = path.substr(0, end);
        if (::mkdir(up.c_str(), 0750) != 0 && errno != EEXIST)
            return sys_error(Error::Kind::request, "mkdir", up, errno);
    }
    if (::mkdir(path.c_str(), 0700) != 0) {
        const int err = errno;
        if (err == EEXIST) return {};
        return sys_error(Error::Kind::request, "mkdir", path, err);
    }
    if (::chmod(path.c_str(), made.mode) != 0) return sys_error(Error::Kind::request, "chmod", path, errno);
    return {};
}

// Makes the mount that a source stands for.
struct Capture {
    const MountFlags& flags;
    bool overrides_modes;

    Result<Fd> operator()(const BindMount& bind) const {
        SWRUN_TRY(Fd mount, clone_mount(bind.source, flags.recursive));
        SWRUN_CHECK(restrict_mount(mount.get(), flags, bind.source));
        return mount;
    }
    Result<Fd> operator()(const MadeBind& made) const {
        {
            const CallerRights rights(overrides_modes);
            SWRUN_CHECK(make_source(made));
        }
        return (*this)(BindMount{made.source});
    }
    Result<Fd> operator()(const TmpfsMount& tmpfs) const {
        SWRUN_TRY(Fd mount, make_mount("tmpfs", {{"source", "swrun"}, {"mode", octal(tmpfs.mode)}}, flags));
        SWRUN_CHECK(write_ghosts(mount.get(), tmpfs.content));
        return mount;
    }
    // A file of ours bound over one of the image, for roots that cannot hold ghosts: the tmpfs around it
    // is dissolved at once and lives on through the clone.
    Result<Fd> operator()(const GeneratedFile& generated) const {
        SWRUN_TRY(const Fd tmpfs, make_mount("tmpfs", {{"source", "swrun"}, {"mode", "755"}}, flags));
        SWRUN_CHECK(write_ghosts(tmpfs.get(), {generated.file}));
        return clone_mount_at(tmpfs.get(), generated.file.path, false);
    }
    Result<Fd> operator()(const ProcMount&) const { return make_mount("proc", {{"source", "proc"}}, flags); }
    Result<Fd> operator()(const MqueueMount&) const { return make_mount("mqueue", {{"source", "mqueue"}}, flags); }
    Result<Fd> operator()(const DevptsMount&) const {
        // Every mount of devpts in a user namespace is a new instance; gid 5 is not mapped there.
        return make_mount("devpts", {{"source", "devpts"}, {"mode", "620"}, {"ptmxmode", "666"}}, flags);
    }
    // Mounted already, with their server or program.
    Result<Fd> operator()(const ImageBind&) const { return internal(); }
    Result<Fd> operator()(const ServedByProgram&) const { return internal(); }

private:
    static Error internal() { return make_error(Error::Kind::internal, "a mount that exists is made again"); }
};

Result<Fd> capture_one(const MountOp& op, bool overrides_modes) {
    return std::visit(Capture{op.flags, overrides_modes}, op.shows);
}

// The kernel refuses a new proc in a user namespace where the visible one has parts mounted over
// (EPERM, mnt_already_visible): the caller's own proc is the next best.
Result<Fd> capture_with_fallback(const MountOp& op, bool overrides_modes, std::vector<Note>& notes) {
    Result<Fd> mount = capture_one(op, overrides_modes);
    if (mount || !op.is<ProcMount>() || mount.error().sys_errno != EPERM) return mount;
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
    Fd unparked;
    if (!captured.parked.empty()) {
        SWRUN_TRY(unparked, take_parked(captured.parked));
    }
    const int mount = captured.parked.empty() ? captured.mount.get() : unparked.get();
    Status attached = attach_mount(mount, target->get(), op.target);
    if (!attached && attached.error().sys_errno == ENOTDIR) {
        attached.error().with_hint("a directory can only be bound on a directory, a file on a file");
    }
    return attached;
}

// What S6 opens at one time, and parking, and a margin.
constexpr std::size_t kRoom = 24;
// Below this number nobody asks for the limit: no limit that a launch fits into is lower than that and the room.
constexpr int kPlenty = 48;

// Whether closing it loses nothing, because the next call makes it again.
bool can_repeat(const MountOp& op) { return !op.is<ImageBind>() && !op.is<ServedByProgram>() && !op.is<ProcMount>(); }

// Parking needs some descriptors itself: the last captures give up theirs for that and are repeated.
Status park_all(std::vector<Captured>& captured, bool overrides_modes) {
    constexpr std::size_t kForParking = 8;
    std::vector<Captured*> again;
    for (auto one = captured.rbegin(); one != captured.rend() && again.size() < kForParking; ++one) {
        if (!one->mount || !can_repeat(*one->op)) continue;
        one->mount.reset();
        again.push_back(&*one);
    }
    if (again.empty()) return sys_error(Error::Kind::host, "open", "what will be bound", EMFILE);
    for (Captured& one : captured) {
        if (!one.mount) continue;
        SWRUN_TRY(one.parked, park_mount(std::move(one.mount), one.op->target));
    }
    for (Captured* one : again) {
        SWRUN_TRY(one->mount, with_context(capture_one(*one->op, overrides_modes), describe(*one->op)));
    }
    return {};
}

Result<Fd> capture_with_room(const MountOp& op, std::vector<Captured>& captured, bool overrides_modes,
                             std::vector<Note>& notes) {
    Result<Fd> mount = capture_with_fallback(op, overrides_modes, notes);
    if (mount || mount.error().sys_errno != EMFILE) return mount;
    SWRUN_CHECK(park_all(captured, overrides_modes));
    return capture_with_fallback(op, overrides_modes, notes);
}

// The kernel gives the lowest free number, so the highest that was given tells how many are taken.
Status leave_room(std::vector<Captured>& captured, bool overrides_modes) {
    int highest = -1;
    for (const Captured& one : captured) highest = std::max(highest, one.mount.get());
    const auto fits = [&] { return static_cast<std::size_t>(highest) + kRoom < descriptor_limit(); };
    if (highest < kPlenty || fits() || (raise_descriptor_limit() && fits())) return {};
    return park_all(captured, overrides_modes);
}

}  // namespace

Result<std::vector<Captured>> capture_mounts(const std::vector<MountOp>& ops, std::vector<Fd>& images,
                                             std::vector<Fd>& fuse_mounts, bool overrides_modes,
                                             std::vector<Note>& notes) {
    std::vector<Captured> captured;
    captured.reserve(ops.size());
    for (const MountOp& op : ops) {
        if (const auto* image = op.as<ImageBind>()) {
            captured.push_back({&op, std::move(images.at(image->image_mount))});
            continue;
        }
        if (const auto* program = op.as<ServedByProgram>()) {
            captured.push_back({&op, std::move(fuse_mounts.at(program->fuse_mount))});
            continue;
        }
        Result<Fd> mount = capture_with_room(op, captured, overrides_modes, notes);
        if (mount) {
            captured.push_back({&op, std::move(mount).value()});
            continue;
        }
        mount.error().add_context(describe(op));
        // EPERM of a bind is no fault of what is bound: mounts are forbidden here, and the program would find no /dev.
        const bool forbidden = op.is<BindMount>() && mount.error().sys_errno == EPERM;
        if (op.required || forbidden) return std::move(mount).error();
        // Absence is what "optional" is for; a file system that does not answer, or a limit, is news.
        const bool is_news = op.warned_of || !errno_hint(mount.error().sys_errno).empty();
        const Level level = is_news ? Level::warning : Level::verbose;
        notes.push_back({level, "skipped: " + format_error(mount.error())});
    }
    SWRUN_CHECK(leave_room(captured, overrides_modes));
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
