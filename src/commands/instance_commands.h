// Starting and joining an instance, as the launch command hands them on.  Internal to the room.
#pragma once

#include <functional>

#include "cli/invocation.h"
#include "commands/commands.h"
#include "plan/host_facts.h"
#include "plan/launch_plan.h"
#include "runtime/launch.h"

namespace swrun {

// Carries out the plan with everything that was opened for it.
using Launcher = std::function<Error(const LaunchOptions&)>;

// A success: the instance runs.
[[nodiscard]] Status start_instance(const Invocation& invocation, const HostFacts& host, const LaunchPlan& plan,
                                    const Launcher& launcher);

// exec, run, shell and test of instance://NAME.  Returns only when the program was not started.
[[nodiscard]] Error join_command(const LaunchRequest& request, const HostFacts& host);

}  // namespace swrun
