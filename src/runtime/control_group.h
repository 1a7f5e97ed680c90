// A control group of version 2 for one launch: asked from the user's systemd as a scope, or made below a group
// that has been delegated to the user.  Called by the launch before its namespaces are made, while the host's
// paths are there; what has to be done later is done through descriptors.
#pragma once

#include <string>
#include <vector>

#include "plan/launch_plan.h"
#include "support/fd.h"
#include "support/result.h"

namespace swrun {

class ControlGroup {
public:
    ControlGroup() = default;

    // Finds or makes the group and writes the limits.  Where there can be none and the plan wants it for its
    // numbers only, the result is no group at all.
    [[nodiscard]] static Result<ControlGroup> make(const LimitPlan& plan);

    // Has systemd to be asked?  Its scope takes this process at once, so it is made after the image server has been
    // forked, which then stays outside; a group of ours is made before, while this process is alone.
    [[nodiscard]] static bool is_made_by_systemd();

    // Moves this process into it.  A scope has it already.
    [[nodiscard]] Status enter() const;

    // Removes the group when it is empty, or leaves a process that does it as soon as it is.
    void remove();

    // systemd removes its scopes itself; a group of ours needs a process that outlives the launch.
    [[nodiscard]] bool needs_parent() const { return parent_.valid(); }
    [[nodiscard]] bool exists() const { return processes_.valid() || is_scope_; }

private:
    friend class GroupMaker;

    bool is_scope_ = false;
    Fd parent_;     // the directory above a group of ours
    Fd processes_;  // its cgroup.procs
    std::string name_;
    Fd leaf_above_;  // where the caller's own group had to be emptied first
    std::string leaf_;
};

}  // namespace swrun
