// The mount system calls, each with our error text, and nothing else.  Only new-style calls: Linux 5.12
// or newer (open_tree, move_mount and fsopen since 5.2, openat2 since 5.6, mount_setattr since 5.12).
// Detached mounts are Fds: closing one dissolves it.  Sources: open_tree(2), move_mount(2), fsopen(2),
// fsconfig(2), fsmount(2), mount_setattr(2), openat2(2).
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

// A detached new file system: fsopen, one fsconfig per option, fsmount.
[[nodiscard]] Result<Fd> make_mount(const std::string& type, const std::vector<FsOption>& options, const MountFlags& flags);

[[nodiscard]] Status attach_mount(int mount, int target, std::string_view name);

// Opens `path` below the directory descriptor `root` as if that were "/": links and ".." never leave
// it.  O_PATH unless flags say otherwise.  The error is errno alone: callers name the object.
[[nodiscard]] Result<Fd> open_in_root(int root, const std::string& path, int flags, unsigned mode = 0);

// Makes the whole tree of mounts a slave of the caller's: host mounts arrive, ours never leave.
[[nodiscard]] Status make_mounts_slave();

// The mount behind `root` (attached, current directory irrelevant) becomes "/"; the old tree is let go.
[[nodiscard]] Status switch_root(int root);

}  // namespace swrun
