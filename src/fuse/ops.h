// The FUSE operations over one image and its ghosts, for libfuse's low-level interface.  Stateless: a
// node id is the inode's place in the image (+ 2) or a ghost's id, so nothing has to be remembered or
// forgotten.  Everything is read-only and never changes, so the kernel may keep all answers for ever.
#pragma once

#define FUSE_USE_VERSION 314
#include <fuse3/fuse_lowlevel.h>

#include <sys/types.h>

#include "fuse/listing_style.h"
#include "fuse/prefetch.h"
#include "image/ghost_tree.h"
#include "image/reader_pool.h"

namespace swrun {

// What the operations work on; libfuse hands it back as user data.  Threads share it; what can change is thread-safe.
struct ImageService {
    ReaderPool& readers;
    const GhostTree& ghosts;
    std::uint64_t root = 0;   // the image's root inode
    OwnerView owners;         // ids as the mount's user namespace sees them
    std::time_t started = 0;  // mtime of ghosts
    ListingStyle& listings;
    Prefetch* ahead = nullptr;  // null: nobody works ahead
};

[[nodiscard]] const fuse_lowlevel_ops& image_operations();

}  // namespace swrun
