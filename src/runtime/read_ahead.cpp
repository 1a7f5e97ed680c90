#include "runtime/read_ahead.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "support/fd.h"
#include "support/log.h"
#include "support/path.h"

namespace swrun {
namespace {

// One call reads no more than the file's read-ahead window, which FUSE has at 128 KiB; POSIX_FADV_SEQUENTIAL doubles it
// (mm/fadvise.c).
constexpr std::uint64_t kWindow = 256U << 10U;

// What is at that path is not, or may not be, the image's.
bool is_covered(const LaunchPlan& plan, const std::string& path) {
    return std::ranges::any_of(plan.mounts, [&](const MountOp& op) { return is_below(path, op.target); }) ||
           std::ranges::any_of(plan.root.ghosts, [&](const Ghost& ghost) { return is_below(path, ghost.path); });
}

bool is_regular(int fd) {
    struct stat status {};
    return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

void read_ahead(const PredictedFile& file) {
    log_debug("reading " + file.path + " ahead, in " + std::to_string(file.ranges.size()) + " parts");
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

void read_ahead(const PredictedFiles& files, const LaunchPlan& plan) {
    for (const PredictedFile& file : files.list()) {
        if (!is_covered(plan, file.path)) read_ahead(file);
    }
}

std::vector<std::string> known_absent(const PredictedFiles& files, const StartHint& hint, const LaunchPlan& plan) {
    std::vector<std::string> absent;
    for (std::size_t i = 0; i < hint.programs.size(); ++i) {
        if (files.is_absent(i) && !is_covered(plan, hint.programs[i])) absent.push_back(hint.programs[i]);
    }
    return absent;
}

}  // namespace swrun
