// What it means on this host that the kernel refuses a namespace or a mount, and what to try: the one table from which
// the errors of a launch and `swrun doctor` take their hints.  Called after a failure only; reads /proc.  Sources:
// user_namespaces(7), namespaces(7), mount(2), move_mount(2), pivot_root(2), landlock(7).
#pragma once

#include <string>

#include "support/error.h"

namespace swrun {

enum class KernelCall {
    unshare,      // user and mount namespace, and the further ones of a launch
    id_maps,      // setgroups, uid_map and gid_map below /proc/self
    root_map,     // likewise, where uid 0 of the outer namespace is what is to be mapped
    propagation,  // mount(2), MS_SLAVE
    clone_mount,
    make_tmpfs,
    make_other,  // proc, devpts, mqueue: nothing is known
    fuse_device,
    fuse_mount,
    overlay,
    restrict_mount,
    attach_mount,
    switch_root,
};

// Empty: nothing is known.
[[nodiscard]] std::string refusal_hint(KernelCall call, int err);

// The error with that hint, unless it has one.
[[nodiscard]] Error with_refusal_hint(Error error, KernelCall call);

}  // namespace swrun
