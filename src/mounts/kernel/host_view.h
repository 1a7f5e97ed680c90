// HostView: TreeView over the host's own file tree, or over the container's once the root has been
// switched.  Read-only; nothing is cached, so it always tells the present.
#pragma once

#include "plan/tree_view.h"

namespace swrun {

class HostView : public TreeView {
public:
    [[nodiscard]] Node look(const std::string& path) const override;
    [[nodiscard]] Result<std::string> read_link(const std::string& path) const override;
    [[nodiscard]] Result<std::string> read_text(const std::string& path, std::size_t limit) const override;
    [[nodiscard]] Result<std::vector<std::string>> list(const std::string& path) const override;
};

}  // namespace swrun
