// All that a launch is decided from, looked up once before the plan is made.  Internal to the room.
#pragma once

#include <memory>
#include <vector>

#include "cli/invocation.h"
#include "fuse/server.h"
#include "image/image_file.h"
#include "mounts/kernel/host_view.h"
#include "plan/host_facts.h"
#include "plan/snapshot_view.h"
#include "resolve/resolve.h"
#include "support/result.h"
#include "support/stopwatch.h"

namespace swrun {

// Whole requests: cli has left texts of binds and variables to the rooms that know their grammar.
[[nodiscard]] Result<LaunchRequest> complete_request(const Invocation& invocation);

struct LaunchInputs {
    LaunchRequest request;
    HostFacts host;
    std::vector<OpenedImage> images;    // the root's first, then the further ones, as the plan counts them
    std::vector<FurtherImage> further;  // these as the plan sees them; their views are those of `images`
    HostView host_now;
    SnapshotView host_tree{host_now};
    GpuPlan gpu;
    LimitInput limits;
    StartHint hint;           // what will be started from the root's image
    ImageServer server;       // of that image, where one was started early; else without a link
    bool may_share = false;   // with other launches of the node
    bool only_shown = false;  // --dry-run, --explain-env: nothing is started

    LaunchInputs(LaunchRequest asked, HostFacts facts) : request(std::move(asked)), host(std::move(facts)) {}
    LaunchInputs(const LaunchInputs&) = delete;
    LaunchInputs& operator=(const LaunchInputs&) = delete;

    [[nodiscard]] ResolveInput for_resolve() const {
        return {request, host, images.front().facts, host_tree, *images.front().view, gpu, further, limits};
    }
};

// Opens the images and asks the host.  Starts the server of the root's image where that is certain to be needed, so that
// it works while the launch is planned; changes nothing else.
[[nodiscard]] Result<std::unique_ptr<LaunchInputs>> gather(const Invocation& invocation, LaunchRequest request,
                                                           const HostFacts& host, Stopwatch& watch);

}  // namespace swrun
