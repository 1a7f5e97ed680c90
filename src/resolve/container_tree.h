// ContainerTree: what the container will look like, grown mount by mount while the plan is made.  It
// answers as a TreeView (host below a bind, image elsewhere) and says where a mount point has to come
// from: the image has it, a ghost stands in for it, or it is made below a bound host directory.
// Pure: the two views do the looking.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "plan/launch_plan.h"
#include "plan/tree_view.h"

namespace swrun {

class ContainerTree : public TreeView {
public:
    // Both views are borrowed and outlive the tree.
    ContainerTree(const TreeView& host, const TreeView& image) : host_(host), image_(image) {}

    // False for --writable on a directory: nothing may stand in for a missing mount point there.
    void allow_ghosts(bool allowed) { ghosts_allowed_ = allowed; }

    // True for an image that cannot take in ghosts (RootPlan::ghost_layer): they lie in a layer of their own,
    // which must repeat the directories above them with their modes, because a layer's attributes hide those of
    // the layer below.
    void repeat_parents(bool repeat) { repeat_parents_ = repeat; }

    // What a mount of kind image shows, by its index; a mount without a view is taken for empty.
    void show_image(std::size_t image_mount, const TreeView& view) { image_views_[image_mount] = &view; }

    // True where layers that nobody looks into may have something else at a path: the kinds of files and
    // directories of the image are then no reason to refuse a mount.
    void allow_unknown(bool unknown) { unknown_ = unknown; }

    // Appends the op, its target resolved inside the tree, and what its mount point needs.  ENOENT when
    // the mount point is missing and cannot be made; ENOTDIR when something on the way is no directory, or a
    // file and a directory meet; EROFS when it lies in a read-only bind that lacks it; the root itself is refused.
    [[nodiscard]] Status place(MountOp op, bool target_is_dir);

    // Likewise, for a mount that nobody asked for.  It makes no mount point in a directory of the host (EROFS).
    // In the image's own part a directory of ours takes the place of a file, a dangling link or a link loop.
    // False: something is mounted at that very place already, and stays.
    [[nodiscard]] Result<bool> place_automatic(MountOp op, bool target_is_dir);

    // A file, directory or link of ours in the image's own part of the tree, in place of whatever the
    // image has there.  Its parents are made as needed, links on the way are followed.
    void add_ghost(Ghost ghost);

    [[nodiscard]] bool is_mount_point(const std::string& path) const { return topmost_.contains(path); }
    [[nodiscard]] const std::vector<MountOp>& mounts() const { return mounts_; }
    [[nodiscard]] std::vector<Ghost> ghosts() const;  // parents before children

    [[nodiscard]] Node look(const std::string& path) const override;
    [[nodiscard]] Result<std::string> read_link(const std::string& path) const override;
    [[nodiscard]] Result<std::string> read_text(const std::string& path, std::size_t limit) const override;
    [[nodiscard]] Result<std::vector<std::string>> list(const std::string& path) const override;

private:
    // The topmost mount at or above `path`; nullptr where the image's own tree shows.
    [[nodiscard]] const MountOp* mount_over(const std::string& path) const;
    // Whether a mount that shows lies below; `over`: the mount over the path itself.
    [[nodiscard]] bool is_above_mount(const std::string& path, const MountOp* over) const;
    [[nodiscard]] Node look_itself(const std::string& path) const;
    // The tree that an op of kind bind or image shows; nullptr for others.
    [[nodiscard]] const TreeView* shown_by(const MountOp& op) const;
    void add_missing(const ResolvedPath& where, bool last_is_dir);
    [[nodiscard]] Status put(MountOp op, const ResolvedPath& where, bool target_is_dir, bool on_host);
    [[nodiscard]] Status check_kinds(const MountOp& op, const ResolvedPath& where) const;
    [[nodiscard]] Status make_mount_point(MountOp& op, const ResolvedPath& where, bool on_host);
    // What has to give way to a directory of ours before something can be mounted there; empty for nothing.
    [[nodiscard]] std::string obstacle_at(const ResolvedPath& where, bool target_is_dir) const;

    const TreeView& host_;
    const TreeView& image_;
    bool ghosts_allowed_ = true;
    bool repeat_parents_ = false;
    bool unknown_ = false;
    std::map<std::size_t, const TreeView*> image_views_;
    std::vector<MountOp> mounts_;
    std::map<std::string, std::size_t, std::less<>> topmost_;  // of each target: the index of its last mount
    std::map<std::string, Ghost> ghosts_;
};

}  // namespace swrun
