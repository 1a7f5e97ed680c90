// What the program may use of the machine: the options, or the file that --apply-cgroups names.
#include "resolve/limits.h"
#include "resolve/resolve_parts.h"

namespace swrun {

Status resolve_limits(Draft& draft) {
    const LaunchRequest& request = draft.in.request;
    LimitPlan& plan = draft.plan.limits;
    plan.wanted_for_numbers = !request.instance.empty() && !request.joins_instance && !request.fakeroot.value;
    if (!asks_for_limits(request.limits)) return {};
    SWRUN_TRY(std::optional<LimitValues> values, read_limit_options(request.limits, draft.in.limits.facts));
    Origin origin{Origin::Kind::argument, "limit options"};
    if (request.limits.file.value) {
        if (values) {
            return make_error(Error::Kind::request, "cannot apply a cgroups TOML file while using limit flags");
        }
        values = draft.in.limits.file;
        origin = request.limits.file.origin;
    }
    if (!values) return {};
    for (const Note& note : values->notes) draft.plan.notes.push_back(note);
    if (values->oom_kill_disable) {
        draft.note(Level::warning, "--oom-kill-disable has no effect: control groups of version 2 have no such switch");
    }
    const bool for_numbers = plan.wanted_for_numbers;
    SWRUN_TRY(plan, plan_limits(*values, origin));
    plan.wanted_for_numbers = for_numbers;
    return {};
}

}  // namespace swrun
