// TreeView: "what is at this path?", the narrow window through which pure code sees a file tree.  One
// implementation looks at the host, one at an image, one at both as a launch will combine them, and
// tests have fakes.  Paths are absolute and lexically clean; the last component is never followed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "support/result.h"

namespace swrun {

struct Node {
    enum class Kind { absent, directory, file, symlink, other, unreachable };  // unreachable: EACCES on the way

    Kind kind = Kind::absent;
    std::uint32_t mode = 0;    // permission bits only
    std::uint64_t device = 0;  // 0 where a tree has no such thing
    std::uint64_t inode = 0;
    std::uint64_t size = 0;  // bytes

    friend bool operator==(const Node&, const Node&) = default;
};

class TreeView {
public:
    virtual ~TreeView() = default;

    [[nodiscard]] virtual Node look(const std::string& path) const = 0;
    // The target of a symbolic link, as stored.
    [[nodiscard]] virtual Result<std::string> read_link(const std::string& path) const = 0;
    // A regular file, followed through no link; EFBIG when it is longer than limit bytes.
    [[nodiscard]] virtual Result<std::string> read_text(const std::string& path, std::size_t limit) const = 0;
    // Names without "." and "..", sorted by byte value.
    [[nodiscard]] virtual Result<std::vector<std::string>> list(const std::string& path) const = 0;
};

// Follows symbolic links inside the tree, absolute ones from its root, ".." never above it, at most 40
// links (as the kernel).  `missing` counts trailing components that do not exist: 0 means that
// the whole path does.  The path is where the kernel would arrive, or where a missing one would be made.
struct ResolvedPath {
    std::string path;
    Node node;  // of the last existing component
    std::size_t missing = 0;
    bool loop = false;  // more than 40 links
    std::string link;   // the link that led here, or to what is in the way; empty where the names asked for did

    [[nodiscard]] bool exists() const { return missing == 0 && !loop && node.kind != Node::Kind::absent; }
};

[[nodiscard]] ResolvedPath resolve_in(const TreeView& tree, const std::string& path);

}  // namespace swrun
