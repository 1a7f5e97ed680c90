// S8: what the program may not do.  Runs after the root switch and before any byte of the image is
// executed.  Verifies what it did: a drop that silently failed would be a hole.
#pragma once

#include "plan/launch_plan.h"
#include "support/result.h"

namespace swrun {

[[nodiscard]] Status drop_privileges(const ProcessPlan& plan);

// The other way round, for a program of the host that mounts on the launch's behalf: whatever this process
// may, it may after its execve (ambient capabilities, capabilities(7)).
[[nodiscard]] Status keep_capabilities_for_child();

}  // namespace swrun
