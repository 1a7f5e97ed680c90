#include "resolve/mount_ops.h"

#include "support/path.h"

namespace swrun {

Origin builtin(std::string why) { return {Origin::Kind::builtin, std::move(why)}; }

MountOp bind_op(std::string source, std::string target, Origin origin) {
    MountOp op;
    op.shows = BindMount{std::move(source)};
    op.target = std::move(target);
    op.origin = std::move(origin);
    return op;
}

MountOp bind_unrestricted(const std::string& path, Origin origin) {
    MountOp op = bind_op(path, path, std::move(origin));
    op.flags.no_suid = false;
    op.flags.no_dev = false;
    return op;
}

MountOp tmpfs_op(std::string target, std::uint32_t mode, Origin origin) {
    MountOp op;
    op.shows = TmpfsMount{mode, {}};
    op.target = std::move(target);
    op.origin = std::move(origin);
    return op;
}

void want_own(Draft& draft, MountOp op, bool is_dir) {
    draft.wanted.push_back({std::move(op), is_dir, WantedMount::Standing::automatic, false, ""});
}

void want_brought(Draft& draft, MountOp op, bool is_dir) {
    draft.wanted.push_back({std::move(op), is_dir, WantedMount::Standing::automatic, true, ""});
}

void want_asked(Draft& draft, MountOp op, bool is_dir, std::string context) {
    draft.wanted.push_back({std::move(op), is_dir, WantedMount::Standing::requested, false, std::move(context)});
}

Ghost entry(Ghost::Kind kind, std::string path, std::string content, std::uint32_t mode) {
    return Ghost{kind, std::move(path), std::move(content), mode};
}

void add_generated(Draft& draft, Ghost file, Origin origin) {
    if (!draft.plan.root.writable) {
        draft.tree.add_ghost(std::move(file));
        return;
    }
    MountOp op;
    op.target = file.path;
    file.path = std::string(base_name(file.path));
    op.shows = GeneratedFile{std::move(file)};
    op.origin = std::move(origin);
    want_own(draft, std::move(op), false);
}

}  // namespace swrun
