// Missing mount points without an overlay, for kernels that have none in user namespaces (before 5.11): a
// tmpfs that repeats the directories in which something is missing, each entry of theirs bound from the
// image.  Many mounts, and the repeated directories belong to the caller; therefore only where nothing
// better works, or on request.
#pragma once

#include "plan/launch_plan.h"
#include "support/fd.h"
#include "support/result.h"

namespace swrun {

// `session`: a tmpfs of the launch with the image attached at "image".  Gives a detached, read-only tree.
[[nodiscard]] Result<Fd> make_underlay(int session, const std::vector<Ghost>& ghosts);

}  // namespace swrun
