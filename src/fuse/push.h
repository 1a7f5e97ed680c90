// Puts what has been decoded ahead into the kernel's page cache before anybody asks (FUSE_NOTIFY_STORE, fuse(4)).  The
// kernel takes bytes only of an inode that it holds (else ENOENT), so the path is looked up first, as the program
// will; its own look-ups then find everything.  Storing waits for pages that a READ has locked: only a thread that
// serves no request may do this.
#pragma once

#define FUSE_USE_VERSION 314
#include <fuse3/fuse_lowlevel.h>

#include <set>
#include <string>

#include "image/block_cache.h"
#include "image/prediction.h"
#include "support/fd.h"

namespace swrun {

class Pusher {
public:
    // `mount`: the root of the mount, which stays alive until this dies.
    Pusher(fuse_session* session, Fd mount) : session_(session), mount_(std::move(mount)) {}

    // Makes the kernel look a path of the image up, links followed; false when there is no such file.
    bool look_up(const std::string& path);

    // True when the kernel has taken all of it.
    bool push(const PredictedPart& found, const Block& block);

private:
    fuse_session* session_;
    Fd mount_;
    std::set<std::string> known_;
};

}  // namespace swrun
