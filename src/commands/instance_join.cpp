// exec, run and shell of instance://NAME: finds the instance, plans the program, joins.
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <sched.h>

#include "cli/limit_file.h"
#include "commands/instance_commands.h"
#include "instance/instance_join.h"
#include "instance/instance_store.h"
#include "mounts/kernel/host_view.h"
#include "resolve/limits.h"
#include "resolve/resolve_join.h"
#include "support/io.h"
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

std::string number_of(const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0 || !(S_ISBLK(status.st_mode) || S_ISCHR(status.st_mode))) return "";
    return std::to_string(major(status.st_rdev)) + ":" + std::to_string(minor(status.st_rdev));
}

LimitFacts limit_facts(const LimitRequest& request) {
    LimitFacts facts;
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    if (::sched_getaffinity(0, sizeof allowed, &allowed) == 0) facts.cpus = static_cast<unsigned>(CPU_COUNT(&allowed));
    for (const Asked<std::string>& asked : request.blkio_weight_device) {
        const std::string path = asked.value.substr(0, asked.value.find(':'));
        if (std::string number = number_of(path); !number.empty()) facts.devices[path] = std::move(number);
    }
    return facts;
}

}  // namespace

Result<LimitPlan> find_limits(const LaunchRequest& request, const HostFacts& host) {
    constexpr std::size_t kMaxFile = 1U << 20U;
    const LimitRequest& limits = request.limits;
    LimitPlan none;
    none.wanted_for_numbers = !request.instance.empty() && !request.fakeroot.value;
    if (!asks_for_limits(limits)) return none;
    SWRUN_TRY(std::optional<LimitValues> values, read_limit_options(limits, limit_facts(limits)));
    Origin origin{Origin::Kind::argument, "limit options"};
    if (limits.file.value) {
        if (values) {
            return make_error(Error::Kind::request, "cannot apply a cgroups TOML file while using limit flags");
        }
        const std::string& cwd = host.cwd.logical.empty() ? "/" : host.cwd.logical;
        const std::string path = absolute_path(*limits.file.value, cwd);
        origin = limits.file.origin;
        SWRUN_TRY(const std::string text, read_file(path, kMaxFile));
        SWRUN_TRY(values, parse_limit_file(text, path));
    }
    if (!values) return none;
    for (const Note& note : values->notes) log(note.level, note.text);
    if (values->oom_kill_disable) {
        log_warning("--oom-kill-disable has no effect: control groups of version 2 have no such switch");
    }
    SWRUN_TRY(LimitPlan plan, plan_limits(*values, origin));
    plan.wanted_for_numbers = none.wanted_for_numbers;
    return plan;
}

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
              resolve_join({request, host, image, host_tree, host_tree, no_gpu, {}}, instance.terms));
    say(plan.notes);
    return join_instance(instance, host.user.uid, plan);
}

}  // namespace swrun
