// What a launch does: the options that have an effect, by section.
#pragma once

#include "cli/option_rows.h"

namespace swrun::rows {

inline constexpr auto kBindOptions = rows(
    S::binds, kLaunching,
    {
        option(O::bind, "bind", 'B', K::array, {"BIND", "BINDPATH"}, "SRC[:DST[:OPT,...]]",
               "Show a file or directory of the host inside; DST is SRC unless given; OPT is ro or rw. Several "
               "are joined by commas"),
        option(O::mount, "mount", 0, K::array, {"MOUNT"}, "SPEC",
               "The same in long form: type=bind,source=SRC,destination=DST[,readonly][,nonested]. Quotes as in CSV "
               "protect commas"),
        option(O::home, "home", 'H', K::text, {"HOME"}, "SRC[:DST]",
               "Use SRC as the home directory, inside at DST. Without it: your home directory of the user database"),
        flag(O::no_home, "no-home", 0, {"NO_HOME"}, "Do not show the home directory inside"),
        option(O::no_mount, "no-mount", 0, K::slice, {"NO_MOUNT"}, "NAME,...",
               "Leave out proc, sys, dev, devpts, home, tmp, hostfs, cwd, bind-paths, or the bind with that absolute "
               "destination"),
        option(O::cwd, "cwd", 0, K::text, {"CWD", "TARGET_CWD"}, "DIR",
               "Start in this directory of the image instead of the current one (also: --pwd)"),
        same_as(O::cwd, option(O::pwd, "pwd", 0, K::text, {"PWD", "TARGET_PWD"}, "DIR", "Another name of --cwd")),
        option(
            O::workdir, "workdir", 'W', K::text, {"WORKDIR"}, "DIR",
            "With --contain: keep /tmp, /var/tmp and the home directory in DIR of the host; --scratch directories too"),
        option(O::scratch, "scratch", 'S', K::slice, {"SCRATCH", "SCRATCHDIR"}, "DIR,...",
               "Give the program an empty writable directory at DIR, gone afterwards unless --workdir keeps it"),
        option(
            O::fusemount, "fusemount", 0, K::slice, {"FUSESPEC"}, "TYPE:COMMAND DIR",
            "Show at DIR what a FUSE program serves. COMMAND runs inside (TYPE container) or on the host (host), with "
            "/dev/fd/3 added as its mount point, or detaches itself (container-daemon, host-daemon); implies --pid"),
    });

inline constexpr auto kEnvironmentOptions = rows(
    S::environment, kLaunching,
    {
        flag(O::cleanenv, "cleanenv", 'e', {"CLEANENV"}, "Start from the image's environment, not from yours"),
        option(O::env, "env", 0, K::map, {}, "NAME=VALUE,...",
               "Set a variable inside; beats the image. PREPEND_PATH and APPEND_PATH add to PATH"),
        option(O::env_file, "env-file", 0, K::slice, {"ENV_FILE"}, "FILE,...",
               "Set the variables that this file of shell assignments sets; --env beats it"),
        option(O::no_env, "no-env", 0, K::slice, {"NOENV"}, "NAME,...", "Do not pass these variables of yours on"),
        own(option(
            O::keep_env, "keep-env", 0, K::slice, {"KEEP_ENV"}, "NAME,...",
            "With --cleanenv: pass these variables of yours on nevertheless; SLURM_* stands for all that begin so")),
        flag(O::no_eval, "no-eval", 0, {"NO_EVAL"},
             "Take values and image arguments literally; nothing in them is evaluated by a shell"),
    });

inline constexpr auto kProgramOptions = rows(
    S::program, kLaunching,
    {
        option(O::app, "app", 0, K::text, {"APP", "APPNAME"}, "NAME", "Run this SCIF application of the image"),
        taken_by(C::shell, option(O::shell, "shell", 's', K::text, {"SHELL"}, "PATH",
                                  "The shell to start, a path inside the image")),
        flag(O::no_umask, "no-umask", 0, {"NO_UMASK"}, "Start with umask 0022 instead of yours"),
    });

inline constexpr auto kNamespaceOptions = rows(
    S::namespaces, kLaunching,
    {
        flag(O::contain, "contain", 'c', {"CONTAIN"},
             "Hide the host: a minimal /dev, empty /tmp, /var/tmp and home, no current directory"),
        flag(O::containall, "containall", 'C', {"CONTAINALL"}, "--contain, --pid, --ipc and --cleanenv together"),
        flag(O::pid, "pid", 'p', {"PID", "UNSHARE_PID"}, "Own process numbers; the program sees no other processes"),
        flag(O::no_pid, "no-pid", 0, {"NO_PID"}, "No own process numbers, even with --containall or --compat"),
        flag(O::no_init, "no-init", 0, {"NOSHIMINIT"}, "With --pid: the program itself is process 1"),
        flag(O::ipc, "ipc", 'i', {"IPC", "UNSHARE_IPC"}, "Own System V and POSIX message queues and shared memory"),
        flag(O::uts, "uts", 0, {"UTS", "UNSHARE_UTS"}, "Own host name"),
        option(O::hostname, "hostname", 0, K::text, {"HOSTNAME"}, "NAME", "Set the host name inside; implies --uts"),
        option(O::dns, "dns", 0, K::text, {"DNS"}, "ADDRESS,...", "Name servers for /etc/resolv.conf inside"),
        flag(O::net, "net", 'n', {"NET", "UNSHARE_NET"}, "Own network, with --network none: a loopback device only"),
        option(O::network, "network", 0, K::text, {"NETWORK"}, "none", "Kind of network; only none, implies --net"),
        flag(O::userns, "userns", 'u', {"USERNS", "UNSHARE_USERNS"}, "Use a user namespace: swrun always does"),
        taken_by(kLaunching | C::overlay_create,
                 flag(O::fakeroot, "fakeroot", 'f', {"FAKEROOT"},
                      "Be root inside, with the range of ids that /etc/subuid grants you, or with your own id only")),
        option(O::add_caps, "add-caps", 0, K::text, {"ADD_CAPS"}, "CAP_NAME,...",
               "Give the program these capabilities over its own namespaces"),
        option(O::drop_caps, "drop-caps", 0, K::text, {"DROP_CAPS"}, "CAP_NAME,...",
               "Take these capabilities away, where the program has any (root, --fakeroot, --add-caps)"),
        option(O::security, "security", 0, K::slice, {"SECURITY"}, "uid:N,gid:N",
               "Show other ids inside: your files belong to them"),
        flag(O::no_privs, "no-privs", 0, {"NO_PRIVS"}, "Drop every capability also when root starts the program"),
        flag(O::keep_privs, "keep-privs", 0, {"KEEP_PRIVS"},
             "Keep every capability of root; for root only, who keeps them anyway"),
    });

inline constexpr auto kLimitOptions = rows(
    S::limits, kLaunching,
    {
        option(O::memory, "memory", 0, K::text, {"MEMORY"}, "SIZE",
               "No more memory than this; suffixes k, m, g, t. All limits need a control group that you may make"),
        option(O::memory_reservation, "memory-reservation", 0, K::text, {"MEMORY_RESERVATION"}, "SIZE",
               "Memory that is taken back from the program last"),
        option(O::memory_swap, "memory-swap", 0, K::text, {"MEMORY_SWAP"}, "SIZE",
               "Memory and swap together, with --memory; -1 for any amount of swap"),
        flag(O::oom_kill_disable, "oom-kill-disable", 0, {"OOM_KILL_DISABLE"},
             "Accepted with a warning: control groups of version 2 have no such switch"),
        option(O::cpus, "cpus", 0, K::text, {"CPUS"}, "N", "No more processor time than of N CPUs, as in 1.5"),
        option(O::cpu_shares, "cpu-shares", 0, K::number, {"CPU_SHARES"}, "N",
               "Weight against others when processors are short; 1024 is usual"),
        option(O::cpuset_cpus, "cpuset-cpus", 0, K::text, {"CPUSET_CPUS"}, "LIST", "Only these CPUs, as in 0-3,6"),
        option(O::cpuset_mems, "cpuset-mems", 0, K::text, {"CPUSET_MEMS"}, "LIST", "Only these memory nodes"),
        option(O::pids_limit, "pids-limit", 0, K::number, {"PIDS_LIMIT"}, "N",
               "No more processes and threads than N; -1 for any number"),
        option(O::blkio_weight, "blkio-weight", 0, K::number, {"BLKIO_WEIGHT"}, "N",
               "Weight of disk access, 10 to 1000"),
        option(O::blkio_weight_device, "blkio-weight-device", 0, K::slice, {"BLKIO_WEIGHT_DEVICE"}, "DEVICE:N",
               "The same for one device"),
        option(O::apply_cgroups, "apply-cgroups", 0, K::text, {"APPLY_CGROUPS"}, "FILE",
               "Limits from a TOML file with the tables of the OCI runtime specification"),
    });

inline constexpr auto kLayerOptions = rows(
    S::layers, kLaunching,
    {
        flag(O::writable_tmpfs, "writable-tmpfs", 0, {"WRITABLE_TMPFS"},
             "Let the program write everywhere; what it writes is in memory and gone afterwards"),
        option(
            O::overlay, "overlay", 'o', K::slice, {"OVERLAY", "OVERLAYIMAGE"}, "DIR|IMAGE[:ro],...",
            "Keep what the program writes in a directory of the host or an ext3 image, on top of the image; with :ro "
            "only show it"),
        flag(O::writable, "writable", 'w', {"WRITABLE"},
             "Write into the image itself: a directory, an ext3 image, or the overlay partition of a SIF"),
    });

inline constexpr auto kGpuOptions = rows(
    S::gpu, kLaunching,
    {
        hidden(option(O::containlibs, "containlibs", 0, K::slice, {"CONTAINLIBS"}, "FILE,...",
                      "Show these libraries of the host in the library directory of the container")),
        flag(O::nv, "nv", 0, {"NV"}, "Show NVIDIA devices, libraries and tools of the host inside"),
        flag(O::rocm, "rocm", 0, {"ROCM"}, "The same for AMD devices"),
    });

inline constexpr auto kImageOptions = rows(
    S::image, kLaunching,
    {
        own(one_of({"auto", "fuse", "unpack"},
                   option(O::image_mode, "image-mode", 0, K::text, {"IMAGE_MODE"}, "MODE",
                          "How image files are read: by fuse, or unpack, which takes as much memory as there is in the "
                          "image (see "
                          "--unpack-dir); auto is fuse, and unpack where FUSE cannot be used"))),
        own(one_of({"swrun", "squashfuse"},
                   option(O::image_reader, "image-reader", 0, K::text, {"IMAGE_READER"}, "READER",
                          "Who reads squashfs for the program: swrun, or squashfuse of the host, for a second opinion; "
                          "before its "
                          "version 0.2 that shows owners as they are stored"))),
        own(option(O::unpack_dir, "unpack-dir", 0, K::text, {"UNPACK_DIR"}, "DIR",
                   "An image that is unpacked goes to DIR instead of memory and is kept there for later launches")),
        own(one_of({"auto", "always", "never"}, option(O::share, "share", 0, K::text, {"SHARE"}, "MODE",
                                                       "Whether launches of one image share namespaces and image "
                                                       "server: always, never, or auto, which is among the "
                                                       "ranks of a parallel program"))),
        own(option(O::linger, "linger", 0, K::number, {"LINGER"}, "SECONDS",
                   "Keep namespaces and image server for that long after the last program, for launches that follow")),
        own(flag(O::hot_cache, "hot-cache", 0, {"HOT_CACHE"},
                 "Keep decoded what the start of a program read of an image, below ~/.cache/swrun or SWRUN_CACHEDIR, "
                 "for faster "
                 "starts later")),
        taken_by(kLaunching | C::config_show, own(option(O::profile, "profile", 0, K::text, {"PROFILE"}, "NAME",
                                                         "Use [profile.NAME] of the site files as well"))),
    });

inline constexpr auto kSeeingOptions = rows(
    S::seeing, kLaunching,
    {
        own(flag(O::dry_run, "dry-run", 0, {"DRY_RUN"},
                 "Print the whole plan as JSON, with who asked for what, and stop")),
        own(flag(O::explain_env, "explain-env", 0, {"EXPLAIN_ENV"},
                 "Print the program's environment, with where each value is from, and stop")),
        own(flag(O::timings, "timings", 0, {"TIMINGS"}, "Say on stderr how long each step of the launch took")),
    });

}  // namespace swrun::rows
