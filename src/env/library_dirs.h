// The directories in which an image's own dynamic loader looks, as its ldconfig would list them: put
// in front of injected host libraries, so that those only fill gaps.  Called by env/startup and by the
// runtime before it runs a real shell.  Reads through the TreeView, runs nothing.
#pragma once

#include <string>
#include <vector>

#include "plan/tree_view.h"

namespace swrun {

// In search order: the directories of /etc/ld.so.conf and what it includes, then the built-in ones;
// each only if it exists, and once however many names it has.  Empty for images without /sbin/ldconfig
// or without glibc's configuration (musl's loader has no such list).  Source: ldconfig(8).
[[nodiscard]] std::vector<std::string> image_library_directories(const TreeView& container);

// Whether something lies in /.singularity.d/libs, whoever has put it there: the image, a bind, a driver's
// libraries.  The directories above then go in front of it.
[[nodiscard]] bool has_added_libraries(const TreeView& container);

}  // namespace swrun
