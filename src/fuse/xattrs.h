// Requests for extended attributes.  An image that has none says so once, and the kernel asks no more (ENOSYS,
// fs/fuse/xattr.c): `ls -l` alone asks for two of each file.
#pragma once

#include <cstddef>

#include "fuse/service.h"

namespace swrun {

// `size` 0 asks how long the answer is.
void get_xattr(fuse_req_t request, fuse_ino_t ino, const char* name, std::size_t size);
void list_xattrs(fuse_req_t request, fuse_ino_t ino, std::size_t size);

}  // namespace swrun
