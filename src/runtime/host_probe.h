// Reads once what a launch needs to know of the host and the caller.  Changes nothing.
#pragma once

#include "plan/host_facts.h"
#include "support/result.h"

namespace swrun {

[[nodiscard]] HostFacts probe_host();

// 0 when the FUSE device can be opened, else why not.
[[nodiscard]] int probe_fuse_device();

}  // namespace swrun
