#include "support/descriptors.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>

namespace swrun {
namespace {

struct Raised {
    bool is = false;
    rlim_t before = 0;
};
Raised raised;

}  // namespace

bool raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return false;
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    // EPERM where the hard limit is above fs.nr_open, which has been lowered since.
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
    if (!raised.is) raised = {true, before};
    return true;
}

void restore_descriptor_limit() {
    rlimit limit{};
    if (!raised.is || ::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = raised.before;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::size_t descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return SIZE_MAX;
    return static_cast<std::size_t>(limit.rlim_cur);
}

}  // namespace swrun
