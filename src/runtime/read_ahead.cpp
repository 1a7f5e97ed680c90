#include "runtime/read_ahead.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "support/fd.h"
#include "support/log.h"

namespace swrun {
namespace {

// One call reads no more than the file's read-ahead window, which FUSE has at 128 KiB; POSIX_FADV_SEQUENTIAL doubles it
// (mm/fadvise.c).
constexpr std::uint64_t kWindow = 256U << 10U;

bool is_regular(int fd) {
    struct stat status {};
    return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

void read_ahead(const PredictedFile& file) {
    log_debug("reading " + file.path + " ahead, in " + std::to_string(file.ranges.size()) + " parts");
    // Something else may be mounted there by now, even a pipe.
    const Fd fd(::open(file.path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!fd || !is_regular(fd.get())) return;
    ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
    for (const PredictedRange& range : file.ranges) {
        for (std::uint64_t done = 0; done < range.size; done += kWindow) {
            ::readahead(fd.get(), static_cast<off64_t>(range.offset + done), std::min(kWindow, range.size - done));
        }
    }
}

}  // namespace

void read_ahead(const PredictedFiles& files) {
    for (const PredictedFile& file : files.list()) read_ahead(file);
}

}  // namespace swrun
