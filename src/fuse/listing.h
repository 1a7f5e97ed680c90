// Directories: their names, and with READDIRPLUS what is behind them.  "." and ".." come first, as everywhere, then
// ghosts, so that a name of the image that one replaces can be left out.
#pragma once

#include <cstddef>

#include "fuse/service.h"

namespace swrun {

// Answers one request, readdir's or (`plus`) readdirplus's.
void list_directory(fuse_req_t request, fuse_ino_t ino, std::size_t size, off_t offset, bool plus);

}  // namespace swrun
