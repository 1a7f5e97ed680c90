// A LaunchPlan as JSON, for --dry-run and the golden tests: stable key order, every entry with who
// asked for it, nothing left out that the launch would act on.
#pragma once

#include <string>

#include "plan/launch_plan.h"

namespace swrun {

// Indented by two spaces, with a final newline.  Bytes that are not UTF-8 are shown as U+FFFD.
[[nodiscard]] std::string plan_to_json(const LaunchPlan& plan);

}  // namespace swrun
