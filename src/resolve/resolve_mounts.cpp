// The mounts that a launch makes on its own: /dev, host files, /proc, /sys, the directories of
// resolve_home, generated files.  The order is the one that tools rely on.
#include <algorithm>
#include <array>
#include <optional>

#include "resolve/identity.h"
#include "resolve/mount_ops.h"
#include "support/path.h"

namespace swrun {
namespace {

MountOp minimal_dev(const Draft& draft, const std::vector<std::string>& nodes) {
    MountOp dev = tmpfs_op("/dev", 0755, draft.in.request.contain.origin);
    dev.flags.no_dev = false;
    std::vector<Ghost> content;
    for (const std::string& node : nodes) content.push_back(entry(Ghost::Kind::file, node, "", 0666));
    content.push_back(entry(Ghost::Kind::directory, "shm", "", 01777));
    if (draft.plan.namespaces.ipc) content.push_back(entry(Ghost::Kind::directory, "mqueue", "", 01777));
    if (!draft.unmounted("devpts")) {
        content.push_back(entry(Ghost::Kind::directory, "pts"));
        content.push_back(entry(Ghost::Kind::symlink, "ptmx", "/dev/pts/ptmx"));
    }
    content.push_back(entry(Ghost::Kind::symlink, "fd", "/proc/self/fd"));
    content.push_back(entry(Ghost::Kind::symlink, "stdin", "/proc/self/fd/0"));
    content.push_back(entry(Ghost::Kind::symlink, "stdout", "/proc/self/fd/1"));
    content.push_back(entry(Ghost::Kind::symlink, "stderr", "/proc/self/fd/2"));
    dev.shows = TmpfsMount{0755, std::move(content)};
    return dev;
}

void mount_contained_dev(Draft& draft) {
    const Origin origin = draft.in.request.contain.origin;
    std::vector<std::string> nodes;
    for (const char* name : {"null", "zero", "random", "urandom", "tty"}) {
        if (draft.in.host_tree.look(std::string("/dev/") + name).kind == Node::Kind::other) nodes.emplace_back(name);
    }
    if (!draft.in.host.terminal.empty()) nodes.emplace_back("console");
    want_own(draft, minimal_dev(draft, nodes), true);
    for (const std::string& name : nodes) {
        MountOp node = bind_unrestricted("/dev/" + name, origin);
        if (name == "console") node.shows = BindMount{draft.in.host.terminal};
        node.required = name != "console";
        want_own(draft, std::move(node), false);
    }
    want_own(draft, tmpfs_op("/dev/shm", 01777, origin), true);
    if (draft.plan.namespaces.ipc) {
        MountOp queue = tmpfs_op("/dev/mqueue", 01777, origin);
        queue.shows = MqueueMount{};
        queue.required = false;
        want_own(draft, std::move(queue), true);
    }
    if (!draft.unmounted("devpts")) {
        MountOp pts = tmpfs_op("/dev/pts", 0755, origin);
        pts.shows = DevptsMount{};
        pts.flags.no_dev = false;
        pts.flags.no_exec = true;
        pts.required = false;
        want_own(draft, std::move(pts), true);
    }
}

void mount_dev(Draft& draft) {
    if (draft.unmounted("dev")) return;
    if (draft.contained()) return mount_contained_dev(draft);
    want_own(draft, bind_unrestricted("/dev", builtin("/dev")), true);
}

// One file of the host at its own path, if the host has it.
void mount_host_file(Draft& draft, const std::string& path, bool restricted) {
    if (draft.unmounted(path) || draft.unmounted("bind-paths")) return;
    const ResolvedPath source = resolve_in(draft.in.host_tree, path);
    if (!source.exists()) return;
    // Through a link of the image (Debian's /etc/localtime points into zoneinfo) the mount would cover
    // a file with another meaning: the name itself is replaced.
    const ResolvedPath parent = resolve_in(draft.tree, std::string(parent_path(path)));
    const std::string name = join_path(parent.path, base_name(path));
    if (draft.tree.look(name).kind == Node::Kind::symlink && !draft.plan.root.writable) {
        draft.tree.add_ghost(entry(Ghost::Kind::file, path, "", 0644));
    }
    MountOp op = restricted ? bind_op(path, path, builtin(path)) : bind_unrestricted(path, builtin(path));
    op.required = false;
    want_own(draft, std::move(op), source.node.kind == Node::Kind::directory);
}

// The host's names lead nowhere from a network of its own.
void mount_hosts(Draft& draft) {
    if (!draft.contained() || !draft.plan.namespaces.net || draft.unmounted("/etc/hosts") ||
        draft.unmounted("bind-paths")) {
        return mount_host_file(draft, "/etc/hosts", true);
    }
    add_generated(draft, entry(Ghost::Kind::file, "/etc/hosts", std::string(hosts_for_own_network()), 0644),
                  draft.in.request.net.origin);
}

void mount_kernel(Draft& draft) {
    if (!draft.unmounted("proc")) {
        MountOp proc = bind_unrestricted("/proc", builtin("/proc"));
        if (draft.plan.namespaces.pid) {
            proc.shows = ProcMount{};
            proc.flags = MountFlags{};
            proc.origin = draft.in.request.pid.origin;
        }
        want_own(draft, std::move(proc), true);
    }
    if (draft.unmounted("sys")) return;
    want_own(draft, bind_unrestricted("/sys", builtin("/sys")), true);
}

void add_identity(Draft& draft) {
    const HostFacts& host = draft.in.host;
    // An overlay image is stacked by a driver, which takes generated files as layers below it do.
    const RootPlan& root = draft.plan.root;
    const bool writable = root.writable || (root.has_upper() && !std::holds_alternative<ImageUpper>(root.upper));
    if (draft.root_inside() && writable) return;
    draft.plan.identity = {draft.user, draft.home, host.groups};
    const auto add = [&](const char* path, Ghost::Merge merge, std::string why) {
        const ResolvedPath where = resolve_in(draft.in.image_tree, path);
        const bool there = where.exists() && where.node.kind == Node::Kind::file;
        IdentityFile lines = merged_with(draft.plan.identity, merge,
                                         there ? std::optional<std::string_view>("") : std::nullopt);
        for (Note& note : lines.notes) draft.plan.notes.push_back(std::move(note));
        if (!lines.text) return;
        Ghost file = entry(Ghost::Kind::file, path, std::move(*lines.text), 0644);
        file.merge = merge;
        file.merge_with = where.path;
        add_generated(draft, std::move(file), builtin(std::move(why)));
    };
    add("/etc/passwd", Ghost::Merge::passwd, "the caller's passwd entry");
    // The caller's groups have no number inside a namespace in which he is somebody else.
    if (draft.user.uid != host.user.uid) return;
    add("/etc/group", Ghost::Merge::group, "the caller's groups");
}

// --containlibs: single libraries of the host, beside those of a GPU driver.
Status add_libraries(Draft& draft) {
    for (const Asked<std::string>& asked : draft.in.request.containlibs) {
        const std::string path = absolute_path(asked.value, draft.in.host.cwd.physical);
        const ResolvedPath found = resolve_in(draft.in.host_tree, path);
        if (!found.exists()) return missing_error("library " + path + " (from " + to_text(asked.origin) + ")", found);
        MountOp op = bind_op(path, join_path(kGpuLibraryDirectory, base_name(path)), asked.origin);
        op.flags.read_only = true;
        want_brought(draft, std::move(op), false);
    }
    return {};
}

Status add_files(Draft& draft) {
    for (const Ghost& ghost : draft.in.gpu.ghosts) {
        if (!draft.plan.root.writable && !resolve_in(draft.tree, ghost.path).exists()) draft.tree.add_ghost(ghost);
    }
    for (const MountOp& op : draft.in.gpu.mounts) {
        want_brought(draft, op, op.target_is_dir);
    }
    for (const Note& note : draft.in.gpu.notes) draft.plan.notes.push_back(note);
    SWRUN_CHECK(add_libraries(draft));
    const Text& dns = draft.in.request.dns;
    if (dns.value) {
        SWRUN_TRY(std::string text, resolv_conf_for_dns(*dns.value));
        add_generated(draft, entry(Ghost::Kind::file, "/etc/resolv.conf", std::move(text), 0644), dns.origin);
    } else {
        mount_host_file(draft, "/etc/resolv.conf", false);
    }
    if (!draft.plan.namespaces.hostname.empty()) {
        SWRUN_TRY(std::string text, hostname_file(draft.plan.namespaces.hostname));
        add_generated(draft, entry(Ghost::Kind::file, "/etc/hostname", std::move(text), 0644),
                      draft.in.request.hostname.origin);
    }
    add_identity(draft);
    return {};
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

Status resolve_mounts(Draft& draft) {
    check_no_mount(draft);
    mount_dev(draft);
    mount_hosts(draft);
    mount_host_file(draft, "/etc/localtime", true);
    mount_kernel(draft);
    SWRUN_CHECK(resolve_home(draft));
    return add_files(draft);
}

}  // namespace swrun
