#include "resolve/container_tree.h"

#include <algorithm>
#include <cerrno>
#include <optional>

#include "support/path.h"

namespace swrun {
namespace {

// Where a path below a mount's target lies in the tree that the mount shows.
std::string place_in_source(const MountOp& op, const std::string& path) {
    const auto* image = op.as<ImageBind>();
    std::string base = image != nullptr ? image->path : source_of(op);
    if (path == op.target) return base;
    return join_path(base, std::string_view(path).substr(op.target == "/" ? 0 : op.target.size()));
}

Node ghost_node(const Ghost& ghost) {
    Node node;
    switch (ghost.kind) {
        case Ghost::Kind::directory: node.kind = Node::Kind::directory; break;
        case Ghost::Kind::file: node.kind = Node::Kind::file; break;
        case Ghost::Kind::symlink: node.kind = Node::Kind::symlink; break;
    }
    node.mode = ghost.mode;
    node.size = ghost.content.size();
    return node;
}

// What a tmpfs of ours starts with at a path below it; nullptr for nothing.
const Ghost* content_at(const MountOp& op, const std::string& path) {
    if (path == op.target) return nullptr;
    const std::string name = path.substr(op.target.size() + 1);
    const auto* tmpfs = op.as<TmpfsMount>();
    if (tmpfs == nullptr) return nullptr;
    for (const Ghost& ghost : tmpfs->content) {
        if (ghost.path == name) return &ghost;
    }
    return nullptr;
}

Node content_node(const MountOp& op, const std::string& path) {
    Node node;
    if (path == op.target) node.kind = op.target_is_dir ? Node::Kind::directory : Node::Kind::file;
    const Ghost* ghost = content_at(op, path);
    return ghost != nullptr ? ghost_node(*ghost) : node;
}

// A place of this launch alone, in which mount points can be made without being asked for.
bool is_own(const MountOp& op) { return op.is<TmpfsMount>() || op.is<MadeBind>(); }

}  // namespace

const MountOp* ContainerTree::mount_over(const std::string& path) const {
    // Later mounts cover earlier ones, so of those at or above the path the last is the one on top.
    const MountOp* over = nullptr;
    for (std::string_view up = path;; up = parent_path(up)) {
        if (const auto found = topmost_.find(up); found != topmost_.end()) {
            const MountOp* op = &mounts_[found->second];
            if (over == nullptr || op > over) over = op;
        }
        if (up.size() <= 1) return over;
    }
}

void ContainerTree::add_ghost(Ghost ghost) {
    // A parent that is a link in the image stays one: a directory in its place would hide what it leads to.
    const ResolvedPath parent = resolve_in(*this, std::string(parent_path(ghost.path)));
    if (!parent.loop) ghost.path = join_path(parent.path, base_name(ghost.path));
    for (std::string up(parent_path(ghost.path)); up != "/"; up = std::string(parent_path(up))) {
        if (ghosts_.count(up) != 0) break;
        const Node node = image_.look(up);
        const bool exists = node.kind == Node::Kind::directory;
        if (exists && !repeat_parents_) break;
        ghosts_[up] = Ghost{Ghost::Kind::directory, up, "", exists ? node.mode : 0755};
    }
    ghosts_[ghost.path] = std::move(ghost);
}

void ContainerTree::add_missing(const ResolvedPath& where, bool last_is_dir) {
    Ghost ghost;
    ghost.path = where.path;
    ghost.kind = last_is_dir ? Ghost::Kind::directory : Ghost::Kind::file;
    ghost.mode = last_is_dir ? 0755 : 0644;
    add_ghost(std::move(ghost));
}

Status ContainerTree::place(MountOp op, bool target_is_dir) {
    const ResolvedPath where = resolve_in(*this, op.target);
    return put(std::move(op), where, target_is_dir, true);
}

Result<bool> ContainerTree::place_automatic(MountOp op, bool target_is_dir) {
    constexpr int kMaxObstacles = 8;  // one behind the other; no image has more by accident
    std::optional<std::map<std::string, Ghost>> before;
    ResolvedPath where = resolve_in(*this, op.target);
    for (int removed = 0; removed < kMaxObstacles; ++removed) {
        const std::string obstacle = obstacle_at(where, target_is_dir);
        if (obstacle.empty() || !ghosts_allowed_ || mount_over(obstacle) != nullptr) break;
        if (!before) before = ghosts_;
        add_ghost(Ghost{Ghost::Kind::directory, obstacle, "", 0755});
        where = resolve_in(*this, op.target);
    }
    if (is_mount_point(where.path)) return false;
    Status placed = put(std::move(op), where, target_is_dir, false);
    if (placed) return true;
    if (before) ghosts_ = *std::move(before);
    return std::move(placed).error();
}

Status ContainerTree::put(MountOp op, const ResolvedPath& where, bool target_is_dir, bool on_host) {
    if (where.loop) return sys_error(Error::Kind::request, "resolve", op.target, ELOOP);
    if (where.path == "/") {
        return make_error(Error::Kind::request, "cannot mount on " + op.target + ": it is the root of the container");
    }
    op.target_is_dir = target_is_dir;
    SWRUN_CHECK(where.exists() ? check_kinds(op, where) : make_mount_point(op, where, on_host));
    op.target = where.path;
    topmost_[where.path] = mounts_.size();
    mounts_.push_back(std::move(op));
    return {};
}

Status ContainerTree::check_kinds(const MountOp& op, const ResolvedPath& where) const {
    const bool on_directory = where.node.kind == Node::Kind::directory;
    if (on_directory == op.target_is_dir) return {};
    if (unknown_ && mount_over(where.path) == nullptr) return {};
    const std::string source = source_of(op);
    const std::string what = source.empty() ? "what is to be mounted" : source;
    Error error = make_error(
        Error::Kind::request,
        what + (on_directory ? " is not a directory, but " + op.target + " is"
                             : " is a directory, but " + op.target + " in the container is not a directory"));
    error.sys_errno = ENOTDIR;
    if (source.empty()) return error;
    return error.with_hint(on_directory ? "name the file in the destination: " + source + ":" +
                                              join_path(op.target, base_name(source))
                                        : "a directory can only be bound on a directory: choose another destination");
}

Status ContainerTree::make_mount_point(MountOp& op, const ResolvedPath& where, bool on_host) {
    if (where.node.kind != Node::Kind::directory) return sys_error(Error::Kind::request, "create", op.target, ENOTDIR);
    const MountOp* over = mount_over(where.path);
    if (over == nullptr && ghosts_allowed_) {
        add_missing(where, op.target_is_dir);
        return {};
    }
    if (over == nullptr) {
        Error error = sys_error(Error::Kind::request, "find", op.target, ENOENT);
        error.message = "destination " + op.target + " doesn't exist in container";
        return error;
    }
    op.create_target = true;
    if (is_own(*over)) return {};
    const std::string shown = source_of(*over).empty() ? over->target
                                                       : source_of(*over) + ", bound to " + over->target + ",";
    const std::string lack = "no " + op.target + " in the container: ";
    if (over->flags.read_only) {
        Error error = sys_error(Error::Kind::request, "create", op.target, EROFS);
        error.message = lack + shown + " lacks it and is read-only (from " + to_text(over->origin) + ")";
        return error.with_hint("make the mount point before, or leave that bind writable");
    }
    if (on_host) return {};
    Error error = sys_error(Error::Kind::request, "create", op.target, EROFS);
    error.message = lack + shown + " lacks it, and nothing is made there without being asked for";
    return error;
}

std::string ContainerTree::obstacle_at(const ResolvedPath& where, bool target_is_dir) const {
    if (where.loop) return where.path;
    const bool on_directory = where.node.kind == Node::Kind::directory;
    if (where.exists()) {
        if (!target_is_dir || on_directory) return {};
        return where.link.empty() ? where.path : where.link;
    }
    if (on_directory) {
        // A link into a directory of the host, which lacks what the link names.
        const MountOp* over = mount_over(where.path);
        return over != nullptr && !is_own(*over) ? where.link : std::string();
    }
    if (!where.link.empty()) return where.link;
    std::string_view file = where.path;
    for (std::size_t i = 0; i < where.missing; ++i) file = parent_path(file);
    return std::string(file);
}

std::vector<Ghost> ContainerTree::ghosts() const {
    std::vector<Ghost> all;
    all.reserve(ghosts_.size());
    for (const auto& [path, ghost] : ghosts_) all.push_back(ghost);
    return all;
}

const TreeView* ContainerTree::shown_by(const MountOp& op) const {
    if (op.is<BindMount>() || op.is<MadeBind>()) return &host_;
    const auto* image = op.as<ImageBind>();
    if (image == nullptr) return nullptr;
    const auto view = image_views_.find(image->image_mount);
    return view == image_views_.end() ? nullptr : view->second;
}

bool ContainerTree::is_above_mount(const std::string& path, const MountOp* over) const {
    const std::string below = path + "/";
    for (auto at = topmost_.lower_bound(below); at != topmost_.end() && at->first.starts_with(below); ++at) {
        if (over == nullptr || &mounts_[at->second] > over) return true;
    }
    return false;
}

Node ContainerTree::look(const std::string& path) const {
    Node node = look_itself(path);
    // What is missing above a mount point is made with it.
    if (node.kind == Node::Kind::absent && is_above_mount(path, mount_over(path))) {
        node = Node{};
        node.kind = Node::Kind::directory;
    }
    return node;
}

Node ContainerTree::look_itself(const std::string& path) const {
    const MountOp* op = mount_over(path);
    if (op == nullptr) {
        const auto ghost = ghosts_.find(path);
        return ghost != ghosts_.end() ? ghost_node(ghost->second) : image_.look(path);
    }
    const TreeView* shown = shown_by(*op);
    if (shown == nullptr) return content_node(*op, path);
    if (path != op->target) return shown->look(place_in_source(*op, path));
    // A mount shows what its source leads to, never a link.
    return resolve_in(*shown, place_in_source(*op, path)).node;
}

Result<std::string> ContainerTree::read_link(const std::string& path) const {
    const MountOp* op = mount_over(path);
    if (op != nullptr) {
        if (const TreeView* shown = shown_by(*op)) return shown->read_link(place_in_source(*op, path));
        const Ghost* inside = content_at(*op, path);
        if (inside != nullptr && inside->kind == Ghost::Kind::symlink) return inside->content;
        return sys_error(Error::Kind::request, "readlink", path, EINVAL);
    }
    const auto ghost = ghosts_.find(path);
    if (ghost != ghosts_.end()) return ghost->second.content;
    return image_.read_link(path);
}

Result<std::string> ContainerTree::read_text(const std::string& path, std::size_t limit) const {
    const MountOp* op = mount_over(path);
    if (op != nullptr) {
        const TreeView* shown = shown_by(*op);
        if (shown == nullptr) return sys_error(Error::Kind::request, "read", path, ENOENT);
        return shown->read_text(resolve_in(*shown, place_in_source(*op, path)).path, limit);
    }
    const auto ghost = ghosts_.find(path);
    // An empty ghost is a mount point whose mount was found above; one with content is the file.
    if (ghost != ghosts_.end()) return ghost->second.content;
    return image_.read_text(path, limit);
}

Result<std::vector<std::string>> ContainerTree::list(const std::string& path) const {
    std::vector<std::string> names;
    const auto add = [&](std::string_view where) {
        if (where == "/" || parent_path(where) != path) return;
        const std::string_view name = base_name(where);
        const auto at = std::lower_bound(names.begin(), names.end(), name);
        if (at == names.end() || *at != name) names.emplace(at, name);
    };
    if (const MountOp* op = mount_over(path)) {
        if (const TreeView* shown = shown_by(*op)) {
            SWRUN_TRY(names, shown->list(resolve_in(*shown, place_in_source(*op, path)).path));
        }
    } else {
        if (image_.look(path).kind == Node::Kind::directory) {
            SWRUN_TRY(names, image_.list(path));
        }
        for (const auto& [where, ghost] : ghosts_) add(where);
    }
    for (const auto& [where, index] : topmost_) add(where);
    return names;
}

}  // namespace swrun
