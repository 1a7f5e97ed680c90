// The score of a launch: S2 ... S10, one function each, in the only order that works.  Decides nothing;
// the plan has done that.  There is no undo: whatever was made belongs to a namespace or a descriptor
// and goes with it.  Must run in a single-threaded process.
#pragma once

#include "fuse/session.h"
#include "plan/launch_plan.h"
#include "support/result.h"
#include "support/stopwatch.h"

namespace swrun {

struct LaunchOptions {
    bool print_timings = false;  // laps as JSON on stderr, just before the program takes over
};

// `image` is null for a directory; `further` are the other images, by the plan's indexes.  Becomes the program, or gives the reason why not.  With a pid namespace of its own the calling
// process stays as its supervisor and ends with the program's status.
[[nodiscard]] Error launch(const LaunchPlan& plan, ServedImage* image, const std::vector<ServedImage*>& further,
                           Stopwatch& watch, const LaunchOptions& options);

}  // namespace swrun
