#include "commands/launch_inputs.h"

#include <sched.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>

#include "cli/limit_file.h"
#include "env/env_option.h"
#include "gpu/host/nvidia.h"
#include "mounts/bind_spec.h"
#include "runtime/host_probe.h"
#include "runtime/id_ranges.h"
#include "runtime/share.h"
#include "share/share_keys.h"
#include "support/io.h"
#include "support/path.h"
#include "support/process.h"
#include "support/text.h"

namespace swrun {
namespace {

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

// Whether our own server reads the images of this request.
bool served_by_us(const LaunchRequest& request) {
    return request.image_mode.value != ImageMode::unpack && !request.unsquash.value &&
           request.image_reader.value == ImageReader::own;
}

// An instance has a way of its own to be joined.
bool may_share(const LaunchRequest& request, const HostFacts& host) {
    if (!request.instance.empty() || request.share.value == ShareMode::never) return false;
    return request.share.value == ShareMode::always || request.linger.value > 0 ||
           !rank_variable(host.environment).empty();
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

// The server looks for what the program's start will read while the launch is planned.  Which program that is, is
// a guess at this time: a wrong one costs time and changes nothing.
Status start_early(LaunchInputs& inputs) {
    OpenedImage& root = inputs.images.front();
    const LaunchRequest& request = inputs.request;
    if (!root.squashfs) return {};
    inputs.hint.programs = likely_programs(request);
    if (!served_by_us(request) || inputs.only_shown || !request.instance.empty()) return {};
    // Limits may need a control group that nobody else of ours is in; who may share needs doors first.
    if (asks_for_limits(request.limits) || inputs.may_share) return {};
    // Where both would take turns nothing is gained, and what the plan decodes crosses the fork.
    if (usable_processors() == 1) return {};
    Doors none;
    SWRUN_TRY(inputs.server, start_image_server(root, inputs.hint, none));
    return {};
}

// An image that a bind or overlay names, once, or an overlay partition of the root's own.
Status open_further(LaunchInputs& inputs, const std::string& argument, std::optional<std::uint32_t> id, SifPart part,
                    const Origin& origin, const std::string& hot_directory) {
    for (const FurtherImage& image : inputs.further) {
        if (image.argument == argument && image.id == id) return {};
    }
    const std::string cwd = inputs.host.cwd.base();
    const std::string asked_by = "opening an image (from " + to_text(origin) + ")";
    SWRUN_TRY(OpenedImage image, with_context(open_data_image(argument, cwd, id, part), asked_by));
    SWRUN_CHECK(with_context(look_inside(image, hot_directory), asked_by));
    inputs.further.push_back({argument, id, image.facts, image.view.get(), false});
    inputs.images.push_back(std::move(image));
    return {};
}

Status open_all_further(LaunchInputs& inputs, const std::string& hot_directory) {
    const LaunchRequest& request = inputs.request;
    for (const BindSpec& bind : request.binds) {
        if (!bind.from_image) continue;
        SWRUN_CHECK(open_further(inputs, bind.source, bind.image_id, SifPart::data, bind.origin, hot_directory));
    }
    for (const OverlaySpec& overlay : request.overlays) {
        const std::string path = absolute_path(overlay.path, inputs.host.cwd.base());
        // What cannot be found is for the plan to say.
        const ResolvedPath found = resolve_in(HostView(), path);
        if (!found.exists() || found.node.kind != Node::Kind::file) continue;
        SWRUN_CHECK(open_further(inputs, overlay.path, std::nullopt, SifPart::overlay, overlay.origin, hot_directory));
    }
    if (!inputs.images.front().sif) return {};
    for (const SifObject& object : inputs.images.front().sif->objects) {
        if (!object.partition || object.partition->part != SifPart::overlay) continue;
        SWRUN_CHECK(open_further(inputs, request.image, object.id, SifPart::overlay,
                                 {Origin::Kind::builtin, "overlay partition"}, hot_directory));
        inputs.further.back().embedded = true;
    }
    return {};
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

Result<LimitInput> find_limits(const LaunchRequest& request, const HostFacts& host) {
    constexpr std::size_t kMaxFile = 1U << 20U;
    LimitInput found;
    if (!asks_for_limits(request.limits)) return found;
    found.facts = limit_facts(request.limits);
    if (!request.limits.file.value) return found;
    // Beside options the file is refused, whatever it holds.
    const Result<std::optional<LimitValues>> options = read_limit_options(request.limits, found.facts);
    if (!options || *options) return found;
    const std::string path = absolute_path(*request.limits.file.value, host.cwd.base());
    SWRUN_TRY(const std::string text, read_file(path, kMaxFile));
    SWRUN_TRY(found.file, parse_limit_file(text, path));
    return found;
}

}  // namespace

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

Result<std::unique_ptr<LaunchInputs>> gather(const Invocation& invocation, LaunchRequest request, const HostFacts& host,
                                             Stopwatch& watch) {
    auto inputs = std::make_unique<LaunchInputs>(std::move(request), host);
    const LaunchRequest& asked = inputs->request;
    inputs->only_shown = invocation.dry_run || invocation.explain_env;
    if (!asked.instance.empty()) inputs->host.terminal.clear();  // an instance has none
    if (asked.fakeroot.value) inputs->host.subordinate = probe_subordinate_ids(host.user);
    inputs->may_share = may_share(asked, host);
    // Where decoded blocks are kept between launches; empty: they are not.
    const bool keeps = asked.hot_cache.value && served_by_us(asked) && !inputs->only_shown;
    const std::string hot_directory = keeps ? invocation.cache.directory : "";
    SWRUN_TRY(OpenedImage root, open_image(asked.image, host.cwd.base(), host.architecture));
    SWRUN_CHECK(look_inside(root, hot_directory));
    inputs->images.push_back(std::move(root));
    SWRUN_CHECK(start_early(*inputs));
    watch.lap("image");
    inputs->gpu = find_gpu(asked, host, inputs->host_tree);
    SWRUN_CHECK(open_all_further(*inputs, hot_directory));
    const bool any_served = std::any_of(inputs->images.begin(), inputs->images.end(),
                                        [](const OpenedImage& image) { return image.squashfs != nullptr; });
    if (asked.image_mode.value == ImageMode::automatic && any_served) inputs->host.fuse_errno = probe_fuse_device();
    if (inputs->may_share) inputs->host.share = probe_sharing();
    SWRUN_TRY(inputs->limits, find_limits(asked, host));
    return inputs;
}

}  // namespace swrun
