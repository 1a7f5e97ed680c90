// The score of a launch: S2 ... S10, one function each, in the only order that works.  Decides nothing;
// the plan has done that.  There is no undo: whatever was made belongs to a namespace or a descriptor
// and goes with it.  Must run in a single-threaded process.
#pragma once

#include <span>

#include "fuse/server.h"
#include "image/image_file.h"
#include "plan/launch_plan.h"
#include "runtime/share.h"
#include "support/result.h"
#include "support/stopwatch.h"

namespace swrun {

struct LaunchOptions {
    bool print_timings = false;     // laps as JSON on stderr, just before the program takes over
    Shared* shared = nullptr;       // what has been found already; used up
    StartHint hint{};               // what will be started from the root's image
    ImageServer* server = nullptr;  // of the root's image, started while the launch was being planned; used up
    // An instance, else both -1.  Process 1 stays; its number as the host sees it goes to `started`, as a pid_t.
    // `ready` is at its end when the program runs; whoever is given an Error by launch() writes a byte to it.
    int started = -1;
    int ready = -1;
};

// `images`: the root's first, then the further ones, as the plan counts them.  Becomes the program, or gives
// the reason why not.  With a pid namespace of its own, or an image that is written to, the calling process
// stays as supervisor and ends with the program's status.
[[nodiscard]] Error launch(const LaunchPlan& plan, std::span<OpenedImage> images, Stopwatch& watch,
                           const LaunchOptions& options);

}  // namespace swrun
