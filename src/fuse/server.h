// The image server: a process of its own that answers the kernel's FUSE requests for one image.  The
// launcher forks it before it makes any namespace, so the server stays in the caller's user and mount
// namespaces: inside the new one it would keep its own mount alive for ever, and the program could
// reach it.  It ends when the mount is gone: nobody unmounts, nobody supervises.
#pragma once

#include "fuse/session.h"
#include "share/holder.h"
#include "support/fd.h"
#include "support/result.h"

namespace swrun {

// Forks the server and gives the launcher's end of the link.  The server is no child of the caller:
// a program that waits for any child (waitpid(-1)) must not meet it.  The calling process must be
// single-threaded; its own copy of the image stays usable.
// `doors` are the server's from then on: the caller closes its copies.  An image that has a server already gives its
// link; it has no doors.
[[nodiscard]] Result<Fd> start_image_server(ServedImage& image, Doors& doors);

// The same for a launch without such a server that others may join: a process that only holds.
[[nodiscard]] Result<Fd> start_holder(Doors& doors);

}  // namespace swrun
