#include "squashfs/squash_super.h"

#include <bit>

#include "squashfs/damage.h"
#include "support/byte_reader.h"

namespace swrun {
namespace {

constexpr std::uint32_t kMagic = 0x73717368;  // "hsqs"
constexpr std::uint32_t kMinBlock = 4096;
constexpr std::uint32_t kMaxBlock = 1024 * 1024;
constexpr std::uint64_t kIdSize = 4;
constexpr std::uint64_t kFragmentSize = 16;

// Versions 1 to 3 exist in both byte orders, each with the magic of its own; 4 is little-endian.
constexpr std::uint32_t kMagicBigEndian = 0x68737173;
constexpr std::size_t kVersionOffset = 28;  // in all versions

// Older ones are of before 2009.
Error unsupported(std::string version, bool big_endian) {
    if (big_endian) version += " in big-endian byte order";
    return make_error(Error::Kind::image, "squashfs version " + version + ": only version 4.0 is supported")
        .with_hint(
            "unpack it with an unsquashfs that knows it (unsquashfs -d DIR FILE), and make it again with mksquashfs");
}

bool sane_block(std::uint32_t size) { return std::has_single_bit(size) && size >= kMinBlock && size <= kMaxBlock; }

// A table is a list of 64-bit positions of metadata blocks; the list itself must lie inside.
bool table_fits(std::uint64_t start, std::uint64_t count, std::uint64_t entry_size, std::uint64_t limit) {
    const std::uint64_t blocks = (count * entry_size + kSquashMetaBlock - 1) / kSquashMetaBlock;
    return start >= kSquashSuperSize && start <= limit && blocks * 8 <= limit - start;
}

Status check_version(std::span<const std::byte> start) {
    ByteReader reader(start);
    const bool big_endian = reader.u32() == kMagicBigEndian;
    reader.skip(kVersionOffset - sizeof(std::uint32_t));
    std::uint16_t major = reader.u16();
    std::uint16_t minor = reader.u16();
    if (!reader.ok() || (!big_endian && major == 4 && minor == 0)) return {};
    if (big_endian) {
        major = static_cast<std::uint16_t>(major << 8U | major >> 8U);
        minor = static_cast<std::uint16_t>(minor << 8U | minor >> 8U);
    }
    return unsupported(std::to_string(major) + "." + std::to_string(minor), big_endian);
}

}  // namespace

bool looks_like_squashfs(std::span<const std::byte> start) {
    ByteReader reader(start);
    const std::uint32_t magic = reader.u32();
    return magic == kMagic || magic == kMagicBigEndian;
}

Result<SquashSuper> parse_squash_super(std::span<const std::byte> start) {
    if (!looks_like_squashfs(start)) return make_error(Error::Kind::image, "not a valid squashfs image");
    SWRUN_CHECK(check_version(start));
    ByteReader reader(start);
    SquashSuper super;
    reader.skip(sizeof kMagic);
    super.inodes = reader.u32();
    super.created = reader.u32();
    super.block_size = reader.u32();
    super.fragments = reader.u32();
    const std::uint16_t compression = reader.u16();
    super.block_log = reader.u16();
    super.flags = reader.u16();
    super.ids = reader.u16();
    reader.skip(4);  // the version
    super.root_inode = reader.u64();
    super.bytes_used = reader.u64();
    super.id_table = reader.u64();
    super.xattr_table = reader.u64();
    super.inode_table = reader.u64();
    super.directory_table = reader.u64();
    super.fragment_table = reader.u64();
    super.export_table = reader.u64();
    if (!reader.ok()) return make_error(Error::Kind::image, "not a valid squashfs image");
    if (compression < 1 || compression > 6) {
        const std::string value = std::to_string(compression);
        return make_error(Error::Kind::image, "corrupted image: unknown compression algorithm value " + value);
    }
    super.compression = static_cast<SquashCompression>(compression);
    return super;
}

Result<SquashSuper> check_squash_super(SquashSuper super, std::uint64_t available) {
    if (!sane_block(super.block_size)) {
        if (super.block_log < 12 || super.block_log > 20) return image_damaged("block size is not sane");
        super.block_size = std::uint32_t{1} << super.block_log;
    }
    if (super.bytes_used > available) {
        return image_damaged("it is cut short: " + std::to_string(super.bytes_used) + " bytes are needed, " +
                             std::to_string(available) + " are there");
    }
    const std::uint64_t limit = super.bytes_used;
    if (super.inode_table < kSquashSuperSize || super.inode_table >= super.directory_table ||
        super.directory_table > limit) {
        return image_damaged("the inode or directory table is not inside the image");
    }
    if (super.ids == 0 || !table_fits(super.id_table, super.ids, kIdSize, limit)) {
        return image_damaged("the id table is not inside the image");
    }
    if (super.fragments != 0 && !table_fits(super.fragment_table, super.fragments, kFragmentSize, limit)) {
        return image_damaged("the fragment table is not inside the image");
    }
    if ((super.root_inode >> 16) >= super.directory_table - super.inode_table ||
        (super.root_inode & 0xffff) >= kSquashMetaBlock) {
        return image_damaged("the root directory is not inside the inode table");
    }
    return super;
}

}  // namespace swrun
