// Request + facts -> plan: every decision of a launch, made without a system call of its own.  What has
// to be looked up comes through the two TreeViews.  Called by main; tested with fakes and golden files.
#pragma once

#include <optional>

#include "gpu/gpu_plan.h"
#include "plan/host_facts.h"
#include "plan/image_facts.h"
#include "plan/launch_plan.h"
#include "plan/launch_request.h"
#include "plan/tree_view.h"
#include "resolve/limits.h"
#include "support/result.h"

namespace swrun {

// An image beside the root's: the source of a bind or a layer.  Opened by the caller in the order in
// which the request names them: first the binds', then the overlays', then those of the image itself.
struct FurtherImage {
    std::string argument;             // as in the request
    std::optional<std::uint32_t> id;  // likewise
    ImageFacts facts;
    const TreeView* view = nullptr;
    bool embedded = false;  // an overlay partition of the root's own SIF
};

struct ResolveInput {
    const LaunchRequest& request;
    const HostFacts& host;
    const ImageFacts& image;
    const TreeView& host_tree;
    const TreeView& image_tree;
    const GpuPlan& gpu;
    std::vector<FurtherImage> images;
    LimitInput limits;
};

// Errors: request (an option cannot be honoured), image (its kind cannot be used that way), status (an
// environment file of the image ended the launch).
[[nodiscard]] Result<LaunchPlan> resolve(const ResolveInput& input);

// Merges the generated files that carry lines of the image's own (Ghost::merge) with these.  Apart from resolve(), because
// it reads the image: a launch that joins a tree does without.
void complete_files(LaunchPlan& plan, const TreeView& image_tree);

}  // namespace swrun
