// Carries out the mounts of a LaunchPlan: S5 captures every source while the host's paths are still
// there, S6 attaches them below the new root in plan order.  Decides nothing: what may fail and who
// asked is in the plan.  Called by runtime/launch, inside the launch's own mount namespace.
#pragma once

#include <string>
#include <vector>

#include "plan/launch_plan.h"
#include "support/fd.h"
#include "support/result.h"

namespace swrun {

// One op with its detached mount.
struct Captured {
    const MountOp* op = nullptr;  // borrowed from the plan, which outlives it
    Fd mount;
    std::string parked{};  // else: where it waits without a descriptor (park_mount)
};

// S5.  Kinds that need the finished process environment (proc) are made here too: the pid namespace
// already exists.  Failures of optional ops become notes.  `overrides_modes`: modes do not stop the caller outside
// (root); for everybody else directories are made on the host with the caller's own rights only.  There may be more ops
// than the hard limit of descriptors allows: mounts are parked then, so that some descriptors are left for S6 in any case.
// `images`: the plan's image mounts; those of the ops are taken out of it, as are `fuse_mounts`.
[[nodiscard]] Result<std::vector<Captured>> capture_mounts(const std::vector<MountOp>& ops, std::vector<Fd>& images,
                                                           std::vector<Fd>& fuse_mounts, bool overrides_modes,
                                                           std::vector<Note>& notes);

// S6, second half: attaches each capture at its target below `root`.
[[nodiscard]] Status attach_mounts(int root, std::vector<Captured>& captured, bool overrides_modes,
                                   std::vector<Note>& notes);

// Writes ghosts below a directory descriptor (a tmpfs of ours): parents must come first.
[[nodiscard]] Status write_ghosts(int directory, const std::vector<Ghost>& ghosts);

}  // namespace swrun
