// S10, before the program: what the image server has found out about its start is put to use.  The kernel begins to read
// the files that it will need, in pieces as large as it makes them and without anybody's waiting; the program would ask for
// the same by faults, each a request of its own and some for a page only.  And the search through PATH leaves out what the
// image lacks.
#pragma once

#include <string>
#include <vector>

#include "fuse/predicted_files.h"
#include "image/prediction.h"
#include "plan/launch_plan.h"

namespace swrun {

// Inside the container.  A guess at what pays: failing changes nothing.
void read_ahead(const PredictedFiles& files, const LaunchPlan& plan);

// Paths of the hint where the image has nothing and nothing of the plan stands in.
[[nodiscard]] std::vector<std::string> known_absent(const PredictedFiles& files, const StartHint& hint,
                                                    const LaunchPlan& plan);

}  // namespace swrun
