// S4 and the first half of S6: the image as a detached mount, and the root of the container made of it
// and its layers.
#pragma once

#include "plan/launch_plan.h"
#include "support/fd.h"
#include "support/result.h"

namespace swrun {

// The image as a detached mount.  A squashfs image is mounted through the FUSE device, which is opened
// here: the kernel refuses a device that was opened outside the mount's user namespace (EINVAL).  The
// device and the ghosts go to the image server behind `link`.
[[nodiscard]] Result<Fd> mount_image(const RootPlan& plan, const IdMap& uid, const IdMap& gid, int link);

// A further image, or a part of it, as a detached mount.
[[nodiscard]] Result<Fd> mount_further_image(const std::string& part, bool is_directory, const OwnerView& owners,
                                             const NamespacePlan& names, int link);

// Attaches the image, with its layers if the plan has any, over "/" of the mount namespace and gives a
// descriptor of the new root.  "/" itself still means the old root for this process.
// `layer_mounts`: the mounts of those read-only layers that are images, in plan order.
[[nodiscard]] Result<Fd> attach_root(const RootPlan& plan, Fd image, const std::vector<Fd>& layer_mounts);

}  // namespace swrun
