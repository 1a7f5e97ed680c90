// TreeView: "what is at this path?", the narrow window through which pure code sees a file tree.  One
// implementation looks at the host, one at an image, one at both as a launch will combine them, and
// tests have fakes.  Paths are absolute and lexically clean; the last component is never followed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace swrun {

struct Node {
    // absent: ENOENT or ENOTDIR; unreachable: whether it is there cannot be told, for any other reason.
    enum class Kind { absent, directory, file, symlink, other, unreachable };

    Kind kind = Kind::absent;
    std::uint32_t mode = 0;    // permission bits only
    std::uint64_t device = 0;  // 0 where a tree has no such thing
    std::uint64_t inode = 0;
    std::uint64_t size = 0;  // bytes
    int sys_errno = 0;       // why it is absent or unreachable; 0: the tree does not say

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
    bool loop = false;  // more than 40 links, or one that could not be read
    int sys_errno = 0;  // why it does not exist, as the kernel would say; 0: it does
    std::string link;   // the link that led here, or to what is in the way; empty where the names asked for did

    [[nodiscard]] bool exists() const { return missing == 0 && !loop && node.kind != Node::Kind::absent; }
};

[[nodiscard]] ResolvedPath resolve_in(const TreeView& tree, const std::string& path);

// A request's path that does not exist, or cannot be reached: "OBJECT doesn't exist: no such file or directory",
// "OBJECT cannot be reached: permission denied (EACCES)", with its errno and a hint where there is one.
[[nodiscard]] Error missing_error(std::string_view object, const ResolvedPath& found);

// The same part behind the colon alone.
[[nodiscard]] std::string why_missing(const ResolvedPath& found);

}  // namespace swrun
