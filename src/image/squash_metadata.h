// SquashMetadata: inodes, ids and raw metadata of one squashfs, through one libsquashfuse handle.  Its .cpp
// is the only file with that library's headers.  The library does not check where a cursor points, how long
// a name is or whether a table has an entry; every such check is made here or in squash_reader, and the
// parts of the library that cannot be guarded (directory walks, tables, ranges) are not used.
// Not thread-safe: one object per user.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "image/block_cache.h"
#include "image/squash_node.h"
#include "image/squash_source.h"
#include "support/result.h"

namespace swrun {

class SquashMetadata {
public:
    [[nodiscard]] static Result<SquashMetadata> open(std::shared_ptr<const SquashSource> source);

    SquashMetadata(SquashMetadata&&) noexcept;
    SquashMetadata& operator=(SquashMetadata&&) noexcept;
    ~SquashMetadata();

    // Fills `into` from the cursor on, across blocks, and moves the cursor behind it.  EIO on damage.
    [[nodiscard]] Status read(MetaCursor& cursor, std::span<std::byte> into);

    // EIO for an id that is not of this image, ENOTSUP for an inode type of another format version.
    [[nodiscard]] Result<SquashNode> node(std::uint64_t id);

    // Where fragment `index` is stored.
    [[nodiscard]] Result<BlockKey> fragment(std::uint32_t index);

    [[nodiscard]] const SquashSource& source() const { return *source_; }

    // How many metadata blocks this process has decompressed, for all images together: the library hands
    // its decompressor nothing to tell one image from another.
    [[nodiscard]] static std::uint64_t decoded_blocks();

private:
    struct Handle;
    explicit SquashMetadata(std::shared_ptr<const SquashSource> source);
    [[nodiscard]] Status load_tables();
    [[nodiscard]] Result<std::vector<std::uint64_t>> load_index(std::uint64_t position, std::uint64_t bytes);

    std::shared_ptr<const SquashSource> source_;
    std::unique_ptr<Handle> handle_;
    std::vector<std::uint32_t> ids_;
    std::vector<std::uint64_t> fragment_blocks_;
};

}  // namespace swrun
