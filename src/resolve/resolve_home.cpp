// Home, temporary and scratch directories: the host's own, or private ones.
#include <cerrno>

#include "mounts/bind_spec.h"
#include "resolve/mount_ops.h"
#include "support/path.h"
#include "support/text.h"

namespace swrun {
namespace {

bool is_directory(const TreeView& tree, const std::string& path) {
    const ResolvedPath found = resolve_in(tree, path);
    return found.exists() && found.node.kind == Node::Kind::directory;
}

// --writable lets no mount point be made, but a home is worth an exception: its top directory, if the
// image has that, is covered by one of ours.
void make_room(Draft& draft, const MountOp& home) {
    if (!draft.plan.root.writable || resolve_in(draft.tree, home.target).exists()) return;
    const std::string top = "/" + std::string(components(home.target).at(0));
    if (top != home.target && resolve_in(draft.tree, top).exists())
        want_own(draft, tmpfs_op(top, 0755, home.origin), true);
}

void want_own_home(Draft& draft, MountOp op) {
    make_room(draft, op);
    want_own(draft, std::move(op), true);
}

void want_asked_home(Draft& draft, MountOp op) {
    make_room(draft, op);
    const std::string source = source_of(op);
    const std::string context = "mounting the home directory " + source + (source.empty() ? "" : " ") + "at " +
                                op.target + " (from " + to_text(op.origin) + ")";
    want_asked(draft, std::move(op), true, context);
}

Error missing_home(const std::string& what, const ResolvedPath& found, const Origin& origin) {
    Error error = missing_error("", found);
    error.message = what + ": " + why_missing(found) + " (from " + to_text(origin) + ")";
    return error;
}

Result<std::string> workdir_path(const Draft& draft) {
    const Text& asked = draft.in.request.workdir;
    const std::string path = absolute_path(*asked.value, draft.in.host.cwd.physical);
    ResolvedPath found = resolve_in(draft.in.host_tree, path);
    if (found.exists() && found.node.kind == Node::Kind::directory) return path;
    if (found.exists()) found.sys_errno = ENOTDIR;
    return missing_home("working directory " + path, found, asked.origin)
        .with_hint("make it first: swrun only fills it");
}

// A private directory: below --workdir when there is one, else a tmpfs.
Result<MountOp> private_directory(const Draft& draft, const std::string& target, const std::string& name,
                                  std::uint32_t mode, const Origin& origin) {
    if (!draft.in.request.workdir.value) return tmpfs_op(target, mode, origin);
    SWRUN_TRY(const std::string base, workdir_path(draft));
    MountOp op = bind_op("", target, draft.in.request.workdir.origin);
    op.shows = MadeBind{join_path(base, name), mode};
    return op;
}

// A home that nobody has made is usual for accounts of services; one whose file system does not answer is not, and what
// the program writes into the empty one would be lost.
void note_unusable_home(Draft& draft, const std::string& source, const ResolvedPath& found) {
    const int err = found.sys_errno;
    if (err == 0 || err == ENOENT || err == ENOTDIR || err == EACCES) {
        draft.note(Level::verbose, "home " + source + " is not on this host: an empty one is shown");
    } else {
        draft.note(Level::warning,
                   "home " + source + " cannot be reached: " + why_missing(found) + ": an empty one is shown");
    }
}

Status mount_default_home(Draft& draft) {
    const std::string& source = draft.user.home;
    if (draft.home == "/") return {};
    const bool named = !source.empty() && source[0] == '/' && source != "/";
    const ResolvedPath found = named ? resolve_in(draft.in.host_tree, clean_path(source)) : ResolvedPath{};
    const bool usable = named && found.exists() && found.node.kind == Node::Kind::directory;
    if (usable && !draft.contained()) {
        want_own_home(draft, bind_op(clean_path(source), draft.home, builtin("home")));
        return {};
    }
    if (!draft.contained()) note_unusable_home(draft, source, found);
    const Origin origin = draft.contained() ? draft.in.request.contain.origin : builtin("home");
    SWRUN_TRY(MountOp op, private_directory(draft, draft.home, "home", 0700, origin));
    if (auto* tmpfs = std::get_if<TmpfsMount>(&op.shows)) tmpfs->mode = 0755;
    want_own_home(draft, std::move(op));
    return {};
}

// --home with a source that does not exist: what the program writes there would be lost without a word.
Status mount_absent_home(Draft& draft, const std::string& source, const ResolvedPath& found, const Origin& origin) {
    Error error = missing_home("home directory " + source, found, origin);
    if (!draft.in.request.strict_compat.value)
        return error.with_hint("make it first: an empty home would silently swallow what the program writes");
    draft.note(Level::warning, error.message + ": an empty one is shown");
    want_asked_home(draft, tmpfs_op(draft.home, 0755, origin));
    return {};
}

Status mount_custom_home(Draft& draft, const HomeSpec& spec) {
    const Origin& origin = draft.in.request.home.origin;
    const std::string source = absolute_path(spec.source, draft.in.host.cwd.physical);
    if (draft.home == "/") {
        draft.note(Level::warning, "Skipping impossible home directory mount to '/'");
        return {};
    }
    const ResolvedPath found = resolve_in(draft.in.host_tree, source);
    if (!found.exists()) return mount_absent_home(draft, source, found, origin);
    if (found.node.kind != Node::Kind::directory) {
        return make_error(Error::Kind::request,
                          "home directory " + source + ": not a directory (from " + to_text(origin) + ")");
    }
    want_asked_home(draft, bind_op(source, draft.home, origin));
    return {};
}

Status mount_tmp(Draft& draft) {
    if (draft.unmounted("tmp")) return {};
    if (draft.contained()) {
        const Origin& origin = draft.in.request.contain.origin;
        SWRUN_TRY(MountOp tmp, private_directory(draft, "/tmp", "tmp", 01777, origin));
        want_own(draft, std::move(tmp), true);
        SWRUN_TRY(MountOp var_tmp, private_directory(draft, "/var/tmp", "var_tmp", 01777, origin));
        want_own(draft, std::move(var_tmp), true);
        return {};
    }
    for (const char* path : {"/tmp", "/var/tmp"}) {
        if (!is_directory(draft.in.host_tree, path)) continue;
        // An image without /var shall not get one for the sake of /var/tmp.
        if (!resolve_in(draft.tree, std::string(parent_path(path))).exists()) continue;
        if (draft.in.request.strict_compat.value && !resolve_in(draft.tree, path).exists()) {
            draft.note(Level::warning, "Skipping mount " + std::string(path) + ": it doesn't exist in container");
            continue;
        }
        MountOp op = bind_op(path, path, builtin(path));
        op.required = false;
        want_own(draft, std::move(op), true);
    }
    return {};
}

Status mount_scratch(Draft& draft) {
    for (const Asked<std::string>& asked : draft.in.request.scratch) {
        for (const std::string_view one : split(asked.value, ',')) {
            if (one.empty()) continue;
            if (one[0] != '/') {
                return make_error(Error::Kind::request,
                                  "could not bind scratch directory " + std::string(one) +
                                      " into container: destination must be an absolute path (from " +
                                      to_text(asked.origin) + ")");
            }
            const std::string target = clean_path(one);
            SWRUN_TRY(MountOp op, private_directory(draft, target, "scratch" + target, 0750, asked.origin));
            if (auto* tmpfs = std::get_if<TmpfsMount>(&op.shows)) tmpfs->mode = 0755;
            want_asked(draft, std::move(op), true,
                       "mounting the scratch directory " + target + " (from " + to_text(asked.origin) + ")");
        }
    }
    return {};
}

}  // namespace

Status resolve_home(Draft& draft) {
    const LaunchRequest& request = draft.in.request;
    const UserFacts& user = draft.user;
    const bool wanted = !request.no_home.value && !draft.unmounted("home");
    HomeSpec spec;
    if (!request.home.value) {
        draft.home = draft.root_inside() ? "/root" : clean_path(user.home.empty() ? "/" : user.home);
    } else {
        SWRUN_TRY(spec, with_context(parse_home(*request.home.value),
                                     "reading the home directory (from " + to_text(request.home.origin) + ")"));
        const std::string source = absolute_path(spec.source, draft.in.host.cwd.physical);
        draft.home = spec.target.empty() ? source : clean_path(spec.target);
    }
    if (wanted) SWRUN_CHECK(request.home.value ? mount_custom_home(draft, spec) : mount_default_home(draft));
    SWRUN_CHECK(mount_tmp(draft));
    return mount_scratch(draft);
}

}  // namespace swrun
