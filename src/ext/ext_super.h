// The superblock of ext2, ext3 and ext4 as plain data, and what follows from it: where the group descriptors
// are.  Pure.  Written from the kernel's Documentation/filesystems/ext4; all numbers are little-endian.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "support/result.h"

namespace swrun {

inline constexpr std::uint64_t kExtSuperPosition = 1024;
inline constexpr std::size_t kExtSuperSize = 1024;

struct ExtSuper {
    std::uint32_t inodes = 0;
    std::uint64_t blocks = 0;
    std::uint32_t first_block = 0;
    std::uint32_t block_size = 0;  // 1024 to 65536
    std::uint32_t blocks_per_group = 0;
    std::uint32_t inodes_per_group = 0;
    std::uint16_t inode_size = 0;       // a power of two: 128 up to the size of a block
    std::uint16_t descriptor_size = 0;  // a power of two: 32, or 64 up to 1024
    std::uint32_t compat = 0;
    std::uint32_t incompat = 0;
    std::uint32_t read_only = 0;
    std::uint32_t first_meta_block = 0;  // the first block of descriptors that lies in its own meta group
    std::array<std::uint32_t, 2> backup_groups{};

    [[nodiscard]] bool wide() const { return (incompat & 0x80) != 0; }                 // 64bit
    [[nodiscard]] bool large_directories() const { return (incompat & 0x4000) != 0; }  // largedir

    friend bool operator==(const ExtSuper&, const ExtSuper&) = default;
};

// `bytes`: kExtSuperSize of them.  Checked so that no later division, shift or product of these numbers can go wrong.
// A file system with a feature that changes how it is read, and that we do not know, is refused by that feature's name;
// one whose journal has not been written back is read as it lies there.
[[nodiscard]] Result<ExtSuper> parse_ext_super(std::span<const std::byte> bytes);

// Where the descriptor of a group is, in bytes from the start of the file system.
[[nodiscard]] std::uint64_t ext_descriptor_position(const ExtSuper& super, std::uint32_t group);

// "the image is damaged: WHAT"
[[nodiscard]] Error ext_damaged(std::string_view what);

}  // namespace swrun
