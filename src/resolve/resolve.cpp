#include "resolve/resolve.h"

#include "resolve/identity.h"
#include "resolve/resolve_parts.h"

namespace swrun {
namespace {

constexpr std::size_t kMaxIdentityFile = 16U << 20U;

// False when the file is to be left as the image has it; a note says why.
bool complete_file(LaunchPlan& plan, Ghost& file, const TreeView& image_tree) {
    if (file.merge == Ghost::Merge::none) return true;
    const Result<std::string> text = image_tree.read_text(file.merge_with, kMaxIdentityFile);
    const std::optional<std::string_view> of_image = text ? std::optional<std::string_view>(*text) : std::nullopt;
    IdentityFile merged = merged_with(plan.identity, file.merge, of_image);
    for (Note& note : merged.notes) plan.notes.push_back(std::move(note));
    if (!merged.text) return false;
    file.content = std::move(*merged.text);
    file.merge = Ghost::Merge::none;
    file.merge_with.clear();
    return true;
}

}  // namespace

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
    SWRUN_CHECK(place_wanted(draft));
    draft.plan.mounts = draft.tree.mounts();
    draft.plan.root.ghosts = draft.tree.ghosts();
    SWRUN_CHECK(resolve_process(draft));
    SWRUN_CHECK(resolve_limits(draft));
    return std::move(draft.plan);
}

void complete_files(LaunchPlan& plan, const TreeView& image_tree) {
    std::vector<Ghost> ghosts;
    for (Ghost& ghost : plan.root.ghosts) {
        if (complete_file(plan, ghost, image_tree)) ghosts.push_back(std::move(ghost));
    }
    plan.root.ghosts = std::move(ghosts);
    std::vector<MountOp> mounts;
    for (MountOp& op : plan.mounts) {
        auto* generated = std::get_if<GeneratedFile>(&op.shows);
        if (generated == nullptr || complete_file(plan, generated->file, image_tree)) mounts.push_back(std::move(op));
    }
    plan.mounts = std::move(mounts);
}

}  // namespace swrun
