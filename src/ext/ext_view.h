// ExtView: the tree inside an ext2, ext3 or ext4 image as a TreeView, for the planning code and for inspect.  Looks and
// never writes, replays no journal, follows no link; fuse2fs(1) serves the files later.  What is damaged is absent to
// look(), and an Error "the image is damaged: ..." to all others.  Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ext/ext_records.h"
#include "ext/ext_source.h"
#include "plan/tree_view.h"

namespace swrun {

class ExtView : public TreeView {
public:
    // `fd` is borrowed and outlives the view; the file system is `size` bytes from `offset` on.
    [[nodiscard]] static Result<std::unique_ptr<ExtView>> open(int fd, std::uint64_t offset, std::uint64_t size);

    [[nodiscard]] Node look(const std::string& path) const override;
    [[nodiscard]] Result<std::string> read_link(const std::string& path) const override;
    [[nodiscard]] Result<std::string> read_text(const std::string& path, std::size_t limit) const override;
    [[nodiscard]] Result<std::vector<std::string>> list(const std::string& path) const override;

private:
    using See = std::function<bool(const ExtName&)>;  // false: no more

    explicit ExtView(ExtSource source) : source_(std::move(source)) {}
    // Begins an operation.  ENOENT when there is nothing.
    [[nodiscard]] Result<ExtInode> find(std::string_view call, const std::string& path) const;
    [[nodiscard]] Status see_names(const ExtInode& directory, const See& see) const;
    [[nodiscard]] Result<std::string> content(const ExtInode& inode, const std::string& path, std::size_t limit) const;

    mutable ExtSource source_;  // has a cache
};

}  // namespace swrun
