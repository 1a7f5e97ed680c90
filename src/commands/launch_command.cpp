#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "commands/commands.h"
#include "commands/image_session.h"
#include "commands/instance_commands.h"
#include "env/env_option.h"
#include "fuse/server.h"
#include "gpu/host/nvidia.h"
#include "instance/instance_state.h"
#include "mounts/bind_spec.h"
#include "mounts/kernel/host_view.h"
#include "plan/steady_view.h"
#include "resolve/limits.h"
#include "resolve/plan_json.h"
#include "resolve/resolve.h"
#include "runtime/host_probe.h"
#include "runtime/id_ranges.h"
#include "runtime/launch.h"
#include "runtime/share.h"
#include "share/share_keys.h"
#include "support/io.h"
#include "support/path.h"
#include "support/text.h"

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
    if (!request.nv.value) {
        GpuPlan none;
        if (request.rocm.value) {
            none.notes.push_back({Level::warning,
                                  "--rocm: swrun does not look for AMD libraries yet; without --contain the devices "
                                  "are there, libraries of the host can be shown with -B"});
        }
        return none;
    }
    constexpr std::size_t kMaxCache = 64U << 20U;
    std::string path_variable;
    for (const auto& [name, value] : host.environment) {
        if (name == "PATH") path_variable = value;
    }
    const std::string cache = read_file("/etc/ld.so.cache", kMaxCache).value_or(std::string());
    const GpuFacts facts = discover_nvidia(host_tree, cache, nv_lib_list_text(host_tree), path_variable);
    return plan_gpu(facts, request.contain.value || request.containall.value, request.nv.origin);
}

// Where decoded blocks are kept between launches; empty: they are not.
std::string hot_directory(const Invocation& invocation, const LaunchRequest& request) {
    const bool served = request.image_mode.value != ImageMode::unpack && !request.unsquash.value &&
                        request.image_reader.value == ImageReader::own;
    const bool wanted = request.hot_cache.value && served && !invocation.dry_run && !invocation.explain_env;
    return wanted ? invocation.cache.directory : "";
}

using Sessions = std::vector<std::unique_ptr<ImageSession>>;

// The images that binds and overlays name, each argument once, and the overlay partitions of the image itself.
Result<Sessions> open_further(const LaunchRequest& request, const std::string& cwd, const OpenedImage& root,
                              const std::string& hot_directory, std::vector<FurtherImage>& images) {
    Sessions sessions;
    const auto open = [&](const std::string& argument, std::optional<std::uint32_t> id, SifPart part,
                          const Origin& origin) -> Status {
        for (const FurtherImage& image : images) {
            if (image.argument == argument && image.id == id) return {};
        }
        SWRUN_TRY(auto session, with_context(open_data_session(argument, cwd, id, part, hot_directory),
                                             "opening an image (from " + to_text(origin) + ")"));
        images.push_back({argument, id, session->image.facts, session->view.get(), false});
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
    if (!root.sif) return sessions;
    for (const SifObject& object : root.sif->objects) {
        if (!object.partition || object.partition->part != SifPart::overlay) continue;
        SWRUN_CHECK(open(request.image, object.id, SifPart::overlay, {Origin::Kind::builtin, "overlay partition"}));
        images.back().embedded = true;
    }
    return sessions;
}

bool any_is_squashfs(const ImageSession& session, const Sessions& further) {
    return session.squashfs ||
           std::any_of(further.begin(), further.end(), [](const auto& one) { return one->squashfs.has_value(); });
}

LaunchImage borrow(ImageSession& session) {
    const ImageFacts& facts = session.image.facts;
    return {session.squashfs ? &*session.squashfs : nullptr, session.image.fd.get(), facts.path, facts.offset,
            facts.size};
}

// Where the program will be looked for, as far as that is known before the launch is planned.
std::vector<std::string> likely_programs(const LaunchRequest& request) {
    constexpr std::string_view kDirectories = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    switch (request.action) {
        case Action::exec: break;
        case Action::run: return {"/.singularity.d/runscript"};
        case Action::test: return {"/.singularity.d/test"};
        case Action::start: return {"/.singularity.d/startscript"};
        case Action::shell: return {request.shell.value.value_or("/bin/bash"), "/bin/sh"};
    }
    if (request.arguments.empty()) return {};
    const std::string& word = request.arguments.front();
    if (word.find('/') != std::string::npos) return {word};
    std::vector<std::string> paths;
    for (const std::string_view directory : split(kDirectories, ':')) paths.push_back(join_path(directory, word));
    return paths;
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

// An instance has a way of its own to be joined.
bool may_share(const LaunchRequest& request, const HostFacts& host) {
    if (!request.instance.empty() || request.share.value == ShareMode::never) return false;
    return request.share.value == ShareMode::always || request.linger.value > 0 ||
           !rank_variable(host.environment).empty();
}

// The server looks for what the program's start will read while the launch is planned.  Which program that is, is
// a guess at this time: a wrong one costs time and changes nothing.
Status start_early(const Invocation& invocation, const LaunchRequest& request, const HostFacts& host,
                   ImageSession& session) {
    if (session.squashfs) session.squashfs->hint.programs = likely_programs(request);
    const bool served = session.squashfs && request.image_mode.value != ImageMode::unpack && !request.unsquash.value &&
                        request.image_reader.value == ImageReader::own;
    if (!served || invocation.dry_run || invocation.explain_env || !request.instance.empty()) return {};
    // Limits may need a control group that nobody else of ours is in; who may share needs doors first.
    if (asks_for_limits(request.limits) || may_share(request, host)) return {};
    Doors none;
    SWRUN_TRY(session.squashfs->server, start_image_server(*session.squashfs, none));
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

Result<LaunchPlan> plan_launch(const ResolveInput& input) {
    SWRUN_TRY(LaunchPlan plan, resolve(input));
    SWRUN_TRY(plan.limits, find_limits(input.request, input.host));
    plan.share = plan_sharing(input.request.share, input.request.linger.value, plan, input.host, input.host_tree);
    return plan;
}

Error run(const Invocation& invocation, HostFacts host, Stopwatch& watch, bool& finished) {
    SWRUN_TRY(const LaunchRequest request, complete_request(invocation));
    const bool starts = !request.instance.empty();
    if (starts) {
        SWRUN_CHECK(check_instance(request));
        host.terminal.clear();  // an instance has none
    } else if (instance_of_address(request.image)) {
        return join_command(request, host);
    }
    if (request.fakeroot.value) host.subordinate = probe_subordinate_ids(host.user);
    const std::string& cwd = host.cwd.logical.empty() ? "/" : host.cwd.logical;
    const std::string hot = hot_directory(invocation, request);
    SWRUN_TRY(const std::unique_ptr<ImageSession> session, open_session(request.image, cwd, host.architecture, hot));
    SWRUN_CHECK(start_early(invocation, request, host, *session));
    watch.lap("image");
    const HostView host_now;
    const SteadyView host_tree(host_now);
    const GpuPlan gpu = find_gpu(request, host, host_tree);
    std::vector<FurtherImage> images;
    SWRUN_TRY(const Sessions further, open_further(request, cwd, session->image, hot, images));
    if (request.image_mode.value == ImageMode::automatic && any_is_squashfs(*session, further)) {
        host.fuse_errno = probe_fuse_device();
    }
    const bool sharing = may_share(request, host);
    if (sharing) host.share = probe_sharing();
    ResolveInput input{request, host, session->image.facts, host_tree, *session->view, gpu, images, sharing};
    SWRUN_TRY(LaunchPlan plan, plan_launch(input));
    Shared shared;
    if (sharing) {
        const SharePlan share = plan.share;
        const bool only_shown = invocation.dry_run || invocation.explain_env;
        std::vector<Note> notes;
        if (!only_shown) shared = find_shared(share, notes);
        say(notes);
        if (!shared.has_tree()) {
            input.outline = false;
            SWRUN_TRY(plan, plan_launch(input));
            plan.share = share;
        }
    }
    watch.lap("plan");
    if (invocation.dry_run || invocation.explain_env) {
        if (invocation.explain_env) explain_environment(plan);
        if (invocation.dry_run) std::fputs(plan_to_json(plan).c_str(), stdout);
        finished = true;
        return {};
    }
    say(plan.notes);
    warn_of_lost_rank(request, host, plan);
    // Views have done their work; that of an ext3 image holds a descriptor which is not close-on-exec.
    if (!session->squashfs) session->view.reset();
    for (const auto& one : further) {
        if (!one->squashfs) one->view.reset();
    }
    std::vector<LaunchImage> opened = {borrow(*session)};
    for (const auto& one : further) opened.push_back(borrow(*one));
    if (starts) {
        const auto launcher = [&](const LaunchOptions& options) { return launch(plan, opened, watch, options); };
        return start_instance(invocation, host, plan, launcher, finished);
    }
    LaunchOptions options;
    options.print_timings = invocation.timings;
    if (sharing) options.shared = &shared;
    return launch(plan, opened, watch, options);
}

}  // namespace

int launch_command(const Invocation& invocation, const HostFacts& host, Stopwatch& watch) {
    bool finished = false;
    const Error error = run(invocation, host, watch, finished);
    if (!finished) return report(error);
    return std::fflush(stdout) == 0 && std::ferror(stdout) == 0
               ? 0
               : report(sys_error(Error::Kind::host, "write", "standard output", errno));
}

}  // namespace swrun
