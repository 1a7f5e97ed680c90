// Says of a host what swrun needs, whether it works here, and the fix where it does not: a launch in miniature, step by
// step (launch_trial.h), and what else launches meet.  Changes nothing that outlives it.
#pragma once

#include <string>
#include <vector>

#include "plan/host_facts.h"

namespace swrun {

struct Finding {
    enum class State { works, limited, fails };  // limited: swrun runs, something is missing

    State state = State::works;
    std::string what;
    std::string detail;
    std::string fix;  // what an administrator or the user can do; empty when nothing is wrong
};

[[nodiscard]] std::vector<Finding> examine_host(const HostFacts& host);

}  // namespace swrun
