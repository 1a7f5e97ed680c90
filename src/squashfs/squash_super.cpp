#include "squashfs/squash_super.h"

#include <bit>

#include "support/byte_reader.h"

namespace swrun {
namespace {

constexpr std::uint32_t kMagic = 0x73717368;  // "hsqs"
constexpr std::uint32_t kMinBlock = 4096;
constexpr std::uint32_t kMaxBlock = 1024 * 1024;
constexpr std::uint64_t kIdSize = 4;
constexpr std::uint64_t kFragmentSize = 16;

Error damaged(const std::string& what) { return make_error(Error::Kind::image, "corrupted squashfs image: " + what); }

bool sane_block(std::uint32_t size) { return std::has_single_bit(size) && size >= kMinBlock && size <= kMaxBlock; }

// A table is a list of 64-bit positions of metadata blocks; the list itself must lie inside.
bool table_fits(std::uint64_t start, std::uint64_t count, std::uint64_t entry_size, std::uint64_t limit) {
    const std::uint64_t blocks = (count * entry_size + kSquashMetaBlock - 1) / kSquashMetaBlock;
    return start >= kSquashSuperSize && start <= limit && blocks * 8 <= limit - start;
}

}  // namespace

bool looks_like_squashfs(std::span<const std::byte> start) {
    ByteReader reader(start);
    return reader.u32() == kMagic && reader.ok();
}

Result<SquashSuper> parse_squash_super(std::span<const std::byte> start) {
    ByteReader reader(start);
    SquashSuper super;
    const std::uint32_t magic = reader.u32();
    super.inodes = reader.u32();
    super.created = reader.u32();
    super.block_size = reader.u32();
    super.fragments = reader.u32();
    const std::uint16_t compression = reader.u16();
    super.block_log = reader.u16();
    super.flags = reader.u16();
    super.ids = reader.u16();
    super.major = reader.u16();
    super.minor = reader.u16();
    super.root_inode = reader.u64();
    super.bytes_used = reader.u64();
    super.id_table = reader.u64();
    super.xattr_table = reader.u64();
    super.inode_table = reader.u64();
    super.directory_table = reader.u64();
    super.fragment_table = reader.u64();
    super.export_table = reader.u64();
    if (!reader.ok() || magic != kMagic) return make_error(Error::Kind::image, "not a valid squashfs image");
    if (compression < 1 || compression > 6) {
        const std::string value = std::to_string(compression);
        return make_error(Error::Kind::image, "corrupted image: unknown compression algorithm value " + value);
    }
    super.compression = static_cast<SquashCompression>(compression);
    return super;
}

Result<SquashSuper> check_squash_super(SquashSuper super, std::uint64_t available) {
    if (super.major != 4 || super.minor != 0) {
        const std::string version = std::to_string(super.major) + "." + std::to_string(super.minor);
        return make_error(Error::Kind::image, "squashfs version " + version + ": only 4.0 is supported");
    }
    if (!sane_block(super.block_size)) {
        if (super.block_log < 12 || super.block_log > 20) return damaged("block size is not sane");
        super.block_size = std::uint32_t{1} << super.block_log;
    }
    if (super.bytes_used > available) {
        return damaged("it is cut short: " + std::to_string(super.bytes_used) + " bytes are needed, " +
                       std::to_string(available) + " are there");
    }
    const std::uint64_t limit = super.bytes_used;
    if (super.inode_table < kSquashSuperSize || super.inode_table >= super.directory_table ||
        super.directory_table > limit) {
        return damaged("the inode or directory table is not inside the image");
    }
    if (super.ids == 0 || !table_fits(super.id_table, super.ids, kIdSize, limit)) {
        return damaged("the id table is not inside the image");
    }
    if (super.fragments != 0 && !table_fits(super.fragment_table, super.fragments, kFragmentSize, limit)) {
        return damaged("the fragment table is not inside the image");
    }
    if ((super.root_inode >> 16) >= super.directory_table - super.inode_table ||
        (super.root_inode & 0xffff) >= kSquashMetaBlock) {
        return damaged("the root directory is not inside the inode table");
    }
    return super;
}

}  // namespace swrun
