// Which launches of a node may share what: the user namespace (always right for ranks of one step: memory of one
// rank is open to another only there, ptrace(2)), and the whole tree with its image server.  Two keys, because
// ranks of one step may run different images.  Pure; runtime/share acts on it.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plan/host_facts.h"
#include "plan/launch_plan.h"
#include "plan/tree_view.h"

namespace swrun {

// The variable by which a parallel launcher tells a process that it is one of several; empty: it is none.
// An allocation's batch script is no rank, nor is a step of one task.
[[nodiscard]] std::string rank_variable(const std::vector<std::pair<std::string, std::string>>& environment);

// What is killed as one: a server of two steps would die with the first.  The step's control group, or the name
// that the launcher has given to the job, or the launcher, or the session.
[[nodiscard]] std::string share_scope(const ShareFacts& facts,
                                      const std::vector<std::pair<std::string, std::string>>& environment);

// The part of the plan that says with whom to share.  `plan` is complete but for it; `origin`: who asked for `mode`.
[[nodiscard]] SharePlan plan_sharing(const Asked<ShareMode>& mode, std::uint32_t linger, const LaunchPlan& plan,
                                     const HostFacts& host, const TreeView& host_tree);

}  // namespace swrun
