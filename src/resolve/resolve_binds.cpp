// The binds that somebody asked for, and the working directory.
#include <algorithm>
#include <array>
#include <unordered_map>

#include "resolve/mount_ops.h"
#include "resolve/resolve_parts.h"
#include "support/path.h"

namespace swrun {
namespace {

struct Wanted {
    BindSpec spec;
    std::string argument;  // the source as asked
    bool from_user = true;
};

std::string described(const BindSpec& spec) {
    return spec.source + ":" + spec.target + " (from " + to_text(spec.origin) + ")";
}

Result<bool> source_exists(Draft& draft, const BindSpec& spec, bool from_user) {
    const ResolvedPath found = resolve_in(draft.in.host_tree, spec.source);
    if (found.exists()) return true;
    if (!spec.required || !from_user) {
        draft.note(Level::verbose, "bind " + described(spec) + " skipped: " + why_missing(found));
        return false;
    }
    Error error = missing_error("mount source " + spec.source, found);
    error.add_context("binding " + described(spec));
    return error.with_hint("check the path; \":optional\" after the destination skips it when it is absent");
}

// The bind of a part of an image; gives whether that part is a directory.
Result<bool> take_from_image(Draft& draft, const Wanted& wanted, MountOp& op) {
    const BindSpec& spec = wanted.spec;
    const std::optional<std::size_t> index = draft.image_of(wanted.argument, spec.image_id);
    if (!index) return make_error(Error::Kind::request, "no image is open for the bind " + described(spec));
    const FurtherImage& image = draft.in.images[*index];
    const ResolvedPath inside = resolve_in(*image.view, absolute_path(spec.image_path, "/"));
    if (!inside.exists()) {
        Error error = make_error(Error::Kind::request, spec.image_path + " doesn't exist in the image " + spec.source +
                                                           ": " + why_missing(inside));
        return error.add_context("binding " + described(spec));
    }
    const bool is_directory = inside.node.kind == Node::Kind::directory;
    const bool writable = !spec.read_only && image.facts.kind == ImageFacts::Kind::ext3 &&
                          image.facts.writable_by_caller;
    op.flags.read_only = !writable;
    SWRUN_TRY(const std::size_t mount, draft.mount_image(*index + 1, inside.path, is_directory, writable, spec.origin));
    op.shows = ImageBind{spec.source, mount, inside.path};
    draft.tree.show_image(mount, *image.view);
    return is_directory;
}

Status want_bind(Draft& draft, const Wanted& wanted) {
    const BindSpec& spec = wanted.spec;
    if (spec.target == "/") {
        Error error = make_error(Error::Kind::request, "cannot bind " + described(spec) + ": / is the image itself");
        return error.with_hint("bind below /, or run the directory as an image: swrun exec DIR ...");
    }
    SWRUN_TRY(const bool exists, source_exists(draft, spec, wanted.from_user));
    if (!exists) return {};
    const bool own_shm = draft.contained() && !draft.unmounted("dev");
    if (own_shm && spec.source == spec.target && spec.source == "/dev/shm") {
        draft.note(Level::warning, "Skipping /dev/shm bind mount: already mounted");
        return {};
    }
    MountOp op = bind_op(spec.source, spec.target, spec.origin);
    op.flags.read_only = spec.read_only;
    bool is_dir = resolve_in(draft.in.host_tree, spec.source).node.kind == Node::Kind::directory;
    if (spec.from_image) {
        SWRUN_TRY(is_dir, take_from_image(draft, wanted, op));
    }
    op.flags.recursive = spec.recursive;
    op.required = wanted.from_user && spec.required;
    const auto standing = wanted.from_user ? WantedMount::Standing::requested : WantedMount::Standing::site;
    draft.wanted.push_back({std::move(op), is_dir, standing, false, "binding " + described(spec)});
    return {};
}

// The site's first: where two lead to one place, the user's own lies on top.
std::vector<Wanted> all_binds(Draft& draft) {
    std::vector<Wanted> all;
    std::unordered_map<std::string, std::string> taken;  // target to who has it
    const auto add = [&](const BindSpec& asked, bool from_user) {
        BindSpec spec = asked;
        spec.source = absolute_path(asked.source, draft.in.host.cwd.physical);
        // Without a destination the target is the source as written, which may be relative.
        spec.target = absolute_path(asked.target, draft.in.host.cwd.physical);
        if (from_user && asked.nested) draft.bind_targets.push_back(spec.target);
        const auto first = taken.emplace(spec.target, spec.source + " (from " + to_text(spec.origin) + ")");
        if (!first.second) {
            draft.note(from_user ? Level::warning : Level::verbose,
                       "While bind mounting '" + spec.source + ":" + spec.target +
                           "': destination is already in the mount point list, with " + first.first->second);
            return;
        }
        all.push_back({std::move(spec), asked.source, from_user});
    };
    for (const BindSpec& spec : draft.in.request.binds) add(spec, true);
    if (!draft.contained()) {
        for (const BindSpec& spec : draft.in.request.site_binds) add(spec, false);
    } else if (!draft.in.request.site_binds.empty()) {
        draft.note(Level::verbose, "the site's binds are left out of a contained launch");
    }
    std::stable_partition(all.begin(), all.end(), [](const Wanted& wanted) { return !wanted.from_user; });
    return all;
}

// Directories that belong to the image even when the caller stands in the host's.
bool is_system_directory(const std::string& path, bool strict) {
    constexpr std::array<std::string_view, 9> kExact = {"/etc", "/bin",  "/mnt", "/usr",  "/var",
                                                        "/opt", "/sbin", "/lib", "/lib64"};
    if (std::find(kExact.begin(), kExact.end(), path) != kExact.end()) return true;
    const auto covers = [&](std::string_view top) { return strict ? path.starts_with(top) : is_below(path, top); };
    return covers("/sys") || covers("/proc") || covers("/dev");
}

void want_cwd(Draft& draft) {
    const CwdFacts& cwd = draft.in.host.cwd;
    if (draft.contained() || draft.unmounted("cwd") || cwd.state != CwdFacts::State::known) return;
    if (cwd.physical == "/" || is_system_directory(cwd.physical, draft.in.request.strict_compat.value)) return;
    MountOp op = bind_op(cwd.physical, cwd.physical, builtin("working directory"));
    op.required = false;
    draft.wanted.push_back({std::move(op), true, WantedMount::Standing::cwd, false, ""});
}

}  // namespace

Status resolve_binds(Draft& draft) {
    for (const Wanted& wanted : all_binds(draft)) SWRUN_CHECK(want_bind(draft, wanted));
    want_cwd(draft);
    return {};
}

}  // namespace swrun
