// SnapshotView: another tree as it was when it was first asked about each path.  A plan then sees one state of the host,
// however often its parts ask, and every component of a path costs one system call.  Not thread-safe.
#pragma once

#include <string>
#include <unordered_map>

#include "plan/tree_view.h"

namespace swrun {

class SnapshotView : public TreeView {
public:
    // Borrowed.
    explicit SnapshotView(const TreeView& tree) : tree_(tree) {}

    [[nodiscard]] Node look(const std::string& path) const override;
    [[nodiscard]] Result<std::string> read_link(const std::string& path) const override;
    // These are asked for once anyway.
    [[nodiscard]] Result<std::string> read_text(const std::string& path, std::size_t limit) const override {
        return tree_.read_text(path, limit);
    }
    [[nodiscard]] Result<std::vector<std::string>> list(const std::string& path) const override {
        return tree_.list(path);
    }

private:
    const TreeView& tree_;
    mutable std::unordered_map<std::string, Node> nodes_;
    mutable std::unordered_map<std::string, Result<std::string>> links_;
};

}  // namespace swrun
