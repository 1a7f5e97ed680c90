#include "resolve/container_tree.h"

#include <algorithm>
#include <cerrno>

#include "support/path.h"

namespace swrun {
namespace {

// Where a path below a mount's target lies in the tree that the mount shows.
std::string source_of(const MountOp& op, const std::string& path) {
    const std::string& base = op.kind == MountOp::Kind::image ? op.image_path : op.source;
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
    for (const Ghost& ghost : op.content) {
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

}  // namespace

const MountOp* ContainerTree::mount_over(const std::string& path) const {
    // Later mounts cover earlier ones, so the last that is at or above the path is the one on top.
    for (auto op = mounts_.rbegin(); op != mounts_.rend(); ++op) {
        if (is_below(path, op->target)) return &*op;
    }
    return nullptr;
}

bool ContainerTree::is_mount_point(const std::string& path) const {
    for (const MountOp& op : mounts_) {
        if (op.target == path) return true;
    }
    return false;
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
    if (where.loop) return sys_error(Error::Kind::request, "resolve", op.target, ELOOP);
    if (where.path == "/") {
        return make_error(Error::Kind::request, "cannot mount on " + op.target + ": it is the root of the container");
    }
    op.target_is_dir = target_is_dir;
    if (!where.exists()) {
        if (where.node.kind != Node::Kind::directory)
            return sys_error(Error::Kind::request, "create", op.target, ENOTDIR);
        if (mount_over(where.path) != nullptr) {
            op.create_target = true;
        } else if (ghosts_allowed_) {
            add_missing(where, target_is_dir);
        } else {
            Error error = sys_error(Error::Kind::request, "find", op.target, ENOENT);
            error.message = "destination " + op.target + " doesn't exist in container";
            return error;
        }
    }
    op.target = where.path;
    mounts_.push_back(std::move(op));
    return {};
}

std::vector<Ghost> ContainerTree::ghosts() const {
    std::vector<Ghost> all;
    all.reserve(ghosts_.size());
    for (const auto& [path, ghost] : ghosts_) all.push_back(ghost);
    return all;
}

const TreeView* ContainerTree::shown_by(const MountOp& op) const {
    if (op.kind == MountOp::Kind::bind) return &host_;
    if (op.kind != MountOp::Kind::image) return nullptr;
    const auto view = image_views_.find(op.image_mount);
    return view == image_views_.end() ? nullptr : view->second;
}

Node ContainerTree::look(const std::string& path) const {
    const MountOp* op = mount_over(path);
    if (op == nullptr) {
        const auto ghost = ghosts_.find(path);
        return ghost != ghosts_.end() ? ghost_node(ghost->second) : image_.look(path);
    }
    const TreeView* shown = shown_by(*op);
    if (shown == nullptr) return content_node(*op, path);
    if (path != op->target) return shown->look(source_of(*op, path));
    // A mount shows what its source leads to, never a link.
    return resolve_in(*shown, source_of(*op, path)).node;
}

Result<std::string> ContainerTree::read_link(const std::string& path) const {
    const MountOp* op = mount_over(path);
    if (op != nullptr) {
        if (const TreeView* shown = shown_by(*op)) return shown->read_link(source_of(*op, path));
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
        return shown->read_text(resolve_in(*shown, source_of(*op, path)).path, limit);
    }
    const auto ghost = ghosts_.find(path);
    // An empty ghost is a mount point whose mount was found above; one with content is the file.
    if (ghost != ghosts_.end()) return ghost->second.content;
    return image_.read_text(path, limit);
}

Result<std::vector<std::string>> ContainerTree::list(const std::string& path) const {
    const MountOp* op = mount_over(path);
    if (op != nullptr) {
        const TreeView* shown = shown_by(*op);
        return shown != nullptr ? shown->list(source_of(*op, path)) : std::vector<std::string>();
    }
    std::vector<std::string> names;
    if (image_.look(path).kind == Node::Kind::directory) {
        SWRUN_TRY(names, image_.list(path));
    }
    for (const auto& [where, ghost] : ghosts_) {
        if (where != "/" && parent_path(where) == path) {
            const std::string name(base_name(where));
            const auto at = std::lower_bound(names.begin(), names.end(), name);
            if (at == names.end() || *at != name) names.insert(at, name);
        }
    }
    return names;
}

}  // namespace swrun
