// SquashMetadata: inodes, ids and raw metadata of one squashfs.  All users of an image share its tables and
// decompressed metadata blocks: what the launcher has looked at while it planned, every thread of the image
// server finds there.  Nothing that an image says is believed: each position, size and count is checked
// before it is used.  One object per user; the shared part is thread-safe.
// Format: linux/fs/squashfs/squashfs_fs.h, version 4.0.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "squashfs/block_cache.h"
#include "squashfs/hot_cache.h"
#include "squashfs/squash_node.h"
#include "squashfs/squash_source.h"
#include "support/result.h"

namespace swrun {

class SquashMetadata {
public:
    // `hot`: where blocks are looked for before they are decoded; null: nowhere.
    [[nodiscard]] static Result<SquashMetadata> open(std::shared_ptr<const SquashSource> source,
                                                     const std::shared_ptr<const HotCache>& hot = nullptr);

    // Fills `into` from the cursor on, across blocks, and moves the cursor behind it.  EIO on damage.
    [[nodiscard]] Status read(MetaCursor& cursor, std::span<std::byte> into);

    // EIO for an id that is not of this image and for an inode that is damaged.
    [[nodiscard]] Result<SquashNode> node(std::uint64_t id);

    // Where fragment `index` is stored.
    [[nodiscard]] Result<BlockKey> fragment(std::uint32_t index);

    [[nodiscard]] const SquashSource& source() const { return *shared_->source; }

    // The decompressed blocks, for who counts or forgets them.
    [[nodiscard]] BlockCache& blocks() { return shared_->blocks; }

    // For one more user.
    [[nodiscard]] SquashMetadata another() const { return SquashMetadata(shared_); }

private:
    // 8 MiB: the metadata of a whole distribution.
    static constexpr std::size_t kCacheBytes = 8U << 20U;
    static constexpr std::size_t kRecent = 4;

    struct Shared {
        std::shared_ptr<const SquashSource> source;
        BlockCache blocks{kCacheBytes};
        std::vector<std::uint32_t> ids;
        std::vector<std::uint64_t> fragment_blocks;
    };
    // Blocks that this user has just used: no lock for the next entry of the same directory.
    struct Recent {
        std::uint64_t position = 0;
        BlockPtr block;
    };

    explicit SquashMetadata(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
    [[nodiscard]] Result<const Block*> block_at(std::uint64_t position);
    [[nodiscard]] Result<BlockPtr> decode(std::uint64_t position) const;
    [[nodiscard]] Status load_tables();
    [[nodiscard]] Result<std::vector<std::uint64_t>> load_index(std::uint64_t position, std::uint64_t bytes) const;

    std::shared_ptr<Shared> shared_;
    std::array<Recent, kRecent> recent_;
    std::size_t oldest_ = 0;
};

}  // namespace swrun
