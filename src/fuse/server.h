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

// A server that has been started, as the launcher sees it.
struct ImageServer {
    Fd link;  // closing it before a device was sent ends the server
    ServerStart start;
};

// Forks the server of a squashfs.  It is no child of the caller: a program that waits for any child (waitpid(-1)) must
// not meet it.  The calling process must be single-threaded; its own copy of the image stays usable.
// `doors` are the server's from then on: the caller closes its copies.
[[nodiscard]] Result<ImageServer> start_image_server(OpenedImage& image, StartHint hint, Doors& doors);

// The same for a launch without such a server that others may join: a process that only holds.
[[nodiscard]] Result<Fd> start_holder(Doors& doors);

}  // namespace swrun
