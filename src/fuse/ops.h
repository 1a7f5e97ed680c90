// The FUSE operations over one image and its ghosts, for libfuse's low-level interface.  Stateless: a
// node id is the inode's place in the image (+ 2) or a ghost's id, so nothing has to be remembered or
// forgotten.  Everything is read-only and never changes, so the kernel may keep all answers for ever.
#pragma once

#include "fuse/service.h"

namespace swrun {

[[nodiscard]] const fuse_lowlevel_ops& image_operations();

}  // namespace swrun
