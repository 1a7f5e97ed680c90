#include "plan/resolve_join.h"

#include "plan/resolve_parts.h"

namespace swrun {

Result<LaunchPlan> resolve_join(const ResolveInput& input, const InstanceState& instance) {
    Draft draft(input);
    const LaunchRequest& request = input.request;
    draft.home = instance.home.empty() ? input.host.user.home : instance.home;
    draft.bind_targets = instance.bind_targets;
    draft.user.uid = instance.uid;
    draft.user.gid = instance.gid;
    if (request.fakeroot.value) draft.note(Level::info, "--fakeroot ignored when joining instance");
    if (!request.fusemounts.empty()) draft.note(Level::warning, "--fusemount ignored when joining instance");
    SWRUN_CHECK(resolve_process(draft));
    ProcessPlan& process = draft.plan.process;
    process.startup.libs_present = instance.libs_present;
    process.umask = request.no_umask.value ? 022 : input.host.umask;
    process.no_new_privs = instance.no_new_privs;
    process.drop_capabilities = instance.drop_capabilities;
    process.capabilities = instance.capabilities;
    return std::move(draft.plan);
}

}  // namespace swrun
