// S3: the namespaces of a launch, and why an unprivileged one may be refused.  Only a single-threaded
// process may do this (unshare(2): EINVAL otherwise).
#pragma once

#include "plan/launch_plan.h"
#include "support/result.h"

namespace swrun {

// One unshare(2) for all that the plan asks for, id maps, host name, loopback device.  A new pid
// namespace takes effect for the next child only.  `joined`: this process has entered a user namespace
// that somebody else has made for the same plan.
[[nodiscard]] Status enter_namespaces(const NamespacePlan& plan, bool joined = false);

// What forbids user namespaces on this host, in words for a hint: sysctls, AppArmor, seccomp, limits.
[[nodiscard]] std::string user_namespace_hint(int err);

}  // namespace swrun
