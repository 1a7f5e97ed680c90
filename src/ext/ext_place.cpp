// Which block of the file system holds a block of a file: the maps of ext2 and ext3, the extents of ext4.

#include <algorithm>
#include <string>

#include "ext/ext_source.h"
#include "support/byte_reader.h"

namespace swrun {
namespace {

constexpr std::uint64_t kDirect = 12;
constexpr unsigned kMapLevels = 3;
constexpr std::uint16_t kExtentMagic = 0xF30A;
constexpr std::uint16_t kMostDepth = 5;
constexpr std::size_t kExtentRecord = 12;  // the head of a node is as long
constexpr std::uint16_t kMostWritten = 32768;

struct ExtentHead {
    std::uint16_t entries = 0;
    std::uint16_t depth = 0;
};

std::string of_inode(const ExtInode& inode) { return " of inode " + std::to_string(inode.number); }

std::uint32_t map_entry(std::span<const std::byte> entries, std::uint64_t index) {
    return ByteReader(entries.subspan(index * 4, 4)).u32();
}

Result<ExtentHead> extent_head(std::span<const std::byte> node, const ExtInode& inode) {
    ByteReader reader(node);
    const std::uint16_t magic = reader.u16();
    const std::uint16_t entries = reader.u16();
    reader.skip(2);
    const std::uint16_t depth = reader.u16();
    if (magic != kExtentMagic || entries > node.size() / kExtentRecord - 1 || depth > kMostDepth) {
        return ext_damaged("the extents" + of_inode(inode) + " make no sense");
    }
    return ExtentHead{entries, depth};
}

// The last record that begins at `index` or before it; empty when all begin behind it.  They are sorted: in a node
// where they are not, some record or none is found.
std::span<const std::byte> extent_record(std::span<const std::byte> node, std::uint16_t entries, std::uint64_t index) {
    std::size_t found = 0;  // how many begin at `index` or before
    for (std::size_t end = entries; found < end;) {
        const std::size_t middle = found + (end - found) / 2;
        const std::uint32_t first = ByteReader(node.subspan((middle + 1) * kExtentRecord)).u32();
        if (first <= index) {
            found = middle + 1;
        } else {
            end = middle;
        }
    }
    return found == 0 ? std::span<const std::byte>() : node.subspan(found * kExtentRecord, kExtentRecord);
}

// Of a leaf: the block that belongs to `index`; 0 behind the extent's end, and where nothing has been written yet.
std::uint64_t place_in_extent(std::span<const std::byte> record, std::uint64_t index) {
    ByteReader reader(record);
    const std::uint64_t ahead = index - reader.u32();
    const std::uint16_t length = reader.u16();
    const std::uint64_t high = reader.u16();
    const std::uint64_t start = high << 32U | reader.u32();
    return length <= kMostWritten && ahead < length ? start + ahead : 0;
}

}  // namespace

Result<std::uint64_t> ExtSource::place(const ExtInode& inode, std::uint64_t index) {
    SWRUN_TRY(const std::uint64_t number,
              inode.has_extents() ? place_in_extents(inode, index) : place_in_map(inode, index));
    if (number < super_.blocks) return number;
    return ext_damaged("block " + std::to_string(number) + of_inode(inode) + " is not inside its file system");
}

Result<std::uint64_t> ExtSource::place_in_map(const ExtInode& inode, std::uint64_t index) {
    if (index < kDirect) return map_entry(inode.content, index);
    // A tree for each number of levels: one of blocks of numbers, one of blocks of those, ...
    const std::uint64_t per_block = super_.block_size / 4;
    std::uint64_t left = index - kDirect;
    std::uint64_t reach = per_block;
    unsigned level = 0;
    while (left >= reach && level < kMapLevels) {
        left -= reach;
        reach *= per_block;
        ++level;
    }
    if (level == kMapLevels) return ext_damaged("the size" + of_inode(inode) + " is more than a file can have");
    std::uint64_t number = map_entry(inode.content, kDirect + level);
    while (number != 0 && reach > 1) {
        reach /= per_block;
        SWRUN_TRY(const Block entries, block(number));
        number = map_entry(*entries, left / reach);
        left %= reach;
    }
    return number;
}

Result<std::uint64_t> ExtSource::place_in_extents(const ExtInode& inode, std::uint64_t index) {
    std::span<const std::byte> node = inode.content;
    Block held;
    SWRUN_TRY(ExtentHead head, extent_head(node, inode));
    while (true) {
        const std::span<const std::byte> record = extent_record(node, head.entries, index);
        if (record.empty()) return std::uint64_t{0};
        if (head.depth == 0) return place_in_extent(record, index);
        ByteReader reader(record.subspan(4));
        const std::uint64_t low = reader.u32();
        SWRUN_TRY(held, block(std::uint64_t{reader.u16()} << 32U | low));
        node = *held;
        SWRUN_TRY(const ExtentHead below, extent_head(node, inode));
        // Each step goes one level down, so whatever the blocks say, there is an end.
        if (below.depth != head.depth - 1) return ext_damaged("the extents" + of_inode(inode) + " make no sense");
        head = below;
    }
}

}  // namespace swrun
