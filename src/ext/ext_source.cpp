#include "ext/ext_source.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "ext/ext_records.h"
#include "support/byte_reader.h"
#include "support/io.h"

namespace swrun {

ExtInode::Kind ExtInode::kind() const {
    if (S_ISDIR(mode)) return Kind::directory;
    if (S_ISREG(mode)) return Kind::file;
    if (S_ISLNK(mode)) return Kind::symlink;
    return Kind::other;
}

Result<ExtSource> ExtSource::open(int fd, std::uint64_t offset, std::uint64_t size) {
    ExtSource source(fd, offset, size);
    std::array<std::byte, kExtSuperSize> bytes{};
    SWRUN_CHECK(source.read_bytes(kExtSuperPosition, bytes));
    SWRUN_TRY(source.super_, parse_ext_super(bytes));
    return source;
}

Status ExtSource::read_bytes(std::uint64_t position, std::span<std::byte> into) const {
    if (position > size_ || into.size() > size_ - position) {
        return ext_damaged("it is cut short, byte " + std::to_string(position) + " of its file system is not there");
    }
    SWRUN_TRY(const std::size_t got, read_at(fd_, into, offset_ + position));
    if (got == into.size()) return {};
    return ext_damaged("it is cut short, byte " + std::to_string(position + got) + " of its file system is not there");
}

Status ExtSource::read(std::uint64_t number, std::span<std::byte> into) const {
    // The first comparison keeps the product from running over; that of the size is made by read_bytes.
    if (number >= super_.blocks || number > size_ / super_.block_size) {
        return ext_damaged("block " + std::to_string(number) + " is not inside its file system");
    }
    return read_bytes(number * super_.block_size, into.first(std::min<std::size_t>(into.size(), super_.block_size)));
}

Result<ExtSource::Block> ExtSource::block(std::uint64_t number) {
    Slot& slot = slots_[number % slots_.size()];
    if (slot.block && slot.number == number) return slot.block;
    if (left_ < super_.block_size) return ext_damaged("its directories and block lists do not end");
    left_ -= super_.block_size;
    auto bytes = std::make_shared<std::vector<std::byte>>(super_.block_size);
    SWRUN_CHECK(read(number, *bytes));
    slot = {number, std::move(bytes)};
    return slot.block;
}

Result<std::uint64_t> ExtSource::inode_table(std::uint32_t group) {
    const std::uint64_t position = ext_descriptor_position(super_, group);
    SWRUN_TRY(const Block block, this->block(position / super_.block_size));
    const std::span<const std::byte> bytes(*block);
    ByteReader reader(bytes.subspan(position % super_.block_size, super_.descriptor_size));
    reader.skip(8);
    std::uint64_t table = reader.u32();
    reader.skip(0x28 - 12);
    if (super_.wide()) table |= std::uint64_t{reader.u32()} << 32U;
    return table;
}

Result<ExtInode> ExtSource::inode(std::uint32_t number) {
    if (number == 0 || number > super_.inodes) {
        return ext_damaged("there is no inode " + std::to_string(number));
    }
    SWRUN_TRY(const std::uint64_t table, inode_table((number - 1) / super_.inodes_per_group));
    // Sizes are powers of two, so an inode does not cross the border of a block.
    const std::uint64_t at = std::uint64_t{(number - 1) % super_.inodes_per_group} * super_.inode_size;
    const std::uint64_t place = at / super_.block_size;
    if (table == 0 || table >= super_.blocks || place >= super_.blocks - table) {
        return ext_damaged("the table with inode " + std::to_string(number) + " is not inside its file system");
    }
    SWRUN_TRY(const Block block, this->block(table + place));
    const std::span<const std::byte> record = std::span(*block).subspan(at % super_.block_size, super_.inode_size);
    ExtInode inode;
    inode.number = number;
    ByteReader reader(record);
    inode.mode = reader.u16();
    reader.skip(2);
    inode.size = reader.u32();
    reader.skip(0x20 - 8);
    inode.flags = reader.u32();
    reader.skip(4);
    std::ranges::copy(reader.take(inode.content.size()), inode.content.begin());
    reader.skip(0x6C - 0x64);
    const std::uint64_t size_high = reader.u32();
    // ext2 and ext3 keep something else there for what is no file.
    const bool directory = inode.kind() == ExtInode::Kind::directory && super_.large_directories();
    if (directory || inode.kind() == ExtInode::Kind::file) inode.size |= size_high << 32U;
    if (inode.is_inline()) {
        const std::span<const std::byte> more = ext_inline_rest(record);
        inode.more.assign(more.begin(), more.end());
    }
    return inode;
}

}  // namespace swrun
