// ExtView: the tree inside an ext3 image as a TreeView, for the planning code and for inspect, through
// libext2fs, which is used in this room's ext_view.cpp only.  Looks and never writes, replays no journal,
// follows no link; the kernel driver or fuse2fs(1) serves the files later.  Not thread-safe.
// Source: e2fsprogs, "The EXT2FS Library" (libext2fs.texinfo).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "plan/tree_view.h"

struct struct_ext2_filsys;

namespace swrun {

class ExtView : public TreeView {
public:
    // `fd` is borrowed and outlives the view; the file system starts `offset` bytes into it.
    [[nodiscard]] static Result<std::unique_ptr<ExtView>> open(int fd, std::uint64_t offset);

    [[nodiscard]] Node look(const std::string& path) const override;
    [[nodiscard]] Result<std::string> read_link(const std::string& path) const override;
    [[nodiscard]] Result<std::string> read_text(const std::string& path, std::size_t limit) const override;
    [[nodiscard]] Result<std::vector<std::string>> list(const std::string& path) const override;

private:
    struct Close {
        void operator()(struct_ext2_filsys* fs) const;
    };
    using FileSystem = std::unique_ptr<struct_ext2_filsys, Close>;

    explicit ExtView(FileSystem fs) : fs_(std::move(fs)) {}
    // 0 when there is nothing.
    [[nodiscard]] std::uint32_t find(const std::string& path) const;
    [[nodiscard]] Result<std::string> read(std::uint32_t inode, const std::string& path, std::size_t limit) const;

    FileSystem fs_;
};

}  // namespace swrun
