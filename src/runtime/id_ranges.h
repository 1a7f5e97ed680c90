// Ranges of ids in a user namespace (--fakeroot): what /etc/subuid grants the caller, and having the
// setuid programs newuidmap and newgidmap map it, which alone may.
#pragma once

#include "plan/host_facts.h"
#include "plan/launch_plan.h"
#include "support/fd.h"
#include "support/process.h"
#include "support/result.h"

namespace swrun {

// A range of exactly 65536 ids, or else the largest above that, is taken (subuid(5)); a name that
// starts with "!" is disabled.
[[nodiscard]] SubordinateIds probe_subordinate_ids(const UserFacts& user);

// The first line of subuid(5) text that fits; pure, for tests.
struct IdRange {
    std::uint32_t start = 0;
    std::uint32_t count = 0;
};
[[nodiscard]] IdRange range_in_subid(std::string_view text, const UserFacts& user);

// A process outside the new user namespace that maps the ranges for its parent: newuidmap(1) must be
// run from the outer namespace, on a process in the inner one.
class RangeMapper {
public:
    // Before unshare(2).
    [[nodiscard]] static Result<RangeMapper> start(const NamespacePlan& plan);
    // After it: waits until the maps are written.
    [[nodiscard]] Status map();

private:
    RangeMapper(Child child, Fd go) : child_(std::move(child)), go_(std::move(go)) {}

    Child child_;
    Fd go_;
};

}  // namespace swrun
