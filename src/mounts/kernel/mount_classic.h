// The mount calls of mount_syscalls by mount(2) alone, for kernels that lack the newer ones (Linux 4.18 on).
// mount(2) knows no detached mounts: here one is a mount in a private tmpfs, the scratch, which nobody can
// name and which goes with the host's tree at the root switch; closing the descriptor leaves it there.
// Needs /proc (descriptors become paths as /proc/self/fd/N).  Called by mount_syscalls alone.  On a kernel that
// has the newer calls it serves only mounts that have to wait without a descriptor (park_mount).  Sources:
// mount(2), pivot_root(2), mount_namespaces(7).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mounts/kernel/mount_syscalls.h"

namespace swrun {

[[nodiscard]] Result<Fd> classic_clone(int directory, const std::string& path, bool recursive);

[[nodiscard]] Result<Fd> classic_make(const std::string& type, const std::vector<FsOption>& options,
                                      const MountFlags& flags);

// An empty place in the scratch that a mount of that kind can be attached to.
[[nodiscard]] Result<Fd> classic_place(bool directory);

// Likewise, by name: it stays after its descriptor.
[[nodiscard]] Result<std::string> classic_park(bool directory);
// What is mounted at that place, or the empty place.
[[nodiscard]] Result<Fd> classic_open(const std::string& place);

// `mount` lies in the scratch.  Mounts below it that the caller's rights do not reach stay as they are: the
// program, with the same rights, does not reach them either.
[[nodiscard]] Status classic_restrict(int mount, const MountFlags& flags, std::string_view name);

[[nodiscard]] Status classic_attach(int mount, int target, std::string_view name);

// Before the root switch: the scratch becomes "/", so that the old root which is let go then holds it as
// well.  Does nothing when nothing of the above was called.
[[nodiscard]] Status classic_leave();

// The arguments of mount(2) for a new file system.
struct ClassicOptions {
    std::string source = "none";
    std::string data;
    unsigned long flags = 0;
};
[[nodiscard]] ClassicOptions classic_options(const std::vector<FsOption>& options, const MountFlags& flags);

}  // namespace swrun
