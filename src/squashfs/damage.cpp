#include "squashfs/damage.h"

#include <cerrno>

namespace swrun {

Error image_damaged(const std::string& what) {
    Error error = make_error(Error::Kind::image, "the image is damaged: " + what);
    error.sys_errno = EIO;
    return error.with_hint("copy or build it again, and compare the copy with where it came from");
}

}  // namespace swrun
