// The caller's own rights over files, for a moment.  In a user namespace of its own the launcher has all capabilities
// over what the caller owns, so that a directory without w bits would not stop it (capabilities(7),
// CAP_DAC_OVERRIDE); what it makes on the host it shall make only where the caller could.
#pragma once

#include <cstdint>

namespace swrun {

class CallerRights {
public:
    // `overrides`: the caller is one whom modes do not stop outside either (root): nothing is given up.
    explicit CallerRights(bool overrides);
    ~CallerRights();
    CallerRights(const CallerRights&) = delete;
    CallerRights& operator=(const CallerRights&) = delete;

private:
    bool given_up_ = false;
    std::uint32_t effective_ = 0;  // what the first word of the set was
};

}  // namespace swrun
