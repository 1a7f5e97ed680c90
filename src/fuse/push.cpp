#include "fuse/push.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fuse/ops.h"

namespace swrun {

bool Pusher::look_up(const std::string& path) {
    if (known_.contains(path)) return true;
    open_how how{};
    how.flags = O_PATH | O_CLOEXEC;
    // Not across mounts: binds are attached below, and one may lead to a server that is dead.  Before Linux 5.6 there is no
    // such call, and nothing is pushed.
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_XDEV;
    const Fd found(static_cast<int>(::syscall(SYS_openat2, mount_.get(), path.c_str(), &how, sizeof how)));
    if (found) known_.insert(path);
    return found.valid();
}

bool Pusher::push(const PredictedPart& found, const Block& block) {
    const FilePart& part = found.part;
    if (part.inside > block.size || part.size > block.size - part.inside || !look_up(found.path)) return false;
    fuse_bufvec bytes = FUSE_BUFVEC_INIT(part.size);
    bytes.buf[0].mem = block.bytes.get() + part.inside;
    // A guess that the kernel does not want (ENOENT: something lies over the path) costs nothing more.
    return fuse_lowlevel_notify_store(session_, image_ino(found.id), static_cast<off_t>(part.offset), &bytes,
                                      static_cast<fuse_buf_copy_flags>(0)) == 0;
}

}  // namespace swrun
