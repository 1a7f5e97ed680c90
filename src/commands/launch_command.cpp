// exec, run, shell, test, instance start and run: gather, plan, act.
#include <cerrno>
#include <cstdio>

#include "commands/commands.h"
#include "commands/instance_commands.h"
#include "commands/launch_inputs.h"
#include "instance/instance_state.h"
#include "resolve/plan_json.h"
#include "runtime/launch.h"
#include "runtime/share.h"
#include "share/share_keys.h"
#include "support/log.h"
#include "support/text.h"

namespace swrun {
namespace {

void explain_environment(const LaunchPlan& plan) {
    if (!plan.process.environment) {
        std::puts("# the image's files need a shell, which runs inside the container: only what goes in is known here");
    }
    const std::vector<Variable>& shown = plan.process.environment ? *plan.process.environment
                                                                  : plan.process.startup.forwarded;
    for (const Variable& variable : shown) {
        std::printf("%s=%s\t# %s\n", variable.name.c_str(), variable.value.c_str(), variable.origin.c_str());
    }
    for (const EnvOverride& forced :
         plan.process.environment ? std::vector<EnvOverride>() : plan.process.startup.overrides) {
        std::printf("%s=%s\t# %s\n", forced.name.c_str(), forced.value.c_str(), to_text(forced.origin).c_str());
    }
}

Status check_instance(const LaunchRequest& request) {
    if (instance_of_address(request.image)) {
        return make_error(Error::Kind::request,
                          "While setting image/instance: starting an instance from another is not allowed");
    }
    if (!instance_name_valid(request.instance)) {
        return make_error(Error::Kind::request, "while executing starter: while checking instance name: " +
                                                    printable(request.instance) + " is not a valid instance name");
    }
    return {};
}

// N ranks that do not know of each other are N programs of one rank, each of them content.
void warn_of_lost_rank(const LaunchRequest& request, const HostFacts& host, const LaunchPlan& plan) {
    const std::string rank = rank_variable(host.environment);
    if (rank.empty() || !request.cleanenv.value) return;
    const std::vector<Variable>& passed = plan.process.environment ? *plan.process.environment
                                                                   : plan.process.startup.forwarded;
    for (const Variable& variable : passed) {
        if (variable.name == rank) return;
    }
    log_warning("--cleanenv drops " + rank +
                ": the program will not know that it is one of several ranks; add "
                "--keep-env 'PMI*,OMPI_*,SLURM_*'");
}

// What the launch is, but for the text that files of the image add to generated ones.
Result<LaunchPlan> make_plan(const LaunchInputs& inputs) {
    SWRUN_TRY(LaunchPlan plan, resolve(inputs.for_resolve()));
    plan.share = plan_sharing(inputs.request.share, inputs.request.linger.value, plan, inputs.host, inputs.host_tree);
    return plan;
}

Status show(const Invocation& invocation, const LaunchPlan& plan) {
    if (invocation.explain_env) explain_environment(plan);
    if (invocation.dry_run) std::fputs(plan_to_json(plan).c_str(), stdout);
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return {};
    return sys_error(Error::Kind::host, "write", "standard output", errno);
}

// Becomes the program, or starts the instance.
Status act(const Invocation& invocation, const LaunchPlan& plan, LaunchInputs& inputs, Shared& shared,
           Stopwatch& watch) {
    say(plan.notes);
    warn_of_lost_rank(inputs.request, inputs.host, plan);
    LaunchOptions options;
    options.hint = inputs.hint;
    options.server = &inputs.server;
    if (!inputs.request.instance.empty()) {
        const auto launcher = [&](LaunchOptions instance) {
            instance.hint = options.hint;
            return launch(plan, inputs.images, watch, instance);
        };
        return start_instance(invocation, inputs.host, plan, launcher);
    }
    options.print_timings = invocation.timings;
    if (inputs.may_share) options.shared = &shared;
    return launch(plan, inputs.images, watch, options);
}

Status run(const Invocation& invocation, const HostFacts& host, Stopwatch& watch) {
    SWRUN_TRY(LaunchRequest request, complete_request(invocation));
    if (!request.instance.empty()) {
        SWRUN_CHECK(check_instance(request));
    } else if (instance_of_address(request.image)) {
        return join_command(request, host);
    }
    SWRUN_TRY(const std::unique_ptr<LaunchInputs> inputs, gather(invocation, std::move(request), host, watch));
    SWRUN_TRY(LaunchPlan plan, make_plan(*inputs));
    Shared shared;
    if (inputs->may_share && !inputs->only_shown) {
        std::vector<Note> notes;
        shared = find_shared(plan.share, notes);
        say(notes);
    }
    if (!shared.has_tree()) complete_files(plan, *inputs->images.front().view);
    watch.lap("plan");
    if (inputs->only_shown) return show(invocation, plan);
    return act(invocation, plan, *inputs, shared, watch);
}

}  // namespace

int launch_command(const Invocation& invocation, const HostFacts& host, Stopwatch& watch) {
    const Status done = run(invocation, host, watch);
    return done ? 0 : report(done.error());
}

}  // namespace swrun
