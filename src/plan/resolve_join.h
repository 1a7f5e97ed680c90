// The plan of a program that joins a running instance: only the process is planned, the rest is there.
// Called for instance://NAME; carried out by runtime/join.
#pragma once

#include "plan/instance_state.h"
#include "plan/resolve.h"

namespace swrun {

// Of the plan only `process` and `notes` are filled.  What would shape the container (binds, layers, namespaces,
// ids, capabilities) was decided when the instance started and is taken from there.
[[nodiscard]] Result<LaunchPlan> resolve_join(const ResolveInput& input, const InstanceState& instance);

}  // namespace swrun
