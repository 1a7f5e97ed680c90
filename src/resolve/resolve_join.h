// The plan of a program that joins a running instance: only the process is planned, the rest is there.
// Called for instance://NAME; carried out by instance/instance_join.
#pragma once

#include "plan/join_terms.h"
#include "resolve/resolve.h"

namespace swrun {

// Of the plan only `process` and `notes` are filled.  What would shape the container (binds, layers, namespaces,
// ids, capabilities) was decided when the instance started and is taken from there.
[[nodiscard]] Result<LaunchPlan> resolve_join(const ResolveInput& input, const JoinTerms& terms);

}  // namespace swrun
