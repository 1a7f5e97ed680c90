#include "squashfs/squash_metadata.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "squashfs/damage.h"
#include "squashfs/squash_inode.h"
#include "support/byte_reader.h"

namespace swrun {
namespace {

constexpr std::size_t kFragmentSize = 16;
constexpr std::size_t kHeaderSize = 2;
constexpr std::uint16_t kStoredPlain = 0x8000;

Error damaged_block(std::uint64_t position) {
    return image_damaged("the metadata block at " + std::to_string(position) + " cannot be read");
}

Error damaged_inode(std::uint64_t id, const char* what) {
    return image_damaged("the inode at " + std::to_string(id >> 16U) + ":" + std::to_string(id & 0xffffU) + " " + what);
}

}  // namespace

Result<SquashMetadata> SquashMetadata::open(std::shared_ptr<const SquashSource> source,
                                            const std::shared_ptr<const HotCache>& hot) {
    auto shared = std::make_shared<Shared>();
    if (hot) HotCache::attach(hot, shared->blocks);
    shared->source = std::move(source);
    SquashMetadata metadata(std::move(shared));
    SWRUN_CHECK(metadata.load_tables());
    return metadata;
}

Result<std::vector<std::uint64_t>> SquashMetadata::load_index(std::uint64_t position, std::uint64_t bytes) const {
    // check_squash_super() has compared the count with the size of the image.
    std::vector<std::byte> raw((bytes + kSquashMetaBlock - 1) / kSquashMetaBlock * sizeof(std::uint64_t));
    SWRUN_CHECK(source().read(raw, position));
    std::vector<std::uint64_t> blocks;
    blocks.reserve(raw.size() / sizeof(std::uint64_t));
    ByteReader reader(raw);
    while (reader.left() > 0) blocks.push_back(reader.u64());
    return blocks;
}

Status SquashMetadata::load_tables() {
    const SquashSuper& super = source().super();
    const std::size_t id_bytes = std::size_t{super.ids} * sizeof(std::uint32_t);
    SWRUN_TRY(const std::vector<std::uint64_t> id_blocks, load_index(super.id_table, id_bytes));
    std::vector<std::byte> raw(id_bytes);
    for (std::size_t i = 0; i < id_blocks.size(); ++i) {
        MetaCursor cursor{id_blocks[i], 0};
        const std::span<std::byte> rest = std::span(raw).subspan(i * kSquashMetaBlock);
        SWRUN_CHECK(read(cursor, rest.first(std::min(rest.size(), kSquashMetaBlock))));
    }
    ByteReader reader(raw);
    shared_->ids.reserve(super.ids);
    while (reader.left() > 0) shared_->ids.push_back(reader.u32());
    if (super.fragments == 0) return Unit{};
    const std::uint64_t fragment_bytes = std::uint64_t{super.fragments} * kFragmentSize;
    SWRUN_TRY(shared_->fragment_blocks, load_index(super.fragment_table, fragment_bytes));
    return Unit{};
}

// A block is a header, its stored size and whether it is compressed, and up to 8 KiB.
Result<BlockPtr> SquashMetadata::decode(std::uint64_t position) const {
    const SquashSource& image = source();
    if (position < kSquashSuperSize || position >= image.size()) return damaged_block(position);
    std::array<std::byte, kHeaderSize + kSquashMetaBlock> raw;
    const std::size_t there = static_cast<std::size_t>(std::min<std::uint64_t>(raw.size(), image.size() - position));
    SWRUN_CHECK(image.read(std::span(raw).first(there), position));
    const std::uint16_t header = ByteReader(raw).u16();
    const std::size_t stored = header & ~kStoredPlain;
    if (there < kHeaderSize || stored == 0 || stored > there - kHeaderSize) {
        return damaged_block(position);
    }
    const std::span<const std::byte> packed = std::span(raw).subspan(kHeaderSize, stored);
    std::array<std::byte, kSquashMetaBlock> plain;
    std::span<const std::byte> content = packed;
    if ((header & kStoredPlain) == 0) {
        const Inflated size = decompressor_for(image.super().compression)(packed, plain);
        if (!size || *size == 0) return damaged_block(position);
        content = std::span(plain).first(*size);
    }
    auto block = std::make_shared<Block>();
    block->bytes = block_memory(content.size());
    block->size = content.size();
    block->stored = static_cast<std::uint32_t>(kHeaderSize + stored);
    std::memcpy(block->bytes.get(), content.data(), content.size());
    return BlockPtr(std::move(block));
}

// Valid until the next call.
Result<const Block*> SquashMetadata::block_at(std::uint64_t position) {
    for (const Recent& recent : recent_) {
        if (recent.block && recent.position == position) return recent.block.get();
    }
    SWRUN_TRY(BlockPtr block, shared_->blocks.get({position, 0}, [&] { return decode(position); }));
    Recent& recent = recent_[oldest_];
    oldest_ = (oldest_ + 1) % kRecent;
    recent = {position, std::move(block)};
    return recent.block.get();
}

Status SquashMetadata::read(MetaCursor& cursor, std::span<std::byte> into) {
    while (!into.empty()) {
        SWRUN_TRY(const Block* block, block_at(cursor.block));
        if (cursor.offset > block->size) return damaged_block(cursor.block);
        const std::size_t count = std::min<std::size_t>(into.size(), block->size - cursor.offset);
        std::memcpy(into.data(), block->bytes.get() + cursor.offset, count);
        into = into.subspan(count);
        cursor.offset += static_cast<std::uint32_t>(count);
        if (cursor.offset == block->size) cursor = {cursor.block + block->stored, 0};
    }
    return Unit{};
}

Result<SquashNode> SquashMetadata::node(std::uint64_t id) {
    const SquashSuper& super = source().super();
    MetaCursor cursor{super.inode_table + (id >> 16), static_cast<std::uint32_t>(id & 0xffff)};
    if ((id >> 16) >= super.directory_table - super.inode_table) return damaged_inode(id, "is outside of the table");
    std::array<std::byte, kSquashInodeMost> raw;
    const std::span<std::byte> base = std::span(raw).first(kSquashInodeBase);
    SWRUN_CHECK(read(cursor, base));
    const std::optional<std::size_t> size = squash_inode_size(base);
    if (!size) return damaged_inode(id, "has a type that there is none of");
    SWRUN_CHECK(read(cursor, std::span(raw).first(*size).subspan(base.size())));
    std::optional<SquashNode> node = parse_squash_inode(std::span(raw).first(*size), super.directory_table);
    if (!node) return damaged_inode(id, "cannot be read");
    const std::vector<std::uint32_t>& ids = shared_->ids;
    if (node->uid >= ids.size() || node->gid >= ids.size())
        return damaged_inode(id, "has an owner that there is none of");
    node->uid = ids[node->uid];
    node->gid = ids[node->gid];
    node->id = id;
    node->content = cursor;
    return *node;
}

Result<BlockKey> SquashMetadata::fragment(std::uint32_t index) {
    if (index >= source().super().fragments) return image_damaged("there is no fragment " + std::to_string(index));
    constexpr std::size_t kPerBlock = kSquashMetaBlock / kFragmentSize;
    MetaCursor cursor{shared_->fragment_blocks[index / kPerBlock],
                      static_cast<std::uint32_t>(index % kPerBlock * kFragmentSize)};
    std::array<std::byte, kFragmentSize> raw{};
    SWRUN_CHECK(read(cursor, raw));
    ByteReader reader(raw);
    BlockKey key;
    key.position = reader.u64();
    key.header = reader.u32();
    return key;
}

}  // namespace swrun
