#include "ext/ext_super.h"

#include <algorithm>
#include <bit>
#include <string>

#include "support/byte_reader.h"

namespace swrun {
namespace {

constexpr std::uint16_t kMagic = 0xEF53;
constexpr std::uint32_t kSparseSuper = 0x1;     // of read_only
constexpr std::uint32_t kSparseSuper2 = 0x200;  // of compat
constexpr std::uint32_t kMetaGroups = 0x10;     // of incompat
constexpr std::uint32_t kMostBlockLog = 6;      // 64 KiB

struct Feature {
    std::uint32_t bit;
    std::string_view name;  // as mke2fs(8) and dumpe2fs(8) have it
    bool known;
};

// What does not change how files are found and read is known: needs_recovery, mmp, flex_bg, ea_inode, csum_seed.
constexpr std::array kIncompat = {
    Feature{0x1, "compression", false},   Feature{0x2, "filetype", true},
    Feature{0x4, "needs_recovery", true}, Feature{0x8, "journal_dev", false},
    Feature{0x10, "meta_bg", true},       Feature{0x40, "extent", true},
    Feature{0x80, "64bit", true},         Feature{0x100, "mmp", true},
    Feature{0x200, "flex_bg", true},      Feature{0x400, "ea_inode", true},
    Feature{0x1000, "dirdata", false},    Feature{0x2000, "metadata_csum_seed", true},
    Feature{0x4000, "large_dir", true},   Feature{0x8000, "inline_data", true},
    Feature{0x10000, "encrypt", false},   Feature{0x20000, "casefold", false},
};

std::string unknown_features(std::uint32_t incompat) {
    std::string names;
    for (std::uint32_t bit = 1; bit != 0; bit <<= 1U) {
        if ((incompat & bit) == 0) continue;
        const auto* const feature = std::ranges::find(kIncompat, bit, &Feature::bit);
        if (feature != kIncompat.end() && feature->known) continue;
        if (!names.empty()) names += ", ";
        names += feature != kIncompat.end() ? std::string(feature->name)
                                            : "FEATURE_I" + std::to_string(std::countr_zero(bit));
    }
    return names;
}

bool power_of(std::uint32_t number, std::uint32_t base) {
    while (number > 1 && number % base == 0) number /= base;
    return number == 1;
}

bool holds_super(const ExtSuper& super, std::uint32_t group) {
    if (group == 0) return true;
    if ((super.compat & kSparseSuper2) != 0)
        return std::ranges::find(super.backup_groups, group) != super.backup_groups.end();
    if ((super.read_only & kSparseSuper) == 0) return true;
    return power_of(group, 3) || power_of(group, 5) || power_of(group, 7);
}

// What the groups and inodes must be like for the rest to compute with.
Status check_sizes(const ExtSuper& super) {
    if (super.inode_size < 128 || super.inode_size > super.block_size || !std::has_single_bit(super.inode_size)) {
        return ext_damaged("its inodes cannot be " + std::to_string(super.inode_size) + " bytes long");
    }
    const std::uint16_t least = super.wide() ? 64 : 32;
    if (super.descriptor_size < least || super.descriptor_size > 1024 || !std::has_single_bit(super.descriptor_size)) {
        return ext_damaged("its group descriptors cannot be " + std::to_string(super.descriptor_size) + " bytes long");
    }
    if (super.blocks_per_group == 0 || super.inodes_per_group == 0 || super.blocks <= super.first_block) {
        return ext_damaged("its superblock holds impossible sizes");
    }
    const std::uint64_t groups = (super.blocks - super.first_block - 1) / super.blocks_per_group + 1;
    if (super.inodes == 0 || (super.inodes - 1) / super.inodes_per_group >= groups) {
        return ext_damaged("its superblock claims more inodes than its groups have");
    }
    return {};
}

// The fields that revision 0 has not, and those of 64bit, which is a feature.
void read_later_fields(ExtSuper& super, std::span<const std::byte> bytes) {
    ByteReader reader(bytes.subspan(0x58));
    super.inode_size = reader.u16();
    reader.skip(2);
    super.compat = reader.u32();
    super.incompat = reader.u32();
    super.read_only = reader.u32();
    reader.skip(0xFE - 0x68);
    const std::uint16_t descriptor_size = reader.u16();
    reader.skip(4);
    const std::uint32_t first_meta_block = reader.u32();
    reader.skip(0x150 - 0x108);
    const std::uint64_t blocks_high = reader.u32();
    reader.skip(0x24C - 0x154);
    super.backup_groups = {reader.u32(), reader.u32()};
    if ((super.incompat & kMetaGroups) != 0) super.first_meta_block = first_meta_block;
    if (!super.wide()) return;
    super.descriptor_size = descriptor_size;
    super.blocks |= blocks_high << 32U;
}

}  // namespace

Error ext_damaged(std::string_view what) {
    return make_error(Error::Kind::image, "the image is damaged: " + std::string(what));
}

Result<ExtSuper> parse_ext_super(std::span<const std::byte> bytes) {
    ByteReader reader(bytes);
    ExtSuper super;
    super.inodes = reader.u32();
    super.blocks = reader.u32();
    reader.skip(12);
    super.first_block = reader.u32();
    const std::uint32_t block_log = reader.u32();
    reader.skip(4);
    super.blocks_per_group = reader.u32();
    reader.skip(4);
    super.inodes_per_group = reader.u32();
    reader.skip(0x38 - 0x2C);
    const std::uint16_t magic = reader.u16();
    reader.skip(0x4C - 0x3A);
    const std::uint32_t revision = reader.u32();
    if (bytes.size() < kExtSuperSize || !reader.ok() || magic != kMagic) {
        return make_error(Error::Kind::image, "not an ext2, ext3 or ext4 file system");
    }
    super.inode_size = 128;
    super.descriptor_size = 32;
    super.first_meta_block = 0xffffffff;
    if (revision > 0) read_later_fields(super, bytes);
    if (const std::string names = unknown_features(super.incompat); !names.empty()) {
        return make_error(Error::Kind::image, "its file system has features that are not supported: " + names);
    }
    if (block_log > kMostBlockLog)
        return ext_damaged("its superblock has a block size of 2^" + std::to_string(block_log) + " KiB");
    super.block_size = std::uint32_t{1024} << block_log;
    SWRUN_CHECK(check_sizes(super));
    return super;
}

std::uint64_t ext_descriptor_position(const ExtSuper& super, std::uint32_t group) {
    const std::uint32_t per_block = super.block_size / super.descriptor_size;
    const std::uint32_t index = group / per_block;
    // The table follows the block with the superblock, which is block 1 where a block has 1 KiB.
    std::uint64_t block = kExtSuperPosition / super.block_size + 1 + index;
    const std::uint32_t first = index * per_block;
    if (index >= super.first_meta_block && first > 0) {
        block = super.first_block + std::uint64_t{first} * super.blocks_per_group + (holds_super(super, first) ? 1 : 0);
    }
    return block * super.block_size + std::uint64_t{group % per_block} * super.descriptor_size;
}

}  // namespace swrun
