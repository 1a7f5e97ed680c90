#include "squashfs/squash_source.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "squashfs/damage.h"
#include "support/io.h"

namespace swrun {
namespace {

// Of the calling thread, at least that many bytes, which nobody has filled: pages that no block is large enough for are never
// brought in.
std::span<std::byte> packed_memory(std::size_t size) {
    thread_local std::unique_ptr<std::byte[]> memory;
    thread_local std::size_t there = 0;
    if (there < size) {
        memory = std::make_unique_for_overwrite<std::byte[]>(size);
        there = size;
    }
    return {memory.get(), there};
}

}  // namespace

Result<std::shared_ptr<const SquashSource>> SquashSource::open(Fd fd, std::uint64_t offset, std::uint64_t size) {
    constexpr auto kMaxOffset = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (offset > kMaxOffset || size > kMaxOffset - offset) {
        return make_error(Error::Kind::image, "not a valid squashfs image");
    }
    std::array<std::byte, kSquashSuperSize> bytes{};
    SWRUN_TRY(const std::size_t count, read_at(fd.get(), bytes, offset));
    SWRUN_TRY(const SquashSuper raw, parse_squash_super(std::span(bytes).first(count)));
    SWRUN_TRY(const SquashSuper super, check_squash_super(raw, size));
    return std::shared_ptr<const SquashSource>(new SquashSource(std::move(fd), offset, size, super));
}

Status SquashSource::read(std::span<std::byte> into, std::uint64_t position) const {
    if (position <= size_ && into.size() <= size_ - position) {
        SWRUN_TRY(const std::size_t count, read_at(fd_.get(), into, offset_ + position));
        if (count == into.size()) return Unit{};
    }
    return image_damaged("there are no " + std::to_string(into.size()) + " bytes at " + std::to_string(position));
}

Result<BlockPtr> SquashSource::block(BlockKey key, BlockCache& cache) const {
    return cache.get(key, [this, key] { return decode_new(key); });
}

void SquashSource::fetch(BlockKey key, BlockCache& cache) const {
    cache.fetch(key, [this, key] { return decode_new(key); });
}

Result<std::size_t> SquashSource::decode(BlockKey key, std::span<std::byte> into) const {
    // Builders store a block as it is when compression does not make it smaller.
    const std::size_t stored = stored_size(key.header);
    const auto damaged = [&] {
        return image_damaged("the data block at " + std::to_string(key.position) + " cannot be decoded");
    };
    if (stored == 0 || stored > super_.block_size) return damaged();
    if ((key.header & kStoredPlain) != 0) {
        if (stored > into.size()) return damaged();
        SWRUN_CHECK(read(into.first(stored), key.position));
        return stored;
    }
    const std::span<std::byte> packed = packed_memory(super_.block_size).first(stored);
    SWRUN_CHECK(read(packed, key.position));
    const std::optional<std::size_t> size = decompress_(packed, into);
    if (!size || *size == 0) return damaged();
    return *size;
}

Result<BlockPtr> SquashSource::decode_new(BlockKey key) const {
    const std::size_t room = (key.header & kStoredPlain) != 0
                                 ? std::min<std::size_t>(stored_size(key.header), super_.block_size)
                                 : super_.block_size;
    auto block = std::make_shared<Block>();
    block->bytes = block_memory(room);
    SWRUN_TRY(block->size, decode(key, {block->bytes.get(), room}));
    // The end of a file must not keep the memory of a whole block: the cache counts bytes.
    if (block->size <= room / 2) {
        BlockBytes fitting = block_memory(block->size);
        std::memcpy(fitting.get(), block->bytes.get(), block->size);
        block->bytes = std::move(fitting);
    }
    return BlockPtr(std::move(block));
}

}  // namespace swrun
