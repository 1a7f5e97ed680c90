// S3: the namespaces of a launch.  Only a single-threaded process may do this (unshare(2): EINVAL otherwise).
#pragma once

#include "plan/launch_plan.h"
#include "support/result.h"

namespace swrun {

// One unshare(2) for all that the plan asks for, id maps, host name, loopback device.  A new pid
// namespace takes effect for the next child only.  `joined`: this process has entered a user namespace
// that somebody else has made for the same plan.
[[nodiscard]] Status enter_namespaces(const NamespacePlan& plan, bool joined = false);

// The part of it that maps the ids, for a process that has a new user namespace already.
[[nodiscard]] Status write_id_maps(const NamespacePlan& plan);

}  // namespace swrun
