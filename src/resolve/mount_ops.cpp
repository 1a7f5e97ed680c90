#include "resolve/mount_ops.h"

#include "support/path.h"

namespace swrun {

Origin builtin(std::string why) { return {Origin::Kind::builtin, std::move(why)}; }

MountOp bind_op(std::string source, std::string target, Origin origin) {
    MountOp op;
    op.kind = MountOp::Kind::bind;
    op.source = std::move(source);
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
    op.kind = MountOp::Kind::tmpfs;
    op.target = std::move(target);
    op.mode = mode;
    op.origin = std::move(origin);
    return op;
}

Status place_own(Draft& draft, MountOp op, bool is_dir) {
    const std::string target = op.target;
    const Status placed = draft.tree.place(std::move(op), is_dir);
    if (!placed) draft.note(Level::warning, "Skipping mount " + target + ": " + placed.error().message);
    return {};
}

Ghost entry(Ghost::Kind kind, std::string path, std::string content, std::uint32_t mode) {
    return Ghost{kind, std::move(path), std::move(content), mode};
}

Status add_generated(Draft& draft, Ghost file, Origin origin) {
    if (!draft.plan.root.writable) {
        draft.tree.add_ghost(std::move(file));
        return {};
    }
    MountOp op;
    op.kind = MountOp::Kind::generated;
    op.target = file.path;
    file.path = std::string(base_name(file.path));
    op.content.push_back(std::move(file));
    op.origin = std::move(origin);
    return place_own(draft, std::move(op), false);
}

}  // namespace swrun
