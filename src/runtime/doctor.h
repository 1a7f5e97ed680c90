// Probes the host, one capability at a time, each by doing it in a throw-away child: what swrun needs,
// whether it works here, and the exact fix where it does not.  Changes nothing that outlives it.
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
