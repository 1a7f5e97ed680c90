// Small records of ext: entries of directories, and what lies behind an inode (the feature inline_data).  Pure: spans in,
// spans out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace swrun {

// The value of the attribute system.data in the room behind an inode's fields; empty when there is none.
[[nodiscard]] std::span<const std::byte> ext_inline_rest(std::span<const std::byte> record);

struct ExtName {
    std::uint32_t inode = 0;
    std::string_view name;  // in the span that was given
};

// The entries in use of one block of a directory, or of one of the two areas of a directory that lies in its inode.
// "." and ".." are left out.  The blocks of a hash tree look like blocks without entries, and so do checksums.
[[nodiscard]] Result<std::vector<ExtName>> parse_ext_names(std::span<const std::byte> area);

}  // namespace swrun
