// One inode as it lies in the metadata: how long it is, and what it says.  Pure.
// Format: linux/fs/squashfs/squashfs_fs.h, version 4.0, little-endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "squashfs/squash_node.h"

namespace swrun {

inline constexpr std::size_t kSquashInodeBase = 16;  // what all types begin with
inline constexpr std::size_t kSquashInodeMost = 56;

// Bytes of the fixed part, the base included; nullopt for a type that there is none of.
[[nodiscard]] std::optional<std::size_t> squash_inode_size(std::span<const std::byte> base);

// `bytes`: the whole fixed part.  uid and gid are indexes into the id table; place and id are the caller's.
[[nodiscard]] std::optional<SquashNode> parse_squash_inode(std::span<const std::byte> bytes,
                                                           std::uint64_t directory_table);

}  // namespace swrun
