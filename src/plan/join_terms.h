// JoinTerms: what a running instance gives to the programs that join it.  Decided when the instance was started,
// kept in its record, read by resolve_join.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace swrun {

struct JoinTerms {
    std::string home;
    std::vector<std::string> bind_targets;  // of *_BIND
    bool libs_present = false;              // something is bound into /.singularity.d/libs
    std::uint32_t uid = 0;                  // inside
    std::uint32_t gid = 0;
    bool no_new_privs = true;
    bool drop_capabilities = true;
    std::vector<int> capabilities;  // numbers, as in ProcessPlan

    friend bool operator==(const JoinTerms&, const JoinTerms&) = default;
};

}  // namespace swrun
