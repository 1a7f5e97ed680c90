// The mounts that a launch makes on its own: /dev, host files, /proc, /sys, home, temporary and scratch
// directories, generated files.  The order is the one that tools rely on: later ones may cover earlier.
#include <algorithm>
#include <array>
#include <optional>

#include "mounts/bind_spec.h"
#include "plan/identity.h"
#include "plan/resolve_parts.h"
#include "support/path.h"
#include "support/text.h"

namespace swrun {
namespace {

constexpr std::size_t kMaxIdentityFile = 16U << 20U;

Origin builtin(std::string why) { return {Origin::Kind::builtin, std::move(why)}; }

MountOp bind_op(std::string source, std::string target, Origin origin) {
    MountOp op;
    op.kind = MountOp::Kind::bind;
    op.source = std::move(source);
    op.target = std::move(target);
    op.origin = std::move(origin);
    return op;
}

// /dev, /proc and /sys keep the flags that the host has them mounted with: devices must stay devices.
MountOp bind_unrestricted(const std::string& path, Origin origin) {
    MountOp op = bind_op(path, path, std::move(origin));
    op.flags.no_suid = false;
    op.flags.no_dev = false;
    return op;
}

MountOp tmpfs_op(std::string target, std::uint32_t mode, Origin origin) {
    MountOp op;
    op.kind = MountOp::Kind::tmpfs;
    op.target = std::move(target);
    op.mode = mode;
    op.origin = std::move(origin);
    return op;
}

// Places an op that the user did not ask for: where --writable forbids to make its mount point, the op
// is left out with a warning, as the tools of the field do.
Status place_own(Draft& draft, MountOp op, bool is_dir) {
    const std::string target = op.target;
    const Status placed = draft.tree.place(std::move(op), is_dir);
    if (!placed) draft.note(Level::warning, "Skipping mount " + target + ": " + placed.error().message);
    return {};
}

Ghost entry(Ghost::Kind kind, std::string path, std::string content = {}, std::uint32_t mode = 0755) {
    return Ghost{kind, std::move(path), std::move(content), mode};
}

MountOp minimal_dev(const Draft& draft, const std::vector<std::string>& nodes) {
    MountOp dev = tmpfs_op("/dev", 0755, draft.in.request.contain.origin);
    dev.flags.no_dev = false;
    for (const std::string& node : nodes) dev.content.push_back(entry(Ghost::Kind::file, node, "", 0666));
    dev.content.push_back(entry(Ghost::Kind::directory, "shm", "", 01777));
    if (draft.plan.namespaces.ipc) dev.content.push_back(entry(Ghost::Kind::directory, "mqueue", "", 01777));
    if (!draft.unmounted("devpts")) {
        dev.content.push_back(entry(Ghost::Kind::directory, "pts"));
        dev.content.push_back(entry(Ghost::Kind::symlink, "ptmx", "/dev/pts/ptmx"));
    }
    dev.content.push_back(entry(Ghost::Kind::symlink, "fd", "/proc/self/fd"));
    dev.content.push_back(entry(Ghost::Kind::symlink, "stdin", "/proc/self/fd/0"));
    dev.content.push_back(entry(Ghost::Kind::symlink, "stdout", "/proc/self/fd/1"));
    dev.content.push_back(entry(Ghost::Kind::symlink, "stderr", "/proc/self/fd/2"));
    return dev;
}

Status mount_contained_dev(Draft& draft) {
    const Origin origin = draft.in.request.contain.origin;
    std::vector<std::string> nodes;
    for (const char* name : {"null", "zero", "random", "urandom", "tty"}) {
        if (draft.in.host_tree.look(std::string("/dev/") + name).kind == Node::Kind::other) nodes.emplace_back(name);
    }
    if (!draft.in.host.terminal.empty()) nodes.emplace_back("console");
    SWRUN_CHECK(place_own(draft, minimal_dev(draft, nodes), true));
    for (const std::string& name : nodes) {
        MountOp node = bind_unrestricted("/dev/" + name, origin);
        if (name == "console") node.source = draft.in.host.terminal;
        node.required = name != "console";
        SWRUN_CHECK(place_own(draft, std::move(node), false));
    }
    SWRUN_CHECK(place_own(draft, tmpfs_op("/dev/shm", 01777, origin), true));
    if (draft.plan.namespaces.ipc) {
        MountOp queue = tmpfs_op("/dev/mqueue", 01777, origin);
        queue.kind = MountOp::Kind::mqueue;
        queue.required = false;
        SWRUN_CHECK(place_own(draft, std::move(queue), true));
    }
    if (!draft.unmounted("devpts")) {
        MountOp pts = tmpfs_op("/dev/pts", 0755, origin);
        pts.kind = MountOp::Kind::devpts;
        pts.flags.no_dev = false;
        pts.flags.no_exec = true;
        pts.required = false;
        SWRUN_CHECK(place_own(draft, std::move(pts), true));
    }
    return {};
}

Status mount_dev(Draft& draft) {
    if (draft.unmounted("dev")) return {};
    if (draft.contained()) return mount_contained_dev(draft);
    return place_own(draft, bind_unrestricted("/dev", builtin("/dev")), true);
}

// One file of the host at its own path, if the host has it.
Status mount_host_file(Draft& draft, const std::string& path, bool restricted) {
    if (draft.unmounted(path) || draft.unmounted("bind-paths")) return {};
    const ResolvedPath source = resolve_in(draft.in.host_tree, path);
    if (!source.exists()) return {};
    // Through a link of the image (Debian's /etc/localtime points into zoneinfo) the mount would cover
    // a file with another meaning: the name itself is replaced.
    const ResolvedPath parent = resolve_in(draft.tree, std::string(parent_path(path)));
    const std::string name = join_path(parent.path, base_name(path));
    if (draft.tree.look(name).kind == Node::Kind::symlink && !draft.plan.root.writable) {
        draft.tree.add_ghost(entry(Ghost::Kind::file, path, "", 0644));
    }
    MountOp op = restricted ? bind_op(path, path, builtin(path)) : bind_unrestricted(path, builtin(path));
    op.required = false;
    return place_own(draft, std::move(op), source.node.kind == Node::Kind::directory);
}

Status mount_kernel(Draft& draft) {
    if (!draft.unmounted("proc")) {
        MountOp proc = bind_unrestricted("/proc", builtin("/proc"));
        if (draft.plan.namespaces.pid) {
            proc.kind = MountOp::Kind::proc;
            proc.source.clear();
            proc.flags = MountFlags{};
            proc.origin = draft.in.request.pid.origin;
        }
        SWRUN_CHECK(place_own(draft, std::move(proc), true));
    }
    if (draft.unmounted("sys")) return {};
    return place_own(draft, bind_unrestricted("/sys", builtin("/sys")), true);
}

// --writable lets no mount point be made, but a home is worth an exception: its top directory, if the
// image has that, is covered by one of ours.
Status place_home(Draft& draft, MountOp op) {
    const std::string target = op.target;
    if (draft.plan.root.writable && !resolve_in(draft.tree, target).exists()) {
        const std::string top = "/" + std::string(components(target).at(0));
        if (top != target && resolve_in(draft.tree, top).exists()) {
            SWRUN_CHECK(draft.tree.place(tmpfs_op(top, 0755, op.origin), true));
        }
    }
    if (draft.plan.root.writable) return place_own(draft, std::move(op), true);
    return draft.tree.place(std::move(op), true);
}

Result<std::string> workdir_path(const Draft& draft) {
    const Text& asked = draft.in.request.workdir;
    const std::string path = absolute_path(*asked.value, draft.in.host.cwd.physical);
    if (resolve_in(draft.in.host_tree, path).node.kind == Node::Kind::directory &&
        resolve_in(draft.in.host_tree, path).exists()) {
        return path;
    }
    Error error = make_error(Error::Kind::request, "working directory " + path + ": no such file or directory (from " +
                                                       to_text(asked.origin) + ")");
    return error.with_hint("make it first: swrun only fills it");
}

// A private directory: below --workdir when there is one, else a tmpfs.
Result<MountOp> private_directory(const Draft& draft, const std::string& target, const std::string& name,
                                  std::uint32_t mode, const Origin& origin) {
    if (!draft.in.request.workdir.value) return tmpfs_op(target, mode, origin);
    SWRUN_TRY(const std::string base, workdir_path(draft));
    MountOp op = bind_op(join_path(base, name), target, draft.in.request.workdir.origin);
    op.create_source = true;
    op.mode = mode;
    return op;
}

Status mount_default_home(Draft& draft) {
    const std::string& source = draft.user.home;
    const bool usable = !source.empty() && source[0] == '/' && source != "/" &&
                        resolve_in(draft.in.host_tree, clean_path(source)).node.kind == Node::Kind::directory &&
                        resolve_in(draft.in.host_tree, clean_path(source)).exists();
    if (draft.home == "/") return {};
    if (usable && !draft.contained())
        return place_home(draft, bind_op(clean_path(source), draft.home, builtin("home")));
    if (!draft.contained())
        draft.note(Level::verbose, "home " + source + " is not on this host: an empty one is shown");
    const Origin origin = draft.contained() ? draft.in.request.contain.origin : builtin("home");
    SWRUN_TRY(MountOp op, private_directory(draft, draft.home, "home", 0700, origin));
    if (op.kind == MountOp::Kind::tmpfs) op.mode = 0755;
    return place_home(draft, std::move(op));
}

Status mount_custom_home(Draft& draft, const HomeSpec& spec) {
    const Origin& origin = draft.in.request.home.origin;
    const std::string source = absolute_path(spec.source, draft.in.host.cwd.physical);
    if (draft.home == "/") {
        draft.note(Level::warning, "Skipping impossible home directory mount to '/'");
        return {};
    }
    const ResolvedPath found = resolve_in(draft.in.host_tree, source);
    if (!found.exists()) {
        Error error = make_error(
            Error::Kind::request,
            "home directory " + source + ": no such file or directory (from " + to_text(origin) + ")");
        return error.with_hint("make it first: an empty home would silently swallow what the program writes");
    }
    return place_home(draft, bind_op(source, draft.home, origin));
}

Status mount_tmp(Draft& draft) {
    if (draft.unmounted("tmp")) return {};
    if (draft.contained()) {
        const Origin& origin = draft.in.request.contain.origin;
        SWRUN_TRY(MountOp tmp, private_directory(draft, "/tmp", "tmp", 01777, origin));
        SWRUN_CHECK(place_own(draft, std::move(tmp), true));
        if (draft.tree.is_mount_point(resolve_in(draft.tree, "/var/tmp").path)) return {};
        SWRUN_TRY(MountOp var_tmp, private_directory(draft, "/var/tmp", "var_tmp", 01777, origin));
        return place_own(draft, std::move(var_tmp), true);
    }
    for (const char* path : {"/tmp", "/var/tmp"}) {
        const ResolvedPath source = resolve_in(draft.in.host_tree, path);
        if (!source.exists() || source.node.kind != Node::Kind::directory) continue;
        // An image without /var shall not get one for the sake of /var/tmp.
        if (!resolve_in(draft.tree, std::string(parent_path(path))).exists()) continue;
        // An image may have one as a link to the other.
        if (draft.tree.is_mount_point(resolve_in(draft.tree, path).path)) continue;
        MountOp op = bind_op(path, path, builtin(path));
        op.required = false;
        SWRUN_CHECK(place_own(draft, std::move(op), true));
    }
    return {};
}

Status mount_scratch(Draft& draft) {
    for (const Asked<std::string>& asked : draft.in.request.scratch) {
        for (const std::string_view one : split(asked.value, ',')) {
            if (one.empty()) continue;
            if (one[0] != '/') {
                return make_error(Error::Kind::request,
                                  "could not bind scratch directory " + std::string(one) +
                                      " into container: destination must be an absolute path (from " +
                                      to_text(asked.origin) + ")");
            }
            const std::string target = clean_path(one);
            SWRUN_TRY(MountOp op, private_directory(draft, target, "scratch" + target, 0750, asked.origin));
            if (op.kind == MountOp::Kind::tmpfs) op.mode = 0755;
            SWRUN_CHECK(draft.tree.place(std::move(op), true));
        }
    }
    return {};
}

// A generated file: answered with the image where that is possible, else bound.
Status add_generated(Draft& draft, const std::string& path, std::string content, Origin origin) {
    Ghost file = entry(Ghost::Kind::file, path, std::move(content), 0644);
    if (!draft.plan.root.writable) {
        draft.tree.add_ghost(std::move(file));
        return {};
    }
    MountOp op;
    op.kind = MountOp::Kind::generated;
    op.target = path;
    file.path = std::string(base_name(path));
    op.content.push_back(std::move(file));
    op.origin = std::move(origin);
    return place_own(draft, std::move(op), false);
}

Status add_identity(Draft& draft) {
    const HostFacts& host = draft.in.host;
    const bool writable = draft.plan.root.writable || draft.plan.root.writable_tmpfs ||
                          !draft.plan.root.upper_directory.empty();
    if (draft.root_inside() && writable) return {};
    const auto text_of = [&](const std::string& path) {
        const ResolvedPath where = resolve_in(draft.in.image_tree, path);
        std::optional<std::string> text;
        if (!where.exists() || where.node.kind != Node::Kind::file) return text;
        Result<std::string> read = draft.in.image_tree.read_text(where.path, kMaxIdentityFile);
        if (read) text = std::move(read).value();
        return text;
    };
    const auto add = [&](const char* path, IdentityFile file, std::string why) {
        for (Note& note : file.notes) draft.plan.notes.push_back(std::move(note));
        return file.text ? add_generated(draft, path, std::move(*file.text), builtin(std::move(why))) : Status{};
    };
    SWRUN_CHECK(add("/etc/passwd", passwd_with_user(text_of("/etc/passwd"), draft.user, draft.home),
                    "the caller's passwd entry"));
    // The caller's groups have no number inside a namespace in which he is somebody else.
    if (draft.user.uid != host.user.uid) return {};
    return add("/etc/group", group_with_user(text_of("/etc/group"), host.groups, host.user.name),
               "the caller's groups");
}

// --containlibs: single libraries of the host, beside those of a GPU driver.
Status add_libraries(Draft& draft) {
    for (const Asked<std::string>& asked : draft.in.request.containlibs) {
        const std::string path = absolute_path(asked.value, draft.in.host.cwd.physical);
        if (!resolve_in(draft.in.host_tree, path).exists()) {
            return make_error(Error::Kind::request,
                              "library " + path + ": no such file or directory (from " + to_text(asked.origin) + ")");
        }
        MountOp op = bind_op(path, join_path(kGpuLibraryDirectory, base_name(path)), asked.origin);
        op.flags.read_only = true;
        SWRUN_CHECK(place_own(draft, std::move(op), false));
    }
    return {};
}

Status add_files(Draft& draft) {
    for (const Ghost& ghost : draft.in.gpu.ghosts) {
        if (!draft.plan.root.writable && !resolve_in(draft.tree, ghost.path).exists()) draft.tree.add_ghost(ghost);
    }
    for (const MountOp& op : draft.in.gpu.mounts) {
        SWRUN_CHECK(place_own(draft, op, op.target_is_dir));
    }
    for (const Note& note : draft.in.gpu.notes) draft.plan.notes.push_back(note);
    SWRUN_CHECK(add_libraries(draft));
    const Text& dns = draft.in.request.dns;
    if (dns.value) {
        SWRUN_TRY(std::string text, resolv_conf_for_dns(*dns.value));
        SWRUN_CHECK(add_generated(draft, "/etc/resolv.conf", std::move(text), dns.origin));
    } else {
        SWRUN_CHECK(mount_host_file(draft, "/etc/resolv.conf", false));
    }
    if (!draft.plan.namespaces.hostname.empty()) {
        SWRUN_TRY(std::string text, hostname_file(draft.plan.namespaces.hostname));
        SWRUN_CHECK(add_generated(draft, "/etc/hostname", std::move(text), draft.in.request.hostname.origin));
    }
    return add_identity(draft);
}

void check_no_mount(Draft& draft) {
    constexpr std::array<std::string_view, 8> kWords = {"proc", "sys", "dev", "devpts", "home", "tmp", "hostfs", "cwd"};
    for (const Asked<std::string>& asked : draft.in.request.no_mount) {
        const bool known = asked.value == "bind-paths" || asked.value.empty() || asked.value[0] == '/' ||
                           std::find(kWords.begin(), kWords.end(), asked.value) != kWords.end();
        if (!known) draft.note(Level::warning, "Ignoring unknown mount type '" + asked.value + "'");
    }
}

}  // namespace

Status resolve_home(Draft& draft) {
    const LaunchRequest& request = draft.in.request;
    const UserFacts& user = draft.user;
    const bool wanted = !request.no_home.value && !draft.unmounted("home");
    if (!request.home.value) {
        draft.home = draft.root_inside() ? "/root" : clean_path(user.home.empty() ? "/" : user.home);
        return wanted ? mount_default_home(draft) : Status{};
    }
    SWRUN_TRY(const HomeSpec spec,
              with_context(parse_home(*request.home.value),
                           "reading the home directory (from " + to_text(request.home.origin) + ")"));
    const std::string source = absolute_path(spec.source, draft.in.host.cwd.physical);
    draft.home = spec.target.empty() ? source : clean_path(spec.target);
    return wanted ? mount_custom_home(draft, spec) : Status{};
}

Status resolve_mounts(Draft& draft) {
    check_no_mount(draft);
    SWRUN_CHECK(mount_dev(draft));
    SWRUN_CHECK(mount_host_file(draft, "/etc/hosts", true));
    SWRUN_CHECK(mount_host_file(draft, "/etc/localtime", true));
    SWRUN_CHECK(mount_kernel(draft));
    SWRUN_CHECK(resolve_home(draft));
    SWRUN_CHECK(mount_tmp(draft));
    SWRUN_CHECK(mount_scratch(draft));
    return add_files(draft);
}

}  // namespace swrun
