#include "resolve/resolve_join.h"

#include "resolve/resolve_parts.h"

namespace swrun {

Result<LaunchPlan> resolve_join(const ResolveInput& input, const JoinTerms& terms) {
    Draft draft(input);
    const LaunchRequest& request = input.request;
    draft.home = terms.home.empty() ? input.host.user.home : terms.home;
    draft.bind_targets = terms.bind_targets;
    draft.user.uid = terms.uid;
    draft.user.gid = terms.gid;
    if (request.fakeroot.value) draft.note(Level::info, "--fakeroot ignored when joining instance");
    if (!request.fusemounts.empty()) draft.note(Level::warning, "--fusemount ignored when joining instance");
    SWRUN_CHECK(resolve_process(draft));
    ProcessPlan& process = draft.plan.process;
    process.startup.libs_present = terms.libs_present;
    process.umask = request.no_umask.value ? 022 : input.host.umask;
    process.no_new_privs = terms.no_new_privs;
    process.drop_capabilities = terms.drop_capabilities;
    process.capabilities = terms.capabilities;
    return std::move(draft.plan);
}

}  // namespace swrun
