#include <cerrno>
#include <cstdio>

#include "commands/commands.h"
#include "commands/image_session.h"
#include "env/env_option.h"
#include "gpu/nvidia.h"
#include "mounts/bind_spec.h"
#include "mounts/host_view.h"
#include "plan/plan_json.h"
#include "plan/resolve.h"
#include "runtime/id_ranges.h"
#include "runtime/launch.h"
#include "support/io.h"
#include "support/path.h"

namespace swrun {
namespace {

// The values that cli has left as text, parsed by the rooms that know their grammar.
Result<LaunchRequest> complete_request(const Invocation& invocation) {
    LaunchRequest request = invocation.launch;
    const auto append = [](auto& list, auto&& more) {
        list.insert(list.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
    };
    for (const Asked<std::string>& text : invocation.bind_texts) {
        SWRUN_TRY(auto specs, parse_bind_list(text.value, text.origin));
        append(request.binds, std::move(specs));
    }
    for (const Asked<std::string>& text : invocation.mount_texts) {
        SWRUN_TRY(auto specs, parse_mount_spec(text.value, text.origin));
        append(request.binds, std::move(specs));
    }
    for (const Asked<std::string>& text : invocation.env_texts) {
        SWRUN_TRY(auto pairs, parse_env_option(text.value, text.origin));
        append(request.overrides, std::move(pairs));
    }
    return request;
}

GpuPlan find_gpu(const LaunchRequest& request, const HostFacts& host, const TreeView& host_tree) {
    if (!request.nv.value) return {};
    constexpr std::size_t kMaxCache = 64U << 20U;
    std::string path_variable;
    for (const auto& [name, value] : host.environment) {
        if (name == "PATH") path_variable = value;
    }
    const std::string cache = read_file("/etc/ld.so.cache", kMaxCache).value_or(std::string());
    const GpuFacts facts = discover_nvidia(host_tree, cache, nv_lib_list_text(host_tree), path_variable);
    return plan_gpu(facts, request.contain.value || request.containall.value, request.nv.origin);
}

using Sessions = std::vector<std::unique_ptr<ImageSession>>;

// The images that binds and overlays name, each argument once.
Result<Sessions> open_further(const LaunchRequest& request, const std::string& cwd, std::vector<FurtherImage>& images) {
    Sessions sessions;
    const auto open = [&](const std::string& argument, std::optional<std::uint32_t> id, SifPart part,
                          const Origin& origin) -> Status {
        for (const FurtherImage& image : images) {
            if (image.argument == argument && image.id == id) return {};
        }
        SWRUN_TRY(auto session, with_context(open_data_session(argument, cwd, id, part),
                                             "opening an image (from " + to_text(origin) + ")"));
        images.push_back({argument, id, session->image.facts, session->view.get()});
        sessions.push_back(std::move(session));
        return {};
    };
    for (const BindSpec& bind : request.binds) {
        if (bind.from_image) SWRUN_CHECK(open(bind.source, bind.image_id, SifPart::data, bind.origin));
    }
    for (const OverlaySpec& overlay : request.overlays) {
        if (HostView().look(absolute_path(overlay.path, cwd)).kind != Node::Kind::file) continue;
        SWRUN_CHECK(open(overlay.path, std::nullopt, SifPart::overlay, overlay.origin));
    }
    return sessions;
}

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

Error run(const Invocation& invocation, HostFacts host, Stopwatch& watch, bool& finished) {
    SWRUN_TRY(const LaunchRequest request, complete_request(invocation));
    if (request.fakeroot.value) host.subordinate = probe_subordinate_ids(host.user);
    const std::string& cwd = host.cwd.logical.empty() ? "/" : host.cwd.logical;
    SWRUN_TRY(const std::unique_ptr<ImageSession> session, open_session(request.image, cwd, host.architecture));
    watch.lap("image");
    const HostView host_tree;
    const GpuPlan gpu = find_gpu(request, host, host_tree);
    std::vector<FurtherImage> images;
    SWRUN_TRY(const Sessions further, open_further(request, cwd, images));
    SWRUN_TRY(const LaunchPlan plan,
              resolve({request, host, session->image.facts, host_tree, *session->view, gpu, images}));
    watch.lap("plan");
    if (invocation.dry_run || invocation.explain_env) {
        if (invocation.explain_env) explain_environment(plan);
        if (invocation.dry_run) std::fputs(plan_to_json(plan).c_str(), stdout);
        finished = true;
        return {};
    }
    say(plan.notes);
    std::vector<ServedImage*> served;
    for (const auto& one : further) served.push_back(one->squashfs ? &*one->squashfs : nullptr);
    return launch(plan, session->squashfs ? &*session->squashfs : nullptr, served, watch, {invocation.timings});
}

}  // namespace

int launch_command(const Invocation& invocation, const HostFacts& host, Stopwatch& watch) {
    bool finished = false;
    const Error error = run(invocation, host, watch, finished);
    if (!finished) return report(error);
    return std::fflush(stdout) == 0 ? 0 : report(sys_error(Error::Kind::host, "write", "standard output", errno));
}

}  // namespace swrun
