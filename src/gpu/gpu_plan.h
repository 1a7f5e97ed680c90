// Turns GpuFacts into mounts.  Called by resolve for --nv.  Pure.
#pragma once

#include <vector>

#include "gpu/gpu_facts.h"

namespace swrun {

inline constexpr const char* kGpuLibraryDirectory = "/.singularity.d/libs";

struct GpuPlan {
    std::vector<MountOp> mounts;  // libraries, programs, files, sockets, devices
    std::vector<Ghost> ghosts;    // the library directory and a place for each library, parents first
    std::vector<Note> notes;

    friend bool operator==(const GpuPlan&, const GpuPlan&) = default;
};

// Libraries go to kGpuLibraryDirectory under their name, programs to /usr/bin, all else to its own path.
// Places for the latter depend on the image and are left to the mount planner, as with any bind.
// `contained_dev`: the container has a /dev of its own, so the devices must be brought there one by one.
// None of the mounts is required: a launch without the driver is still a launch.
[[nodiscard]] GpuPlan plan_gpu(const GpuFacts& facts, bool contained_dev, const Origin& origin = {});

}  // namespace swrun
