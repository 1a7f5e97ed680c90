// The binds that somebody asked for, and the working directory.
#include <algorithm>
#include <array>

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

// A device asked for by its own name in a minimal /dev: it has to stay a device.
bool is_device_bind(const Draft& draft, const BindSpec& spec) {
    return draft.contained() && spec.source == spec.target && is_below(spec.source, "/dev");
}

Result<bool> source_exists(Draft& draft, const BindSpec& spec, bool from_user) {
    const ResolvedPath found = resolve_in(draft.in.host_tree, spec.source);
    if (found.exists()) return true;
    const bool hidden = draft.in.host_tree.look(found.path).kind == Node::Kind::unreachable;
    const std::string why = hidden ? "permission denied" : "no such file or directory";
    if (!spec.required || !from_user) {
        draft.note(Level::verbose, "bind " + described(spec) + " skipped: " + why);
        return false;
    }
    Error error = make_error(Error::Kind::request, "mount source " + spec.source + " doesn't exist: " + why);
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
        Error error = make_error(Error::Kind::request, spec.image_path + " doesn't exist in the image " + spec.source);
        return error.add_context("binding " + described(spec));
    }
    op.kind = MountOp::Kind::image;
    op.image_path = inside.path;
    const bool is_directory = inside.node.kind == Node::Kind::directory;
    const bool writable = !spec.read_only && image.facts.kind == ImageFacts::Kind::ext3 &&
                          image.facts.writable_by_caller;
    op.flags.read_only = !writable;
    SWRUN_TRY(op.image_mount, draft.mount_image(*index + 1, inside.path, is_directory, writable, spec.origin));
    draft.tree.show_image(op.image_mount, *image.view);
    return is_directory;
}

Status place_bind(Draft& draft, const Wanted& wanted) {
    const BindSpec& spec = wanted.spec;
    SWRUN_TRY(const bool exists, source_exists(draft, spec, wanted.from_user));
    if (!exists) return {};
    if (is_device_bind(draft, spec) && spec.source == "/dev/shm") {
        draft.note(Level::warning, "Skipping /dev/shm bind mount: already mounted");
        return {};
    }
    MountOp op;
    op.kind = MountOp::Kind::bind;
    op.source = spec.source;
    op.target = spec.target;
    op.flags.read_only = spec.read_only;
    bool is_dir = resolve_in(draft.in.host_tree, spec.source).node.kind == Node::Kind::directory;
    if (spec.from_image) {
        SWRUN_TRY(is_dir, take_from_image(draft, wanted, op));
    }
    op.flags.recursive = spec.recursive;
    if (is_device_bind(draft, spec)) op.flags.no_dev = false;
    op.required = wanted.from_user && spec.required;
    op.origin = spec.origin;
    Status placed = draft.tree.place(std::move(op), is_dir);
    if (placed) return placed;
    if (!wanted.from_user) {
        draft.note(Level::verbose, "bind " + described(spec) + " skipped: " + placed.error().message);
        return {};
    }
    if (draft.plan.root.writable)
        placed.error().with_hint("with --writable the image must have the destination: make it there");
    placed.error().add_context("binding " + described(spec));
    return placed;
}

// Parents before children whatever the order of asking; otherwise in that order.
std::vector<Wanted> sorted_binds(Draft& draft) {
    std::vector<Wanted> all;
    const auto add = [&](const BindSpec& asked, bool from_user) {
        BindSpec spec = asked;
        spec.source = absolute_path(asked.source, draft.in.host.cwd.physical);
        // Without a destination the target is the source as written, which may be relative.
        spec.target = absolute_path(asked.target, draft.in.host.cwd.physical);
        if (from_user && asked.nested) draft.bind_targets.push_back(spec.target);
        const bool taken = std::any_of(all.begin(), all.end(),
                                       [&](const Wanted& w) { return w.spec.target == spec.target; });
        if (taken) {
            draft.note(from_user ? Level::warning : Level::verbose,
                       "While bind mounting '" + spec.source + ":" + spec.target +
                           "': destination is already in the mount point list");
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
    std::stable_sort(all.begin(), all.end(), [](const Wanted& a, const Wanted& b) {
        const std::size_t depth_a = components(a.spec.target).size();
        const std::size_t depth_b = components(b.spec.target).size();
        return depth_a != depth_b ? depth_a < depth_b : a.spec.target.size() < b.spec.target.size();
    });
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

Status bind_cwd(Draft& draft) {
    const CwdFacts& cwd = draft.in.host.cwd;
    if (draft.contained() || draft.unmounted("cwd") || cwd.state != CwdFacts::State::known) return {};
    if (cwd.physical == "/" || is_system_directory(cwd.physical, draft.in.request.strict_compat.value)) {
        return {};
    }
    const ResolvedPath inside = resolve_in(draft.tree, cwd.physical);
    if (inside.exists()) {
        const Node outside = draft.in.host_tree.look(cwd.physical);
        const bool same = inside.node.device == outside.device && inside.node.inode == outside.inode;
        if (same || draft.tree.is_mount_point(inside.path)) return {};
    }
    MountOp op;
    op.kind = MountOp::Kind::bind;
    op.source = cwd.physical;
    op.target = cwd.physical;
    op.required = false;
    op.origin = {Origin::Kind::builtin, "working directory"};
    const Status placed = draft.tree.place(std::move(op), true);
    if (!placed) draft.note(Level::verbose, "the working directory is not mounted: " + placed.error().message);
    if (placed && draft.in.request.no_home.value && is_below(cwd.physical, draft.home)) {
        draft.note(Level::verbose,
                   "the working directory is in the home directory and is shown: --no-mount home,cwd "
                   "hides both");
    }
    return {};
}

}  // namespace

Status resolve_binds(Draft& draft) {
    for (const Wanted& wanted : sorted_binds(draft)) {
        if (wanted.spec.target == "/") {
            Error error = make_error(Error::Kind::request,
                                     "cannot bind " + described(wanted.spec) + ": / is the image itself");
            return error.with_hint("bind below /, or run the directory as an image: swrun exec DIR ...");
        }
        SWRUN_CHECK(place_bind(draft, wanted));
    }
    return bind_cwd(draft);
}

}  // namespace swrun
