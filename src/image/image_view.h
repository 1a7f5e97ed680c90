// ImageView: the tree inside a squashfs image as a TreeView, for the planning code and for inspect.  Looks
// through one SquashReader, remembers paths that it has seen, follows no link and knows no permissions:
// who may read the image file may see all of it.  Not thread-safe.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "plan/tree_view.h"
#include "squashfs/squash_reader.h"

namespace swrun {

class ImageView : public TreeView {
public:
    explicit ImageView(SquashReader& reader) : reader_(reader) {}

    [[nodiscard]] Node look(const std::string& path) const override;
    [[nodiscard]] Result<std::string> read_link(const std::string& path) const override;
    [[nodiscard]] Result<std::string> read_text(const std::string& path, std::size_t limit) const override;
    [[nodiscard]] Result<std::vector<std::string>> list(const std::string& path) const override;

    // The inode at a path; nullopt when there is none, or when it cannot be read.
    [[nodiscard]] std::optional<SquashNode> find(const std::string& path) const;

private:
    // An absent path is a success; damage on the way is not.
    [[nodiscard]] Result<std::optional<SquashNode>> walk(const std::string& path) const;
    [[nodiscard]] Result<SquashNode> need(const char* call, const std::string& path) const;

    SquashReader& reader_;
    mutable std::unordered_map<std::string, std::optional<SquashNode>> seen_;
};

}  // namespace swrun
