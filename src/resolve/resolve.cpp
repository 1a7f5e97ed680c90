#include "resolve/resolve.h"

#include "resolve/resolve_parts.h"

namespace swrun {

bool Draft::unmounted(std::string_view word) const {
    for (const Asked<std::string>& asked : in.request.no_mount) {
        if (asked.value == word) return true;
    }
    return false;
}

std::optional<std::size_t> Draft::image_of(const std::string& argument, std::optional<std::uint32_t> id) const {
    for (std::size_t i = 0; i < in.images.size(); ++i) {
        if (in.images[i].argument == argument && in.images[i].id == id) return i;
    }
    return std::nullopt;
}

Result<LaunchPlan> resolve(const ResolveInput& input) {
    Draft draft(input);
    SWRUN_CHECK(resolve_root(draft));
    SWRUN_CHECK(resolve_namespaces(draft));
    resolve_unpacked(draft);
    SWRUN_CHECK(resolve_mounts(draft));
    SWRUN_CHECK(resolve_binds(draft));
    SWRUN_CHECK(resolve_fuse_mounts(draft));
    draft.plan.mounts = draft.tree.mounts();
    draft.plan.root.ghosts = draft.tree.ghosts();
    SWRUN_CHECK(resolve_process(draft));
    return std::move(draft.plan);
}

}  // namespace swrun
