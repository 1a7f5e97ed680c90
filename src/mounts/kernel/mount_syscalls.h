// The mount system calls, each with our error text, and nothing else.  By the calls of newer kernels
// (open_tree, move_mount and fsopen since Linux 5.2, openat2 since 5.6, mount_setattr since 5.12); each
// that the kernel answers with ENOSYS is from then on done by mount(2) or by hand (mount_classic.h,
// path_walk.h), which takes us back to 4.18.  Refusals have the hints of refusals.h.  Detached mounts are Fds:
// closing one gives it up.  Sources: open_tree(2), move_mount(2), fsopen(2), fsconfig(2), fsmount(2),
// mount_setattr(2), openat2(2).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plan/launch_plan.h"
#include "support/fd.h"
#include "support/result.h"

namespace swrun {

// A detached copy of the mount at `path` (with the mounts below it when recursive).
[[nodiscard]] Result<Fd> clone_mount(const std::string& path, bool recursive);
[[nodiscard]] Result<Fd> clone_mount_at(int directory, const std::string& path, bool recursive);

// Adds the flags; in a user namespace flags can be added but inherited ones never removed (EPERM).
[[nodiscard]] Status restrict_mount(int mount, const MountFlags& flags, std::string_view name);

struct FsOption {
    std::string key;
    std::string value;  // empty: a flag
};

// A detached new file system: fsopen, one fsconfig per option, fsmount.  EMFILE from "fuse": call again with a new
// device, there may be room now.
[[nodiscard]] Result<Fd> make_mount(const std::string& type, const std::vector<FsOption>& options,
                                    const MountFlags& flags);

[[nodiscard]] Status attach_mount(int mount, int target, std::string_view name);

// Puts a detached mount where no path leads to (mount_classic.h), so that it needs no descriptor while it waits; gives
// the place's name.  It costs a handful of calls: for launches with more mounts than descriptors.
[[nodiscard]] Result<std::string> park_mount(Fd mount, std::string_view name);
// A descriptor of what waits there, for attach_mount(), which takes it away.
[[nodiscard]] Result<Fd> take_parked(const std::string& place);

// Opens `path` below the directory descriptor `root` as if that were "/": links and ".." never leave
// it.  `flags`: O_PATH, and O_DIRECTORY or O_NOFOLLOW.  The error is errno alone: callers name the object.
[[nodiscard]] Result<Fd> open_in_root(int root, const std::string& path, int flags);

// Makes the whole tree of mounts a slave of the caller's: host mounts arrive, ours never leave.
[[nodiscard]] Status make_mounts_slave();

// Unmounts what is mounted at the current directory; what others hold of it lives on.
[[nodiscard]] Status unmount_here(std::string_view name);

// The mount behind `root` (attached, current directory irrelevant) becomes "/"; the old tree is let go.
// Only one mount may lie between the two: what else covers the old root would be left, over the new one.
[[nodiscard]] Status switch_root(int root);

// Which of the newer calls this kernel lacks, by trying each with arguments that cannot work.
[[nodiscard]] std::vector<std::string> missing_mount_calls();

}  // namespace swrun
