// The lines of /proc/PID/mountinfo as data, as far as a remount needs them: which mounts lie below one, and
// which flags they have.  Called by mount_classic.  Makes no system call.  Source: proc_pid_mountinfo(5).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace swrun {

struct MountLine {
    int id = 0;
    std::string point;        // as the reader's root sees it
    unsigned long flags = 0;  // of the mount alone, not of the file system: MS_RDONLY, MS_NOSUID, ...

    friend bool operator==(const MountLine&, const MountLine&) = default;
};

// Lines that cannot be read are left out: a newer kernel may add what it likes.
[[nodiscard]] std::vector<MountLine> parse_mount_lines(std::string_view text);

// The mount with that id, first, and with `recursive` all that lie below its mount point; empty without it.
[[nodiscard]] std::vector<MountLine> mounts_below(const std::vector<MountLine>& table, int id, bool recursive);

// The number behind "mnt_id:" of /proc/PID/fdinfo/FD, -1 without one.
[[nodiscard]] int mount_id_of(std::string_view fdinfo);

}  // namespace swrun
