// The squashfs superblock: parsed and judged before anything else of an image is read.  Pure.  Called by
// image_file (is this an image at all?) and squash_source (may its numbers be used?).  After
// check_squash_super() every table's index lies inside the image, so nothing read later is larger.
// Format: linux/fs/squashfs/squashfs_fs.h, version 4.0, little-endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "support/result.h"

namespace swrun {

inline constexpr std::size_t kSquashSuperSize = 96;
inline constexpr std::size_t kSquashMetaBlock = 8192;
inline constexpr std::uint32_t kSquashNoFragment = 0xffffffff;

enum class SquashCompression : std::uint16_t { zlib = 1, lzma, lzo, xz, lz4, zstd };

struct SquashSuper {
    std::uint32_t inodes = 0;
    std::uint32_t created = 0;
    std::uint32_t block_size = 0;
    std::uint32_t fragments = 0;
    SquashCompression compression{};
    std::uint16_t block_log = 0;
    std::uint16_t flags = 0;
    std::uint16_t ids = 0;
    std::uint64_t root_inode = 0;
    std::uint64_t bytes_used = 0;
    std::uint64_t id_table = 0;
    std::uint64_t xattr_table = 0;
    std::uint64_t inode_table = 0;
    std::uint64_t directory_table = 0;
    std::uint64_t fragment_table = 0;
    std::uint64_t export_table = 0;
};

// Of any version, in either byte order.
[[nodiscard]] bool looks_like_squashfs(std::span<const std::byte> start);

// Errors: "not a valid squashfs image", "squashfs version 3.1: only version 4.0 ...", "corrupted image: unknown compression algorithm value N".
[[nodiscard]] Result<SquashSuper> parse_squash_super(std::span<const std::byte> start);

// `available`: bytes from the superblock to the end of what may be read.  Gives the superblock with a
// usable block size (one of the two fields that hold it may be wrong), or what is wrong with it.
[[nodiscard]] Result<SquashSuper> check_squash_super(SquashSuper super, std::uint64_t available);

}  // namespace swrun
