#include "runtime/credentials.h"

#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>

namespace swrun {
namespace {

Status drop_capabilities() {
    // The bounding set first: dropping from it needs CAP_SETPCAP, which the next step gives up
    // (capabilities(7)).  The kernel says EINVAL for the first number that it does not know.
    for (cap_value_t cap = 0;; ++cap) {
        if (cap_drop_bound(cap) == 0) continue;
        const int err = errno;
        if (err == EINVAL) break;
        return sys_error(Error::Kind::host, "prctl PR_CAPBSET_DROP", std::to_string(cap), err);
    }
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 && errno != EINVAL) {
        return sys_error(Error::Kind::host, "prctl PR_CAP_AMBIENT_CLEAR_ALL", "", errno);
    }
    const auto release = [](cap_t caps) { cap_free(caps); };
    const std::unique_ptr<std::remove_pointer_t<cap_t>, decltype(release)> none(cap_init(), release);
    if (!none) return sys_error(Error::Kind::host, "cap_init", "", errno);
    if (cap_set_proc(none.get()) != 0) return sys_error(Error::Kind::host, "capset", "(no capabilities)", errno);
    const std::unique_ptr<std::remove_pointer_t<cap_t>, decltype(release)> left(cap_get_proc(), release);
    if (!left || cap_compare(left.get(), none.get()) != 0) {
        return make_error(Error::Kind::internal, "capabilities are left after dropping all of them");
    }
    return {};
}

}  // namespace

Status drop_privileges(const ProcessPlan& plan) {
    ::umask(plan.umask);
    if (plan.drop_capabilities) SWRUN_CHECK(drop_capabilities());
    if (plan.no_new_privs) {
        if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return sys_error(Error::Kind::host, "prctl PR_SET_NO_NEW_PRIVS", "", errno);
        if (::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return make_error(Error::Kind::internal, "no_new_privs did not take effect");
    }
    return {};
}

}  // namespace swrun
