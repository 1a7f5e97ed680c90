// GhostTree: the directories, files and links that a launch adds to an image and that the image server
// answers itself: mount points, generated /etc/passwd and the like.  Pure.  Built once from the plan's list;
// asked by the server before (for a replacement) or after (for an addition) it asks the image.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "plan/launch_plan.h"
#include "support/result.h"

namespace swrun {

// Ids of ghosts; a squashfs inode id is below 2^48.
inline constexpr std::uint64_t kGhostBit = std::uint64_t{1} << 63;

[[nodiscard]] constexpr bool is_ghost(std::uint64_t id) { return (id & kGhostBit) != 0; }

struct GhostNode {
    std::uint64_t id = 0;      // with kGhostBit; the same for the same list of ghosts
    std::uint64_t parent = 0;  // a ghost's id, or the inode id of an image directory
    Ghost::Kind kind = Ghost::Kind::directory;
    std::string name;
    std::string content;  // of a file; target of a link
    std::uint32_t mode = 0755;
    bool replaces = false;  // hides an entry of the image

    [[nodiscard]] std::uint64_t size() const { return content.size(); }
};

// What the image has at a path.
struct ImageSpot {
    std::uint64_t id = 0;
    bool is_directory = false;
};

class GhostTree {
public:
    // Looks at an absolute clean path of the image, without following links.
    using Finder = std::function<std::optional<ImageSpot>(const std::string& path)>;

    GhostTree() = default;

    // Parents come before children, as in RootPlan.  A directory that the image has already is left to it; one
    // in place of a file or link hides that.
    // Errors: a path that is not absolute and clean, a parent that is neither in the image nor a ghost, a file
    // or link in place of a directory, one path twice with different content.
    [[nodiscard]] static Result<GhostTree> build(std::span<const Ghost> ghosts, const Finder& find_in_image);

    // Entry `name` of a directory (an image's inode id or a ghost's); null: ask the image.
    [[nodiscard]] const GhostNode* child(std::uint64_t directory, std::string_view name) const;

    // All entries that ghosts add to, or replace in, a directory; sorted by name.
    [[nodiscard]] std::vector<const GhostNode*> children(std::uint64_t directory) const;
    [[nodiscard]] bool has_children(std::uint64_t directory) const { return by_parent_.contains(directory); }
    // How many of these are directories: each is one more link to the directory that it is in.
    [[nodiscard]] std::uint32_t subdirectories(std::uint64_t directory) const;

    [[nodiscard]] const GhostNode* find(std::uint64_t id) const;
    [[nodiscard]] const GhostNode* at_path(const std::string& path) const;
    [[nodiscard]] bool empty() const { return nodes_.empty(); }

private:
    [[nodiscard]] Status add(const Ghost& ghost, const Finder& find_in_image);
    [[nodiscard]] Result<std::uint64_t> parent_of(const Ghost& ghost, const Finder& find_in_image) const;

    std::vector<GhostNode> nodes_;  // the id is the index, with kGhostBit
    std::unordered_map<std::string, std::size_t> by_path_;
    std::unordered_map<std::uint64_t, std::map<std::string, std::size_t, std::less<>>> by_parent_;
};

}  // namespace swrun
