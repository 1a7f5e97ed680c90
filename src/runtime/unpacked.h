// Images where FUSE is missing or unwanted: unpacked into a tmpfs of the launch's own, which goes with it, or
// into a directory that keeps the tree for later launches.  Threads that unpack have ended on return.
#pragma once

#include "plan/launch_plan.h"
#include "runtime/launch.h"
#include "support/fd.h"
#include "support/result.h"
#include "unpack/kept_tree.h"

namespace swrun {

// S2, for a mount that is kept: as the caller, before any namespace, so that the files are his.
[[nodiscard]] Result<KeptTree> keep_unpacked(const ImageMount& mount, const OpenedImage& image);

// S4: a read-only detached mount.  `ghosts` are written into a tmpfs; a kept tree is not changed.
[[nodiscard]] Result<Fd> mount_unpacked(const ImageMount& mount, const OpenedImage& image, const OwnerView& owners,
                                        const std::vector<Ghost>& ghosts, const KeptTree& kept);

}  // namespace swrun
