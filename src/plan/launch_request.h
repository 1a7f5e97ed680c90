// LaunchRequest: what the user, the environment and the site asked for, before anything on the host or
// in the image has been looked at.  Made by cli (argv over variables over user file over site file over
// built-in), read by resolve.  Paths are as given: relative ones are taken from the caller's
// working directory by resolve.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plan/origin.h"

namespace swrun {

enum class Action { exec, run, shell, test, start };

[[nodiscard]] constexpr const char* action_name(Action action) {
    switch (action) {
        case Action::exec: return "exec";
        case Action::run: return "run";
        case Action::shell: return "shell";
        case Action::test: return "test";
        case Action::start: return "start";
    }
    return "exec";
}

// How image files are read.  automatic: by FUSE, or unpacked where FUSE cannot be used.
enum class ImageMode : std::uint8_t { automatic, fuse, unpack };

// Who serves the squashfs of an image file.  squashfuse: the host's program of that name.
enum class ImageReader : std::uint8_t { own, squashfuse };

// Whether launches of one node share namespaces and image server.  automatic: ranks of a parallel program do.
enum class ShareMode : std::uint8_t { automatic, always, never };

// One bind mount.  `source` may be relative to the working directory; `target` is absolute, not yet
// resolved inside the image.
struct BindSpec {
    std::string source;
    std::string target;
    bool read_only = false;
    bool required = true;                   // an absent source is an error; false: skipped with a note
    bool recursive = true;                  // mounts below the source come along
    bool nested = true;                     // listed in *_BIND, so that a nested launch repeats it
    bool from_image = false;                // source is an image file: its data is shown, not the file
    std::string image_path = "/";           // what of its tree
    std::optional<std::uint32_t> image_id;  // a SIF object; else the first data partition
    Origin origin;

    friend bool operator==(const BindSpec&, const BindSpec&) = default;
};

// One variable for the program that beats the image's and the caller's value.
struct EnvOverride {
    std::string name;   // as asked; PATH, PREPEND_PATH and APPEND_PATH are special names of env/
    std::string value;  // evaluated inside the container like a double-quoted word unless no_eval
    Origin origin;

    friend bool operator==(const EnvOverride&, const EnvOverride&) = default;
};

struct OverlaySpec {
    std::string path;
    bool read_only = false;
    Origin origin;

    friend bool operator==(const OverlaySpec&, const OverlaySpec&) = default;
};

using Flag = Asked<bool>;
using Text = Asked<std::optional<std::string>>;
using List = std::vector<Asked<std::string>>;

// What the program may use of the machine, as texts that resolve/limits reads.
struct LimitRequest {
    Text memory;
    Text memory_reservation;
    Text memory_swap;
    Flag oom_kill_disable;
    Text cpus;
    Text cpu_shares;
    Text cpuset_cpus;
    Text cpuset_mems;
    Text pids_limit;
    Text blkio_weight;
    List blkio_weight_device;  // "DEVICE:WEIGHT"
    Text file;                 // --apply-cgroups

    friend bool operator==(const LimitRequest&, const LimitRequest&) = default;
};

struct LaunchRequest {
    Action action = Action::exec;
    std::string image;                   // as given; "" is the working directory as a sandbox
    std::vector<std::string> arguments;  // everything after the image, verbatim
    std::string instance;                // the name that is given to it (instance start), or that is joined
    bool joins_instance = false;         // the image is instance://NAME

    // Binds and directories
    std::vector<BindSpec> binds;       // command line first, then variables
    std::vector<BindSpec> site_binds;  // from the user's and the site's file; below user binds in rank
    Text home;                         // "SRC[:DST]"
    Flag no_home;
    List no_mount;    // single words, already split at commas
    List fusemounts;  // "TYPE:COMMAND [ARGUMENT...] TARGET"
    Text cwd;         // --pwd and --cwd
    Flag contain;
    Flag containall;
    Text workdir;
    List scratch;
    Flag writable;
    Flag writable_tmpfs;
    std::vector<OverlaySpec> overlays;
    Flag underlay;  // missing mount points without an overlay
    Text dns;
    Asked<ImageMode> image_mode;
    Asked<ImageReader> image_reader;
    Flag unsquash;          // unpack the root's image, whatever the mode
    Text unpack_directory;  // where unpacked images are kept
    Asked<ShareMode> share;
    Asked<std::uint32_t> linger;  // seconds
    Flag hot_cache;               // decoded blocks are kept between launches

    // Environment
    Flag cleanenv;
    Flag no_eval;
    List no_env;    // names that are not imported from the caller
    List keep_env;  // names that are, also with cleanenv; "SLURM_*" for all that begin so
    List env_files;
    std::vector<EnvOverride> overrides;  // --env, in order; *ENV_ variables are read from HostFacts by env/
    std::vector<EnvOverride> site_env;   // from the site file: default values, as if the caller had set them

    // Program
    Text shell;  // --shell, only for Action::shell
    Text app;    // SCIF application
    Flag no_umask;

    // Namespaces and privileges
    Flag pid;
    Flag no_pid;
    Flag no_init;
    Flag ipc;
    Flag uts;
    Text hostname;
    Flag net;
    Text network;
    Flag no_privs;
    Flag keep_privs;
    Flag fakeroot;
    Flag ignore_subuid;  // fakeroot with one id only, even where the host grants a range
    Text add_caps;       // comma separated names
    Text drop_caps;
    List security;  // "uid:N", "gid:N"; others are refused
    Flag compat;
    Flag strict_compat;  // the old way also where a better one changes the result

    LimitRequest limits;

    // GPU
    Flag nv;
    Flag rocm;
    List containlibs;  // host libraries for /.singularity.d/libs

    friend bool operator==(const LaunchRequest&, const LaunchRequest&) = default;
};

}  // namespace swrun
