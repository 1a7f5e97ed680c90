// DirectoryView: a directory image ("sandbox") as a TreeView.  Every path is opened below the image's own
// descriptor and can never leave it, whatever links lie on the way; on kernels before 5.6 (no openat2) by
// a walk of one component at a time.  Called by the planning code and by inspect.  Never writes.
#pragma once

#include <string>
#include <vector>

#include "plan/tree_view.h"
#include "support/fd.h"

namespace swrun {

class DirectoryView : public TreeView {
public:
    enum class Way { kernel, walk };  // walk: as if the kernel had no openat2

    // `root`: a descriptor of the directory, borrowed; O_PATH is enough.
    explicit DirectoryView(int root, Way way = Way::kernel) : root_(root), way_(way) {}

    [[nodiscard]] Node look(const std::string& path) const override;
    [[nodiscard]] Result<std::string> read_link(const std::string& path) const override;
    [[nodiscard]] Result<std::string> read_text(const std::string& path, std::size_t limit) const override;
    [[nodiscard]] Result<std::vector<std::string>> list(const std::string& path) const override;

    // Opens a path below the root; the last component is not followed.  `flags` without O_CREAT.
    [[nodiscard]] Result<Fd> open_below(const std::string& path, int flags) const;

private:
    int root_;
    mutable Way way_;
};

}  // namespace swrun
