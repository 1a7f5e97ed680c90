// Opens a path below a directory descriptor as if that were "/", one component at a time: what openat2(2)
// with RESOLVE_IN_ROOT does in one call, for kernels without it (before 5.6).  Called by open_in_root
// alone.  Never leaves the root: ".." walks a stack of descriptors and not the tree, absolute links start
// again at the root, and the links of procfs that lead out of every tree are refused (ELOOP), as with
// RESOLVE_NO_MAGICLINKS.  Source: path_resolution(7), openat2(2).
#pragma once

#include <string>

#include "support/fd.h"
#include "support/result.h"

namespace swrun {

// `flags`: O_PATH, and O_DIRECTORY or O_NOFOLLOW as with open(2).  `root` is borrowed.
[[nodiscard]] Result<Fd> walk_in_root(int root, const std::string& path, int flags);

}  // namespace swrun
