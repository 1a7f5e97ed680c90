// WantedMount: a mount that somebody wants, before it is known where in the container its target lies.  The parts
// of plan/resolve collect them; place_wanted resolves, orders and places them all.  Internal to the room.
#pragma once

#include <string>

#include "plan/launch_plan.h"

namespace swrun {

struct WantedMount {
    enum class Standing {
        automatic,  // swrun's own: never ends a launch and makes nothing on the host
        cwd,        // automatic too; the only one that may lie inside what somebody asked for
        site,       // the site's: as asked for, but left out where it cannot be
        requested,  // shown whatever else lies there, or the launch fails
    };

    MountOp op;  // its target as asked
    bool is_dir = true;
    Standing standing = Standing::automatic;
    bool spoken_for = false;  // of an automatic one: an option brings it (--nv), so that covering it is said
    std::string context;      // of a requested one: what was being done, for its error
};

}  // namespace swrun
