// File systems that a program of the host serves over FUSE: an ext3 image by fuse2fs(1), layers that the
// kernel's overlay refuses by fuse-overlayfs(1).  Called by runtime/launch for the plans that ask for it;
// a launch without a driver never comes here.
//
// These programs mount by themselves, at a path, and end when their mount has gone, so they may not stand
// in the launch's mount namespace: they would keep it, and it them, for ever.  A keeper process makes a
// mount namespace of its own inside the launch's user namespace, starts the driver there, sends a detached
// clone of what it has mounted to the launch and gives its own copy up; then only the launch holds the
// mount.  The keeper is started before the namespaces are made (S2): inside a pid namespace of the launch
// the driver would be killed with it, before it has written everything back.
//
// Needs open_tree(2), Linux 5.2.
#pragma once

#include <cstdint>
#include <string>

#include "support/fd.h"
#include "support/result.h"

namespace swrun {

// What a keeper will run.
struct DriverJob {
    std::string program;       // absolute
    std::string object;        // what is served, for messages
    std::string options;       // of -o
    std::string wishes{};      // more of them: the program is started again without those when it does not know them
    int image = -1;            // passed to the program as its file, with the locks on it; -1: no file
    std::string part = "/";    // of the tree that it serves: what is sent back
    bool is_directory = true;  // that part
};

// An open file of the image for its driver, with a lock on the file system's bytes that lasts as long as any
// process holds it: many may read, or one write.  The locks of Apptainer are the same kind (fcntl(2), open
// file description locks conflict with it) on the same bytes.  A driver that is on its way out is waited for.
[[nodiscard]] Result<Fd> open_locked(int image, const std::string& path, std::uint64_t offset, std::uint64_t size,
                                     bool writable);

// S2.  The launch's end of the link; closing it without mount_by_driver() ends the keeper.  `alive`: a
// descriptor that the driver holds until it has ended, -1 for none.
[[nodiscard]] Result<Fd> start_driver(const DriverJob& job, int alive);

// After S3, in the launch's user namespace: the mount, detached.  `tree`: a detached mount that becomes the
// driver's working directory, with an empty directory "merged" to mount on; -1: the driver needs none.
// `options` are added to the job's.  Errors carry what the program said.
[[nodiscard]] Result<Fd> mount_by_driver(int link, bool own_user_namespace, int tree, const std::string& options);

// The name of the directory in `tree`.
inline constexpr const char* kDriverMountPoint = "merged";

}  // namespace swrun
