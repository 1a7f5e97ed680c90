// SquashReader: looks up, lists and reads what is in a squashfs image.  Called by the FUSE server (one per
// request, lent by reader_pool), by image_view and by the unpacker.  Data blocks go through the shared
// BlockCache.  Not thread-safe: one reader per user.  Follows no link, keeps no open files, and treats the
// image as hostile: damage is EIO, and no number of the image decides how much memory is taken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "squashfs/block_cache.h"
#include "squashfs/squash_metadata.h"
#include "squashfs/squash_node.h"
#include "squashfs/squash_source.h"
#include "squashfs/squash_xattrs.h"
#include "support/result.h"

namespace swrun {

// Part of a file without copying: bytes of `block` from `offset` on, or a hole of zeros.
struct FileSlice {
    BlockPtr block;  // null: zeros
    std::size_t offset = 0;
    std::size_t size = 0;
    BlockKey key;  // of the block

    // Nothing else of the block is left to be read.
    [[nodiscard]] bool is_whole() const { return block && size == block->size; }

    [[nodiscard]] std::span<const std::byte> view() const {
        return block ? block->view().subspan(offset, size) : std::span<const std::byte>();
    }
};

// One block of a file, for who reads all of it once.
struct FileBlock {
    BlockPtr held;                     // a fragment, which other files share
    std::span<const std::byte> bytes;  // empty: a hole
    std::uint64_t size = 0;
};

class SquashReader {
public:
    // Fails when the tables or the root directory cannot be read.  `hot`, if any, is asked for metadata; the caller
    // has attached it to `cache` himself.
    [[nodiscard]] static Result<SquashReader> open(std::shared_ptr<const SquashSource> source,
                                                   std::shared_ptr<BlockCache> cache,
                                                   const std::shared_ptr<const HotCache>& hot = nullptr);

    // nullopt when the directory has no such name; ENOTDIR when `directory` is none.
    [[nodiscard]] Result<std::optional<SquashEntry>> lookup(const SquashNode& directory, std::string_view name);

    [[nodiscard]] Result<SquashNode> root() { return node(source().super().root_inode); }
    [[nodiscard]] Result<SquashNode> node(std::uint64_t id) { return metadata_.node(id); }

    // Copies up to `into.size()` bytes; fewer only at the end of the file.
    [[nodiscard]] Result<std::size_t> read(const SquashNode& file, std::uint64_t offset, std::span<std::byte> into);

    // The longest piece from `offset` on that lies in one block, at most `size` bytes; empty at the end.
    [[nodiscard]] Result<FileSlice> slice(const SquashNode& file, std::uint64_t offset, std::uint64_t size);

    // Block `number` of a file, counted by the image's block size; only fragments go through the cache, all else
    // is decoded into `scratch` (of that size), where it lies until the next call.  Empty behind the end.
    [[nodiscard]] Result<FileBlock> block(const SquashNode& file, std::uint64_t number, std::span<std::byte> scratch);

    // Bytes of a file that lie in no hole.
    [[nodiscard]] Result<std::uint64_t> filled_size(const SquashNode& file);

    // Where block `number` of a file is stored; nullopt for a hole and past the end.
    [[nodiscard]] Result<std::optional<BlockKey>> key_of(const SquashNode& file, std::uint64_t number);

    // Where the blocks of that part of a file are stored, in order.
    [[nodiscard]] Result<std::vector<BlockKey>> keys_of(const SquashNode& file, std::uint64_t offset,
                                                        std::uint64_t size);

    // Where up to `limit` blocks behind that offset of a file are stored; behind its end, the next fragments: they hold the
    // small files that stand beside it in its directory, and beside that.
    [[nodiscard]] Result<std::vector<BlockKey>> keys_beyond(const SquashNode& file, std::uint64_t offset,
                                                            std::size_t limit);

    // Whether all of that part of a file can be had without decoding.
    [[nodiscard]] bool has_cached(const SquashNode& file, std::uint64_t offset, std::uint64_t size);

    // Lets go of a block that the kernel's own cache has all of now.
    void drop(const FileSlice& slice) { cache_->drop(slice.key); }

    // Entries in the order of the image (by byte value), without "." and "..", starting at `from`: 0, or
    // the `next` of an entry seen before.  At most `limit`; fewer only at the end.  What lookup() does not find is not
    // listed: of two entries of one name the second, and one that stands out of order.
    [[nodiscard]] Result<std::vector<SquashEntry>> list(const SquashNode& directory, std::uint64_t from,
                                                        std::size_t limit);

    // The target as stored.
    [[nodiscard]] Result<std::string> read_link(const SquashNode& link);

    // Of this reader: for as long as it is used.
    [[nodiscard]] SquashXattrs xattrs() { return SquashXattrs(metadata_); }

    [[nodiscard]] const SquashSource& source() const { return metadata_.source(); }
    [[nodiscard]] BlockCache& cache() { return *cache_; }
    [[nodiscard]] BlockCache& metadata_cache() { return metadata_.blocks(); }

    // For one more user: shares all that is cached.
    [[nodiscard]] SquashReader another() const { return {metadata_.another(), cache_}; }

private:
    // Where block kStep x k of a file begins, so that reading far into it does not add up all sizes.
    struct Checkpoint {
        MetaCursor sizes;
        std::uint64_t position = 0;
    };
    struct FileIndex {
        std::uint64_t id = 0;
        std::vector<Checkpoint> points;
    };
    struct Walk;

    SquashReader(SquashMetadata metadata, std::shared_ptr<BlockCache> cache)
        : metadata_(std::move(metadata)), cache_(std::move(cache)) {}

    [[nodiscard]] Result<Checkpoint> checkpoint(const SquashNode& file, std::uint64_t number);
    [[nodiscard]] Status add_sizes(Checkpoint& at, std::size_t count, std::uint32_t* last);
    // Where a block is stored (key.header of size 0: a hole), and how far into it the file's bytes begin.
    struct BlockPlace {
        BlockKey key;
        std::size_t offset = 0;
        bool fragment = false;
    };
    [[nodiscard]] Result<BlockPlace> place_of(const SquashNode& file, std::uint64_t number);
    [[nodiscard]] Result<BlockKey> locate(const SquashNode& file, std::uint64_t number);
    [[nodiscard]] Result<Walk> start_walk(const SquashNode& directory);
    [[nodiscard]] Status skip_ahead(Walk& walk, const SquashNode& directory, std::uint64_t from, std::string_view name);
    [[nodiscard]] Result<bool> step(Walk& walk, SquashEntry& entry);

    SquashMetadata metadata_;
    std::shared_ptr<BlockCache> cache_;
    std::vector<FileIndex> indexes_;  // most recently used last
};

}  // namespace swrun
