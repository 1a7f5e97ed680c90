#include "plan/snapshot_view.h"

namespace swrun {

Node SnapshotView::look(const std::string& path) const {
    const auto known = nodes_.find(path);
    if (known != nodes_.end()) return known->second;
    return nodes_.emplace(path, tree_.look(path)).first->second;
}

Result<std::string> SnapshotView::read_link(const std::string& path) const {
    const auto known = links_.find(path);
    if (known != links_.end()) return known->second;
    return links_.emplace(path, tree_.read_link(path)).first->second;
}

}  // namespace swrun
