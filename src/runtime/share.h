// S1 of a launch that may share: finds out who leads.  Whoever binds a door's name does; the others join what the
// leader has made.  No rank is special, no file and no count is involved, and whatever fails ends in a launch of
// its own, with one note.
#pragma once

#include <vector>

#include "plan/host_facts.h"
#include "plan/launch_plan.h"
#include "share/holder.h"
#include "support/result.h"

namespace swrun {

struct Shared {
    Doors doors;        // that this launch leads
    Namespaces joined;  // that it has been given; both: the tree is there already
    Fd pidfd;           // of this process; invalid where the kernel has none (before 5.3): then nothing is held

    [[nodiscard]] bool has_tree() const { return joined.mount.valid(); }
};

// Waits for a leader that is still at work, as long as the plan says.
[[nodiscard]] Shared find_shared(const SharePlan& plan, std::vector<Note>& notes);

// Enters what was joined: the user namespace, and with a tree its mount namespace, in the place of S2 to S7.  A user
// namespace that refuses us (EPERM, EINVAL: it is no child of ours) is given up with a note and forgotten in `shared`.
// Only a single-threaded process may do this.
[[nodiscard]] Status enter_shared(Shared& shared, std::vector<Note>& notes);

// What the host says about who may share with this process.
[[nodiscard]] ShareFacts probe_sharing();

}  // namespace swrun
