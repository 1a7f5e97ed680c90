// S4 and the first half of S6: images as detached mounts, and the root of the container made of its image
// and layers.
#pragma once

#include "plan/launch_plan.h"
#include "support/fd.h"
#include "support/result.h"

namespace swrun {

// The FUSE device, opened in the user namespace of the mount: the kernel refuses one from outside (EINVAL).
[[nodiscard]] Result<Fd> open_fuse_device();

// A detached FUSE mount of it with the options of an image, whoever answers.
[[nodiscard]] Result<Fd> make_served_mount(int device, const NamespacePlan& names, bool is_directory);

// An image as a detached mount.  Ours are mounted through the FUSE device, which is opened here.  The device and
// the ghosts go to the image server behind `link`; a driver behind it mounts by itself.
[[nodiscard]] Result<Fd> mount_image(const ImageMount& mount, const OwnerView& owners, const std::vector<Ghost>& ghosts,
                                     const NamespacePlan& names, int link);

// Attaches the root's image or directory, with its layers if the plan has any, over "/" of the mount
// namespace and gives a descriptor of the new root.  "/" itself still means the old root for this process.
// `mounts`: the plan's image mounts; the root's and the layers' are taken out of it.  `overlay_link`: to the
// driver that stacks the layers, -1 when the kernel does.
[[nodiscard]] Result<Fd> attach_root(const LaunchPlan& plan, std::vector<Fd>& mounts, int overlay_link,
                                     std::vector<Note>& notes);

// Takes this process out of the launch's mount namespace into an empty one, so that it holds none of the
// images any more; others stay where they are.  For a supervisor that waits for the drivers to end.
[[nodiscard]] Status leave_mounts();

}  // namespace swrun
