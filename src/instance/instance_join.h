// Entering a running instance: its namespaces, then the program with the rights that the instance's own has.
// Called for instance://NAME with a plan of resolve/resolve_join.  Nothing is made and nothing is left: the kernel
// objects are the instance's.
#pragma once

#include "instance/instance_state.h"
#include "plan/launch_plan.h"
#include "support/result.h"

namespace swrun {

// Becomes the supervisor of the program and ends with its status (128+N after a signal); returns only the
// reason why the program was not started, in the process that was to become it or in the caller's.
[[nodiscard]] Error join_instance(const InstanceState& instance, uid_t uid, const LaunchPlan& plan);

}  // namespace swrun
