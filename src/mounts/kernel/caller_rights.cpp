#include "mounts/kernel/caller_rights.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

namespace swrun {
namespace {

constexpr std::uint32_t kOverModes = (1U << CAP_DAC_OVERRIDE) | (1U << CAP_DAC_READ_SEARCH);

using CapWords = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

__user_cap_header_struct header() { return {_LINUX_CAPABILITY_VERSION_3, 0}; }

bool get(CapWords& words) {
    __user_cap_header_struct head = header();
    return ::syscall(SYS_capget, &head, words.data()) == 0;
}

bool set(const CapWords& words) {
    __user_cap_header_struct head = header();
    return ::syscall(SYS_capset, &head, words.data()) == 0;
}

}  // namespace

CallerRights::CallerRights(bool overrides) {
    CapWords words{};
    if (overrides || !get(words)) return;
    effective_ = words[0].effective;
    words[0].effective &= ~kOverModes;
    given_up_ = words[0].effective != effective_ && set(words);
}

CallerRights::~CallerRights() {
    CapWords words{};
    if (!given_up_ || !get(words)) return;
    words[0].effective = effective_;  // all of it is permitted still: raising it cannot fail
    (void)set(words);
}

}  // namespace swrun
