#include "image/ghost_tree.h"

#include <algorithm>
#include <utility>

#include "support/path.h"

namespace swrun {
namespace {

constexpr std::size_t kMaxName = 255;

Error refused(const Ghost& ghost, const std::string& why) {
    return make_error(Error::Kind::internal, "cannot add " + ghost.path + " to the image: " + why);
}

Status check_path(const Ghost& ghost) {
    if (!ghost.path.starts_with('/') || ghost.path == "/" || clean_path(ghost.path) != ghost.path ||
        ghost.path.find('\0') != std::string::npos) {
        return refused(ghost, "the path is not absolute and clean");
    }
    if (base_name(ghost.path).size() > kMaxName) return refused(ghost, "its name is too long");
    return Unit{};
}

bool same(const GhostNode& node, const Ghost& ghost) {
    if (node.kind != ghost.kind) return false;
    if (ghost.kind == Ghost::Kind::directory) return true;
    return node.content == ghost.content && node.mode == ghost.mode;
}

}  // namespace

Result<GhostTree> GhostTree::build(std::span<const Ghost> ghosts, const Finder& find_in_image) {
    GhostTree tree;
    tree.nodes_.reserve(ghosts.size());
    for (const Ghost& ghost : ghosts) SWRUN_CHECK(tree.add(ghost, find_in_image));
    return tree;
}

Result<std::uint64_t> GhostTree::parent_of(const Ghost& ghost, const Finder& find_in_image) const {
    const std::string path(parent_path(ghost.path));
    if (const GhostNode* node = at_path(path)) {
        if (node->kind == Ghost::Kind::directory) return node->id;
        return refused(ghost, path + " is not a directory");
    }
    const std::optional<ImageSpot> spot = find_in_image(path);
    if (!spot) return refused(ghost, path + " does not exist");
    if (!spot->is_directory) return refused(ghost, path + " is not a directory");
    if (is_ghost(spot->id)) return refused(ghost, path + " has an inode number that is not of an image");
    return spot->id;
}

Status GhostTree::add(const Ghost& ghost, const Finder& find_in_image) {
    SWRUN_CHECK(check_path(ghost));
    if (const GhostNode* known = at_path(ghost.path)) {
        if (same(*known, ghost)) return Unit{};
        return refused(ghost, "it is added twice");
    }
    SWRUN_TRY(const std::uint64_t parent, parent_of(ghost, find_in_image));
    // Below a ghost there is nothing of the image.
    const std::optional<ImageSpot> old = is_ghost(parent) ? std::nullopt : find_in_image(ghost.path);
    const bool directory = ghost.kind == Ghost::Kind::directory;
    if (old && directory && old->is_directory) return Unit{};
    if (old && old->is_directory) return refused(ghost, "the image has a directory there");
    GhostNode node;
    node.id = nodes_.size() | kGhostBit;
    node.parent = parent;
    node.kind = ghost.kind;
    node.name = base_name(ghost.path);
    node.content = directory ? std::string() : ghost.content;
    node.mode = ghost.kind == Ghost::Kind::symlink ? 0777U : ghost.mode & 07777U;
    node.replaces = old.has_value();
    by_path_.emplace(ghost.path, nodes_.size());
    by_parent_[parent].emplace(node.name, nodes_.size());
    nodes_.push_back(std::move(node));
    return Unit{};
}

const GhostNode* GhostTree::child(std::uint64_t directory, std::string_view name) const {
    const auto names = by_parent_.find(directory);
    if (names == by_parent_.end()) return nullptr;
    const auto found = names->second.find(name);
    return found == names->second.end() ? nullptr : &nodes_[found->second];
}

std::vector<const GhostNode*> GhostTree::children(std::uint64_t directory) const {
    std::vector<const GhostNode*> list;
    const auto names = by_parent_.find(directory);
    if (names == by_parent_.end()) return list;
    for (const auto& [name, index] : names->second) list.push_back(&nodes_[index]);
    return list;
}

std::uint32_t GhostTree::subdirectories(std::uint64_t directory) const {
    const auto names = by_parent_.find(directory);
    if (names == by_parent_.end()) return 0;
    const auto is_directory = [this](const auto& one) { return nodes_[one.second].kind == Ghost::Kind::directory; };
    return static_cast<std::uint32_t>(std::ranges::count_if(names->second, is_directory));
}

const GhostNode* GhostTree::find(std::uint64_t id) const {
    const std::uint64_t index = id & ~kGhostBit;
    return is_ghost(id) && index < nodes_.size() ? &nodes_[index] : nullptr;
}

const GhostNode* GhostTree::at_path(const std::string& path) const {
    const auto found = by_path_.find(path);
    return found == by_path_.end() ? nullptr : &nodes_[found->second];
}

}  // namespace swrun
