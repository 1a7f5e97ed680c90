// What one step of a launch leaves for the next, and the steps that have a file of their own.  Only runtime/launch, whose
// sequence they are parts of, makes one.
#pragma once

#include <csignal>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fuse/link.h"
#include "fuse/predicted_files.h"
#include "mounts/kernel/mount_apply.h"
#include "runtime/control_group.h"
#include "runtime/fuse_programs.h"
#include "runtime/launch.h"
#include "runtime/share.h"
#include "runtime/unpacked.h"

namespace swrun {

struct Stage {
    const LaunchPlan& plan;
    std::span<OpenedImage> images;
    Stopwatch& watch;
    const LaunchOptions& options;
    std::vector<Note> notes{};

    std::vector<Fd> links{};  // to the server or driver of each image mount; closing one unused ends it
    std::optional<ServerStart> root_server{};  // of a server of ours that was started for the root
    std::vector<KeptTree> kept{};              // of each that is unpacked and kept
    Fd overlay_link{};                         // to the driver that stacks the layers
    Fd written_back{};                         // end of file when the drivers of written images have ended
    std::vector<Fd> image_mounts{};
    Fd root{};
    std::vector<Captured> captured{};
    Fd shell{};  // the host's static bash, when the image's scripts may need it
    ControlGroup group{};
    Shared shared{};
    Fd hold_link{};           // to whoever holds this launch's namespaces; closing it unused lets them go
    Namespaces own{};         // as it gets them
    bool leads_tree = false;  // others may join it
    bool leads_user = false;  // likewise the user namespace
    bool shares_user = false;
    bool has_parent = false;
    Fd stop_news{};  // from an init of ours to its parent
    sigset_t caller_signals{};
    std::string directory{};
    FusePrograms fuse{};
};

// ---- runtime/launch_servers

// S2: what serves the images, or unpacks them, and stacks the layers.
[[nodiscard]] Status start_servers(Stage& stage);

// Whether the root is served by a server of ours, which then holds the doors, too.
[[nodiscard]] bool has_own_server(const LaunchPlan& plan);

// Null where the server leaves the launcher alone.
[[nodiscard]] const Placement* placement(const Stage& stage);

// Null where a layer may hide all of the image.
[[nodiscard]] const PredictedFiles* predicted_files(const Stage& stage);

// ---- runtime/launch_processes

// The launch goes on in a child, the caller's process supervises.  A pid namespace takes effect for children
// only (pid_namespaces(7)); an image that is written to has to be complete when the caller's process ends.
[[nodiscard]] Status go_on_in_child(Stage& stage);

// With an init of ours the program is its child; otherwise it is this process.
[[nodiscard]] Status become_init(Stage& stage);

// A shell without job control starts background jobs with SIGINT and SIGQUIT ignored (POSIX XCU 2.11); a
// batch system that interrupts such a job would then wait in vain.  Both ignored is that shell's doing and
// undone; anything else, nohup's SIGHUP above all, was somebody's wish and stays.
void restore_interrupts();

}  // namespace swrun
