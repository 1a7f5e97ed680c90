// S8: what the program may not do.  Runs after the root switch and before any byte of the image is
// executed.  Verifies what it did: a drop that silently failed would be a hole.
#pragma once

#include "plan/launch_plan.h"
#include "support/result.h"

namespace swrun {

[[nodiscard]] Status drop_privileges(const ProcessPlan& plan);

}  // namespace swrun
