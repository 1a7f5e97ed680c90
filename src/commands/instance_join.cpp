// exec, run and shell of instance://NAME: finds the instance, plans the program, joins.

#include "instance/instance_join.h"
#include "commands/instance_commands.h"
#include "instance/instance_store.h"
#include "mounts/kernel/host_view.h"
#include "resolve/limits.h"
#include "resolve/resolve_join.h"
#include "support/path.h"
#include "support/text.h"

namespace swrun {
namespace {

Result<InstanceState> find_instance(const InstancePlaces& places, const std::string& name) {
    constexpr const char* kSetting = "While setting image/instance: ";
    if (!instance_name_valid(name)) {
        return make_error(Error::Kind::request, kSetting + printable(name) + " is not a valid instance name");
    }
    std::vector<InstanceState> found = list_instances(places, name);
    if (found.size() != 1) {
        return make_error(Error::Kind::request, kSetting + ("no instance found with name " + name));
    }
    return std::move(found.front());
}

}  // namespace

Error join_command(const LaunchRequest& asked, const HostFacts& host) {
    LaunchRequest request = asked;
    request.joins_instance = true;
    request.instance = instance_of_address(request.image).value_or("");
    SWRUN_TRY(const InstancePlaces places, instance_places(host, ""));
    if (asks_for_limits(request.limits)) {
        log_warning("Resource limits & cgroups configuration are only applied to instances at instance start.");
    }
    SWRUN_TRY(const InstanceState instance, find_instance(places, request.instance));
    const HostView host_tree;
    const GpuPlan no_gpu;
    ImageFacts image;
    image.path = instance.image;
    image.name = base_name(instance.image);
    SWRUN_TRY(const LaunchPlan plan,
              resolve_join({request, host, image, host_tree, host_tree, no_gpu, {}, {}}, instance.terms));
    say(plan.notes);
    return join_instance(instance, host.user.uid, plan);
}

}  // namespace swrun
