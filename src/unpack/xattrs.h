// The extended attributes of what is unpacked.
#pragma once

#include <cstddef>

#include "squashfs/squash_reader.h"
#include "support/result.h"

namespace swrun {

// Gives an open file or directory what the image has for it (image/squash_xattrs); before its mode is set, which may keep
// its owner from writing.  Gives how many the file system did not take: a tmpfs takes them since Linux 6.6, and a disk only
// some bytes per file.
[[nodiscard]] Result<std::size_t> copy_xattrs(SquashReader& reader, const SquashNode& node, int file);

}  // namespace swrun
