#include "runtime/credentials.h"

#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace swrun {
namespace {

struct CapFree {
    void operator()(cap_t caps) const { cap_free(caps); }
};
using Caps = std::unique_ptr<std::remove_pointer_t<cap_t>, CapFree>;

bool wanted(const ProcessPlan& plan, cap_value_t cap) {
    const bool listed = std::find(plan.capabilities.begin(), plan.capabilities.end(), cap) != plan.capabilities.end();
    return plan.drop_capabilities ? listed : !listed;
}

// The bounding set first: dropping from it needs CAP_SETPCAP, which the next step may give up
// (capabilities(7)).  The kernel says EINVAL for the first number that it does not know.
Status limit_bounding_set(const ProcessPlan& plan, cap_value_t& count) {
    for (count = 0;; ++count) {
        if (wanted(plan, count)) {
            if (cap_get_bound(count) < 0) return {};
            continue;
        }
        if (cap_drop_bound(count) == 0) continue;
        const int err = errno;
        if (err == EINVAL) return {};
        return sys_error(Error::Kind::host, "prctl PR_CAPBSET_DROP", std::to_string(count), err);
    }
}

Status set_capabilities(const ProcessPlan& plan, cap_value_t count) {
    const Caps kept(cap_init());
    if (!kept) return sys_error(Error::Kind::host, "cap_init", "", errno);
    for (cap_value_t cap = 0; cap < count; ++cap) {
        if (!wanted(plan, cap)) continue;
        for (const cap_flag_t set : {CAP_PERMITTED, CAP_EFFECTIVE, CAP_INHERITABLE}) {
            if (cap_set_flag(kept.get(), set, 1, &cap, CAP_SET) != 0)
                return sys_error(Error::Kind::host, "cap_set_flag", "", errno);
        }
    }
    if (cap_set_proc(kept.get()) != 0) return sys_error(Error::Kind::host, "capset", "", errno);
    const Caps left(cap_get_proc());
    if (!left || cap_compare(left.get(), kept.get()) != 0) {
        return make_error(Error::Kind::internal, "the program's capabilities are not the ones that were set");
    }
    return {};
}

// Only ambient capabilities survive the execve of an ordinary user's program (capabilities(7)).
Status raise_ambient(const ProcessPlan& plan, cap_value_t count) {
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 && errno != EINVAL) {
        return sys_error(Error::Kind::host, "prctl PR_CAP_AMBIENT_CLEAR_ALL", "", errno);
    }
    for (cap_value_t cap = 0; cap < count; ++cap) {
        if (!wanted(plan, cap)) continue;
        if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) != 0) {
            return sys_error(Error::Kind::host, "prctl PR_CAP_AMBIENT_RAISE", std::to_string(cap), errno);
        }
    }
    return {};
}

}  // namespace

Status keep_capabilities_for_child() {
    const Caps caps(cap_get_proc());
    if (!caps) return sys_error(Error::Kind::host, "capget", "", errno);
    for (cap_value_t cap = 0; cap_get_bound(cap) >= 0; ++cap) {
        cap_flag_value_t permitted = CAP_CLEAR;
        if (cap_get_flag(caps.get(), cap, CAP_PERMITTED, &permitted) != 0) break;
        if (cap_set_flag(caps.get(), CAP_INHERITABLE, 1, &cap, permitted) != 0) break;
    }
    if (cap_set_proc(caps.get()) != 0) return sys_error(Error::Kind::host, "capset", "", errno);
    for (cap_value_t cap = 0; cap_get_bound(cap) >= 0; ++cap) {
        if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) != 0 && errno != EPERM)
            return sys_error(Error::Kind::host, "prctl PR_CAP_AMBIENT_RAISE", std::to_string(cap), errno);
    }
    return {};
}

Status drop_privileges(const ProcessPlan& plan) {
    ::umask(plan.umask);
    if (plan.drop_capabilities || !plan.capabilities.empty()) {
        cap_value_t count = 0;
        SWRUN_CHECK(limit_bounding_set(plan, count));
        SWRUN_CHECK(set_capabilities(plan, count));
        SWRUN_CHECK(raise_ambient(plan, count));
    }
    if (plan.no_new_privs) {
        if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
            return sys_error(Error::Kind::host, "prctl PR_SET_NO_NEW_PRIVS", "", errno);
        if (::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
            return make_error(Error::Kind::internal, "no_new_privs did not take effect");
    }
    // A process of ours that stays, process 1 of a pid namespace above all, holds descriptors and variables of
    // the host: without this the program could take them out of its /proc directory.  execve(2) undoes it.
    if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return sys_error(Error::Kind::host, "prctl PR_SET_DUMPABLE", "", errno);
    return {};
}

}  // namespace swrun
