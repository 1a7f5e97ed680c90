// SquashSource: one squashfs inside an open file, and the decoding of its data blocks.  Opened once per
// image, shared by all readers, immutable and thread-safe.  Reads by offset only, so that it may cross a
// fork; knows nothing of files and directories.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "squashfs/block_cache.h"
#include "squashfs/decompress.h"
#include "squashfs/squash_super.h"
#include "support/fd.h"
#include "support/result.h"

namespace swrun {

class SquashSource {
public:
    // `offset` and `size` as in ImageFacts.  Takes the descriptor; fails on a superblock that is not sane.
    [[nodiscard]] static Result<std::shared_ptr<const SquashSource>> open(Fd fd, std::uint64_t offset,
                                                                          std::uint64_t size);

    [[nodiscard]] const SquashSuper& super() const { return super_; }
    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] std::uint64_t offset() const { return offset_; }
    [[nodiscard]] std::uint64_t size() const { return size_; }

    // The decompressed block, from the cache or decoded now.  EIO when it is damaged or out of bounds.
    [[nodiscard]] Result<BlockPtr> block(BlockKey key, BlockCache& cache) const;

    // The same ahead of anybody's asking (BlockCache::fetch).  Damage shows to whoever asks.
    void fetch(BlockKey key, BlockCache& cache) const;

    // The same past any cache, for who reads each block once: into memory of the caller that holds a whole block
    // (super().block_size); gives the size.
    [[nodiscard]] Result<std::size_t> decode(BlockKey key, std::span<std::byte> into) const;

    // Exactly `into.size()` bytes at a position of the image; EIO when they are not there.
    [[nodiscard]] Status read(std::span<std::byte> into, std::uint64_t position) const;

    // How many bytes of the image a block takes; 0 is a hole.  (Block lists and fragment table.)
    [[nodiscard]] static std::uint32_t stored_size(std::uint32_t header) { return header & ~kStoredPlain; }

private:
    static constexpr std::uint32_t kStoredPlain = 1U << 24;

    SquashSource(Fd fd, std::uint64_t offset, std::uint64_t size, const SquashSuper& super)
        : fd_(std::move(fd)),
          offset_(offset),
          size_(size),
          super_(super),
          decompress_(decompressor_for(super.compression)) {}
    [[nodiscard]] Result<BlockPtr> decode_new(BlockKey key) const;

    Fd fd_;
    std::uint64_t offset_;
    std::uint64_t size_;
    SquashSuper super_;
    Decompressor decompress_;
};

}  // namespace swrun
