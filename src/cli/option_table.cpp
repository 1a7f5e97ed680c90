#include "cli/option_table.h"

namespace swrun {
namespace {

using O = OptionId;
using G = OptionGroup;
using K = ValueKind;
using Keys = std::array<std::string_view, 2>;

constexpr CommandMask kShell = mask_of(Command::shell);
constexpr CommandMask kRun = mask_of(Command::run);
constexpr CommandMask kInspect = mask_of(Command::inspect);
constexpr CommandMask kClean = mask_of(Command::cache_clean);
constexpr CommandMask kConfig = mask_of(Command::config_global);
constexpr CommandMask kCreate = mask_of(Command::overlay_create);
constexpr CommandMask kList = mask_of(Command::instance_list);
constexpr CommandMask kStop = mask_of(Command::instance_stop);
constexpr CommandMask kStats = mask_of(Command::instance_stats);
constexpr CommandMask kEverywhere = ~CommandMask{0};

constexpr OptionSpec flag(O id, std::string_view name, char letter, G group, Keys keys, std::string_view help) {
    return {.id = id, .name = name, .letter = letter, .group = group, .keys = keys, .help = help};
}
constexpr OptionSpec option(O id, std::string_view name, char letter, K kind, G group, Keys keys,
                            std::string_view value, std::string_view help) {
    return {.id = id,
            .name = name,
            .letter = letter,
            .kind = kind,
            .group = group,
            .keys = keys,
            .value = value,
            .help = help};
}
constexpr OptionSpec ignored(O id, std::string_view name, K kind, Keys keys, std::string_view help,
                             std::string_view warning = "") {
    return {.id = id,
            .name = name,
            .kind = kind,
            .group = G::compatibility,
            .keys = keys,
            .value = "VALUE",
            .help = help,
            .support = Support::ignored,
            .reason = warning};
}
constexpr OptionSpec refused(O id, std::string_view name, K kind, Keys keys, std::string_view reason,
                             std::string_view instead) {
    return {.id = id,
            .name = name,
            .kind = kind,
            .group = G::refused,
            .keys = keys,
            .value = "VALUE",
            .help = reason,
            .support = Support::refused,
            .reason = reason,
            .instead = instead};
}
constexpr OptionSpec shows(O id, std::string_view name, char letter, std::string_view help) {
    return {.id = id, .name = name, .letter = letter, .group = G::inspecting, .commands = kInspect, .help = help};
}
constexpr OptionSpec global(O id, std::string_view name, char letter, std::string_view key, std::string_view help) {
    return {.id = id,
            .name = name,
            .letter = letter,
            .group = G::global,
            .commands = kGlobalMask,
            .keys = {key, ""},
            .help = help};
}
constexpr OptionSpec manages(O id, CommandMask commands, std::string_view name, char letter, std::string_view help) {
    return {.id = id, .name = name, .letter = letter, .group = G::managing, .commands = commands, .help = help};
}
constexpr OptionSpec with_value(OptionSpec spec, K kind, std::string_view value) {
    spec.kind = kind;
    spec.value = value;
    return spec;
}
constexpr OptionSpec in(OptionSpec spec, CommandMask commands) {
    spec.commands = commands;
    return spec;
}
constexpr OptionSpec hidden(OptionSpec spec) {
    spec.hidden = true;
    return spec;
}
constexpr OptionSpec own(OptionSpec spec) {
    spec.own = true;
    return spec;
}
constexpr OptionSpec like(OptionSpec spec, O same_as) {
    spec.same_as = same_as;
    return hidden(spec);
}

constexpr std::string_view kNoEncryption = "swrun does not open encrypted images";
constexpr std::string_view kDecrypt = "build an unencrypted copy and protect it with file permissions";
constexpr std::string_view kNoNetwork = "making networks needs root";
constexpr std::string_view kNetInstead =
    "--net --network none gives a loopback device only; leave --net out to use the host's network";

constexpr auto kOptions = std::to_array<OptionSpec>({
    option(O::bind, "bind", 'B', K::array, G::binds, {"BIND", "BINDPATH"}, "SRC[:DST[:OPT,...]]",
           "Show a file or directory of the host inside; DST is SRC unless given; OPT is ro or rw. Several "
           "are joined by commas"),
    option(O::mount, "mount", 0, K::array, G::binds, {"MOUNT", ""}, "SPEC",
           "The same in long form: type=bind,source=SRC,destination=DST[,readonly][,nonested]. Quotes as in CSV "
           "protect commas"),
    option(O::home, "home", 'H', K::text, G::binds, {"HOME", ""}, "SRC[:DST]",
           "Use SRC as the home directory, inside at DST. Without it: your home directory of the user database"),
    flag(O::no_home, "no-home", 0, G::binds, {"NO_HOME", ""}, "Do not show the home directory inside"),
    option(O::no_mount, "no-mount", 0, K::slice, G::binds, {"NO_MOUNT", ""}, "NAME,...",
           "Leave out proc, sys, dev, devpts, home, tmp, hostfs, cwd, bind-paths, or the bind with that absolute "
           "destination"),
    option(O::cwd, "cwd", 0, K::text, G::binds, {"CWD", "TARGET_CWD"}, "DIR",
           "Start in this directory of the image instead of the current one (also: --pwd)"),
    like(option(O::pwd, "pwd", 0, K::text, G::binds, {"PWD", "TARGET_PWD"}, "DIR", "Another name of --cwd"), O::cwd),
    option(O::workdir, "workdir", 'W', K::text, G::binds, {"WORKDIR", ""}, "DIR",
           "With --contain: keep /tmp, /var/tmp and the home directory in DIR of the host; --scratch directories too"),
    option(O::scratch, "scratch", 'S', K::slice, G::binds, {"SCRATCH", "SCRATCHDIR"}, "DIR,...",
           "Give the program an empty writable directory at DIR, gone afterwards unless --workdir keeps it"),
    option(O::fusemount, "fusemount", 0, K::slice, G::binds, {"FUSESPEC", ""}, "TYPE:COMMAND DIR",
           "Show at DIR what a FUSE program serves. COMMAND runs inside (TYPE container) or on the host (host), with "
           "/dev/fd/3 added as its mount point, or detaches itself (container-daemon, host-daemon); implies --pid"),

    flag(O::cleanenv, "cleanenv", 'e', G::environment, {"CLEANENV", ""},
         "Start from the image's environment, not from yours"),
    option(O::env, "env", 0, K::map, G::environment, {"", ""}, "NAME=VALUE,...",
           "Set a variable inside; beats the image. PREPEND_PATH and APPEND_PATH add to PATH"),
    option(O::env_file, "env-file", 0, K::slice, G::environment, {"ENV_FILE", ""}, "FILE,...",
           "Set the variables that this file of shell assignments sets; --env beats it"),
    option(O::no_env, "no-env", 0, K::slice, G::environment, {"NOENV", ""}, "NAME,...",
           "Do not pass these variables of yours on"),
    own(option(O::keep_env, "keep-env", 0, K::slice, G::environment, {"KEEP_ENV", ""}, "NAME,...",
               "With --cleanenv: pass these variables of yours on nevertheless; SLURM_* stands for all that begin so")),
    flag(O::no_eval, "no-eval", 0, G::environment, {"NO_EVAL", ""},
         "Take values and image arguments literally; nothing in them is evaluated by a shell"),

    option(O::app, "app", 0, K::text, G::program, {"APP", "APPNAME"}, "NAME", "Run this SCIF application of the image"),
    in(option(O::shell, "shell", 's', K::text, G::program, {"SHELL", ""}, "PATH",
              "The shell to start, a path inside the image"),
       kShell),
    flag(O::no_umask, "no-umask", 0, G::program, {"NO_UMASK", ""}, "Start with umask 0022 instead of yours"),

    flag(O::contain, "contain", 'c', G::namespaces, {"CONTAIN", ""},
         "Hide the host: a minimal /dev, empty /tmp, /var/tmp and home, no current directory"),
    flag(O::containall, "containall", 'C', G::namespaces, {"CONTAINALL", ""},
         "--contain, --pid, --ipc and --cleanenv together"),
    flag(O::pid, "pid", 'p', G::namespaces, {"PID", "UNSHARE_PID"},
         "Own process numbers; the program sees no other processes"),
    flag(O::no_pid, "no-pid", 0, G::namespaces, {"NO_PID", ""},
         "No own process numbers, even with --containall or --compat"),
    flag(O::no_init, "no-init", 0, G::namespaces, {"NOSHIMINIT", ""}, "With --pid: the program itself is process 1"),
    flag(O::ipc, "ipc", 'i', G::namespaces, {"IPC", "UNSHARE_IPC"},
         "Own System V and POSIX message queues and shared memory"),
    flag(O::uts, "uts", 0, G::namespaces, {"UTS", "UNSHARE_UTS"}, "Own host name"),
    option(O::hostname, "hostname", 0, K::text, G::namespaces, {"HOSTNAME", ""}, "NAME",
           "Set the host name inside; implies --uts"),
    option(O::dns, "dns", 0, K::text, G::namespaces, {"DNS", ""}, "ADDRESS,...",
           "Name servers for /etc/resolv.conf inside"),
    flag(O::net, "net", 'n', G::namespaces, {"NET", "UNSHARE_NET"},
         "Own network, with --network none: a loopback device only"),
    option(O::network, "network", 0, K::text, G::namespaces, {"NETWORK", ""}, "none",
           "Kind of network; only none, implies --net"),
    flag(O::userns, "userns", 'u', G::namespaces, {"USERNS", "UNSHARE_USERNS"},
         "Use a user namespace: swrun always does"),
    in(flag(O::fakeroot, "fakeroot", 'f', G::namespaces, {"FAKEROOT", ""},
            "Be root inside, with the range of ids that /etc/subuid grants you, or with your own id only"),
       kLaunchMask | kCreate),
    option(O::add_caps, "add-caps", 0, K::text, G::namespaces, {"ADD_CAPS", ""}, "CAP_NAME,...",
           "Give the program these capabilities over its own namespaces"),
    option(O::drop_caps, "drop-caps", 0, K::text, G::namespaces, {"DROP_CAPS", ""}, "CAP_NAME,...",
           "Take these capabilities away, where the program has any (root, --fakeroot, --add-caps)"),
    option(O::security, "security", 0, K::slice, G::namespaces, {"SECURITY", ""}, "uid:N,gid:N",
           "Show other ids inside: your files belong to them"),
    flag(O::no_privs, "no-privs", 0, G::namespaces, {"NO_PRIVS", ""},
         "Drop every capability also when root starts the program"),
    flag(O::keep_privs, "keep-privs", 0, G::namespaces, {"KEEP_PRIVS", ""},
         "Keep every capability of root; for root only, who keeps them anyway"),

    option(O::memory, "memory", 0, K::text, G::limits, {"MEMORY", ""}, "SIZE",
           "No more memory than this; suffixes k, m, g, t. All limits need a control group that you may make"),
    option(O::memory_reservation, "memory-reservation", 0, K::text, G::limits, {"MEMORY_RESERVATION", ""}, "SIZE",
           "Memory that is taken back from the program last"),
    option(O::memory_swap, "memory-swap", 0, K::text, G::limits, {"MEMORY_SWAP", ""}, "SIZE",
           "Memory and swap together, with --memory; -1 for any amount of swap"),
    flag(O::oom_kill_disable, "oom-kill-disable", 0, G::limits, {"OOM_KILL_DISABLE", ""},
         "Accepted with a warning: control groups of version 2 have no such switch"),
    option(O::cpus, "cpus", 0, K::text, G::limits, {"CPUS", ""}, "N",
           "No more processor time than of N CPUs, as in 1.5"),
    option(O::cpu_shares, "cpu-shares", 0, K::number, G::limits, {"CPU_SHARES", ""}, "N",
           "Weight against others when processors are short; 1024 is usual"),
    option(O::cpuset_cpus, "cpuset-cpus", 0, K::text, G::limits, {"CPUSET_CPUS", ""}, "LIST",
           "Only these CPUs, as in 0-3,6"),
    option(O::cpuset_mems, "cpuset-mems", 0, K::text, G::limits, {"CPUSET_MEMS", ""}, "LIST",
           "Only these memory nodes"),
    option(O::pids_limit, "pids-limit", 0, K::number, G::limits, {"PIDS_LIMIT", ""}, "N",
           "No more processes and threads than N; -1 for any number"),
    option(O::blkio_weight, "blkio-weight", 0, K::number, G::limits, {"BLKIO_WEIGHT", ""}, "N",
           "Weight of disk access, 10 to 1000"),
    option(O::blkio_weight_device, "blkio-weight-device", 0, K::slice, G::limits, {"BLKIO_WEIGHT_DEVICE", ""},
           "DEVICE:N", "The same for one device"),
    option(O::apply_cgroups, "apply-cgroups", 0, K::text, G::limits, {"APPLY_CGROUPS", ""}, "FILE",
           "Limits from a TOML file with the tables of the OCI runtime specification"),

    flag(O::writable_tmpfs, "writable-tmpfs", 0, G::layers, {"WRITABLE_TMPFS", ""},
         "Let the program write everywhere; what it writes is in memory and gone afterwards"),
    option(O::overlay, "overlay", 'o', K::slice, G::layers, {"OVERLAY", "OVERLAYIMAGE"}, "DIR|IMAGE[:ro],...",
           "Keep what the program writes in a directory of the host or an ext3 image, on top of the image; with :ro "
           "only show it"),
    flag(O::writable, "writable", 'w', G::layers, {"WRITABLE", ""},
         "Write into the image itself: a directory, an ext3 image, or the overlay partition of a SIF"),

    hidden(option(O::containlibs, "containlibs", 0, K::slice, G::gpu, {"CONTAINLIBS", ""}, "FILE,...",
                  "Show these libraries of the host in the library directory of the container")),
    flag(O::nv, "nv", 0, G::gpu, {"NV", ""}, "Show NVIDIA devices, libraries and tools of the host inside"),
    flag(O::rocm, "rocm", 0, G::gpu, {"ROCM", ""}, "The same for AMD devices"),

    own(option(O::image_mode, "image-mode", 0, K::text, G::image, {"IMAGE_MODE", ""}, "MODE",
               "How image files are read: by fuse, or unpack, which takes as much memory as there is in the image (see "
               "--unpack-dir); auto is fuse, and unpack where FUSE cannot be used")),
    own(option(O::image_reader, "image-reader", 0, K::text, G::image, {"IMAGE_READER", ""}, "READER",
               "Who reads squashfs for the program: swrun, or squashfuse of the host, for a second opinion; before its "
               "version 0.2 that shows owners as they are stored")),
    own(option(O::unpack_dir, "unpack-dir", 0, K::text, G::image, {"UNPACK_DIR", ""}, "DIR",
               "An image that is unpacked goes to DIR instead of memory and is kept there for later launches")),
    own(option(
        O::share, "share", 0, K::text, G::image, {"SHARE", ""}, "MODE",
        "Whether launches of one image share namespaces and image server: always, never, or auto, which is among the "
        "ranks of a parallel program")),
    own(option(O::linger, "linger", 0, K::number, G::image, {"LINGER", ""}, "SECONDS",
               "Keep namespaces and image server for that long after the last program, for launches that follow")),
    own(flag(
        O::hot_cache, "hot-cache", 0, G::image, {"HOT_CACHE", ""},
        "Keep decoded what the start of a program read of an image, below ~/.cache/swrun or SWRUN_CACHEDIR, for faster "
        "starts later")),
    in(own(option(O::profile, "profile", 0, K::text, G::image, {"PROFILE", ""}, "NAME",
                  "Use [profile.NAME] of the site files as well")),
       kLaunchMask | mask_of(Command::config_show)),

    own(flag(O::dry_run, "dry-run", 0, G::seeing, {"DRY_RUN", ""},
             "Print the whole plan as JSON, with who asked for what, and stop")),
    own(flag(O::explain_env, "explain-env", 0, G::seeing, {"EXPLAIN_ENV", ""},
             "Print the program's environment, with where each value is from, and stop")),
    own(flag(O::timings, "timings", 0, G::seeing, {"TIMINGS", ""},
             "Say on stderr how long each step of the launch took")),

    flag(O::compat, "compat", 0, G::compatibility, {"COMPAT", ""},
         "Behave like Docker: --containall --no-init --no-umask --no-eval --writable-tmpfs"),
    own(flag(O::strict_compat, "strict-compat", 0, G::compatibility, {"STRICT_COMPAT", ""},
             "Do as Apptainer 1.5.3 does also where swrun does better and the result could differ")),
    ignored(O::underlay, "underlay", K::boolean, {"UNDERLAY", ""},
            "Make what a directory lacks by a tree of binds, as kernels without overlays need it",
            "Flag --underlay has been deprecated, default overlay is preferred"),
    ignored(O::compat32, "compat32", K::boolean, {"COMPAT32", ""}, "32-bit GPU libraries",
            "--compat32: 32-bit GPU libraries are not shown inside"),
    flag(O::no_nv, "no-nv", 0, G::compatibility, {"NV_OFF", "NO_NV"}, "Cancel nv = true of a site file"),
    flag(O::no_rocm, "no-rocm", 0, G::compatibility, {"ROCM_OFF", "NO_ROCM"}, "Cancel rocm = true of a site file"),
    flag(O::unsquash, "unsquash", 0, G::compatibility, {"UNSQUASH", ""},
         "Unpack the image before the program starts, as --image-mode=unpack does"),
    flag(O::sharens, "sharens", 0, G::compatibility, {"SHARENS", ""},
         "One container for processes that start together, as --share=always does"),
    in(ignored(O::runscript_timeout, "runscript-timeout", K::text, {"RUNSCRIPT_TIMEOUT", ""},
               "Limit for commands in image scripts",
               "--runscript-timeout has no effect: the commands of an image's scripts may take as long as they take"),
       kRun),
    ignored(O::disable_cache, "disable-cache", K::boolean, {"DISABLE_CACHE", ""}, "There is no cache"),
    ignored(O::no_https, "no-https", K::boolean, {"NOHTTPS", "NO_HTTPS"}, "Only for registries"),
    like(ignored(O::nohttps, "nohttps", K::boolean, {"", ""}, "Another name of --no-https"), O::no_https),
    ignored(O::authfile, "authfile", K::text, {"AUTH_FILE", ""}, "Only for registries"),
    ignored(O::docker_login, "docker-login", K::boolean, {"DOCKER_LOGIN", ""}, "Only for registries"),
    ignored(O::docker_host, "docker-host", K::text, {"DOCKER_HOST", ""}, "Only for registries"),
    hidden(ignored(O::docker_username, "docker-username", K::text, {"DOCKER_USERNAME", ""}, "Only for registries")),
    hidden(ignored(O::docker_password, "docker-password", K::text, {"DOCKER_PASSWORD", ""}, "Only for registries")),
    hidden(ignored(O::tmpdir, "tmpdir", K::text, {"TMPDIR", ""}, "No temporary files are made")),
    ignored(O::cdi_dirs, "cdi-dirs", K::slice, {"", ""}, "Only with --device"),
    hidden(flag(O::ignore_subuid, "ignore-subuid", 0, G::compatibility, {"IGNORE_SUBUID", ""},
                "With --fakeroot: your own id only, whatever /etc/subuid grants")),
    hidden(ignored(O::ignore_fakeroot_command, "ignore-fakeroot-command", K::boolean, {"IGNORE_FAKEROOT_COMMAND", ""},
                   "Only with --fakeroot")),
    hidden(ignored(O::ignore_userns, "ignore-userns", K::boolean, {"IGNORE_USERNS", ""}, "Only with --fakeroot")),
    ignored(O::no_oci, "no-oci", K::boolean, {"NO_OCI", ""}, "There is no OCI mode"),
    ignored(O::no_compat, "no-compat", K::boolean, {"NO_COMPAT", ""}, "Only in OCI mode"),
    ignored(O::no_setgroups, "no-setgroups", K::boolean, {"NO_SETGROUPS", ""}, "Only with --fakeroot"),
    ignored(O::sif_fuse, "sif-fuse", K::boolean, {"SIF_FUSE", ""}, "FUSE is always used"),
    ignored(O::tmp_sandbox, "tmp-sandbox", K::boolean, {"TMP_SANDBOX", ""}, "Images are read in place"),
    ignored(O::no_tmp_sandbox, "no-tmp-sandbox", K::boolean, {"NO_TMP_SANDBOX", ""}, "Images are read in place"),
    ignored(O::keep_layers, "keep-layers", K::boolean, {"KEEP_LAYERS", ""}, "Only for OCI images"),
    hidden(ignored(O::proot, "proot", K::text, {"PROOT", ""}, "Only for builds")),

    refused(O::allow_setuid, "allow-setuid", K::boolean, {"ALLOW_SETUID", ""},
            "it requires root privileges outside of a user namespace",
            "become the other user before the launch; or --fakeroot, to be root inside"),
    refused(O::boot, "boot", K::boolean, {"BOOT", ""}, "booting an image needs root and an instance",
            "run the services you need by name"),
    refused(O::nvccli, "nvccli", K::boolean, {"NVCCLI", ""}, "nvidia-container-cli is not used", "use --nv"),
    refused(O::intel_hpu, "intel-hpu", K::boolean, {"INTEL_HPU", ""}, "swrun does not look for these devices",
            "without --contain the devices of the host are there anyway; else --bind them"),
    refused(O::device, "device", K::slice, {"", ""}, "swrun reads no CDI files",
            "use --nv or --rocm, or --bind the device"),
    refused(O::data, "data", K::slice, {"DATA", ""}, "swrun does not open data images",
            "unpack the data and --bind the directory"),
    refused(O::oci, "oci", K::boolean, {"OCI", ""}, "there is no OCI mode", "--compat is the closest; or use podman"),
    refused(O::network_args, "network-args", K::slice, {"NETWORK_ARGS", ""}, kNoNetwork, kNetInstead),
    refused(O::netns_path, "netns-path", K::text, {"NETNS_PATH", ""}, kNoNetwork,
            "start swrun itself with nsenter --net=PATH"),
    refused(O::passphrase, "passphrase", K::boolean, {"", ""}, kNoEncryption, kDecrypt),
    refused(O::pem_path, "pem-path", K::text, {"", ""}, kNoEncryption, kDecrypt),
    refused(O::dmtcp_launch, "dmtcp-launch", K::text, {"DMTCP_LAUNCH", ""}, "swrun makes no checkpoints",
            "start dmtcp_launch inside the image"),
    refused(O::dmtcp_restart, "dmtcp-restart", K::text, {"DMTCP_RESTART", ""}, "swrun makes no checkpoints",
            "start dmtcp_restart inside the image"),

    shows(O::labels, "labels", 'l', "Show the labels (this is the default)"),
    shows(O::deffile, "deffile", 'd', "Show the definition file that the image was built from"),
    shows(O::runscript, "runscript", 'r', "Show the script that `run` starts"),
    shows(O::startscript, "startscript", 's', "Show the script that starts a service"),
    shows(O::testscript, "test", 't', "Show the script that `test` starts"),
    shows(O::environment, "environment", 'e', "Show the environment that the image sets"),
    shows(O::helpfile, "helpfile", 'H', "Show the image's own help"),
    shows(O::json, "json", 'j', "Print JSON"),
    shows(O::list_apps, "list-apps", 0, "List the SCIF applications"),
    shows(O::all, "all", 0, "Show everything, as JSON"),
    in(option(O::inspect_app, "app", 0, K::text, G::inspecting, {"", ""}, "NAME", "Look at this SCIF application"),
       kInspect | mask_of(Command::run_help)),

    with_value(manages(O::cache_type, mask_of(Command::cache_list) | kClean, "type", 'T',
                       "Only entries of these types; swrun has no types, all is the only one that means anything"),
               K::slice, "NAME,..."),
    manages(O::cache_verbose, mask_of(Command::cache_list), "verbose", 'v', "Name every entry"),
    with_value(manages(O::cache_days, kClean, "days", 'D', "Only entries older than this many days"), K::number, "N"),
    manages(O::cache_dry_run, kClean, "dry-run", 'n', "Say what would be removed, remove nothing"),
    manages(O::cache_force, kClean, "force", 'f', "Do not ask"),
    manages(O::config_set, kConfig, "set", 's', "Set the directive: refused, swrun writes no configuration"),
    manages(O::config_unset, kConfig, "unset", 'u', "Unset the directive: refused"),
    manages(O::config_get, kConfig, "get", 'g', "Print the value of the directive"),
    manages(O::config_reset, kConfig, "reset", 'r', "Reset the directive to its default: refused"),
    manages(O::config_dry_run, kConfig, "dry-run", 'd', "Accepted: nothing is ever written"),
    with_value(manages(O::overlay_size, kCreate, "size", 's', "Size of the image in MiB (default 64)"), K::number, "N"),
    with_value(manages(O::overlay_directory, kCreate, "create-dir", 0, "Make this directory in the overlay as well"),
               K::slice, "DIR,..."),
    manages(O::overlay_sparse, kCreate, "sparse", 'S', "Take disk space only as it is used"),

    in(option(O::pid_file, "pid-file", 0, K::text, G::instances, {"PID_FILE", ""}, "FILE",
              "Write the number of the instance's first process to FILE"),
       kStartMask),
    in(option(O::instance_user, "user", 'u', K::text, G::instances, {"USER", ""}, "NAME",
              "Another user's instances; for root only"),
       kList | kStop | kStats),
    in(flag(O::instance_json, "json", 'j', G::instances, {"JSON", ""}, "Print JSON"), kList | kStats),
    in(flag(O::instance_logs, "logs", 'l', G::instances, {"LOGS", ""}, "Show where the logs are"), kList),
    in(flag(O::instance_all, "all", 'a', G::instances, {"ALL", ""}, "All instances"), kList | kStop),
    in(flag(O::instance_force, "force", 'F', G::instances, {"FORCE", ""}, "Kill it"), kStop),
    in(option(O::instance_signal, "signal", 's', K::text, G::instances, {"SIGNAL", ""}, "SIGNAL",
              "Send this signal instead of SIGINT, by name or number"),
       kStop),
    in(option(O::instance_timeout, "timeout", 't', K::number, G::instances, {"", ""}, "SECONDS",
              "Kill it if it still runs after so long (default 10)"),
       kStop),
    in(flag(O::instance_no_stream, "no-stream", 0, G::instances, {"", ""}, "Show the numbers once"), kStats),

    global(O::debug, "debug", 'd', "DEBUG", "Print all there is to know about the launch"),
    global(O::verbose, "verbose", 'v', "VERBOSE", "Print more than usual"),
    global(O::quiet, "quiet", 'q', "QUIET", "Print warnings and errors only"),
    global(O::silent, "silent", 's', "SILENT", "Print errors only"),
    global(O::nocolor, "nocolor", 0, "NOCOLOR", "No colours, also on a terminal"),
    in(option(O::config, "config", 'c', K::text, G::global, {"", ""}, "FILE",
              "Read FILE instead of the host's site file"),
       kGlobalMask),
    hidden(global(O::build_config, "build-config", 0, "", "Accepted for compatibility")),
    global(O::version, "version", 0, "", "Show the version"),
    hidden(own(global(O::man, "man", 0, "", "Print the manual page"))),
    in(flag(O::help, "help", 'h', G::global, {"", ""}, "Show this help"), kEverywhere),
});

constexpr bool in_order() {
    for (std::size_t i = 0; i < kOptions.size(); ++i) {
        if (index_of(kOptions[i].id) != i) return false;
    }
    return kOptions.size() == kOptionCount;
}
static_assert(in_order(), "spec_of() takes the enumerator as the index");

}  // namespace

std::span<const OptionSpec> options() { return kOptions; }

const OptionSpec& spec_of(OptionId id) { return kOptions[index_of(id)]; }

const OptionSpec* find_option(CommandMask commands, std::string_view name) {
    for (const OptionSpec& spec : kOptions) {
        if ((spec.commands & commands) != 0 && spec.name == name) return &spec;
    }
    return nullptr;
}

const OptionSpec* find_letter(CommandMask commands, char letter) {
    for (const OptionSpec& spec : kOptions) {
        if (letter != 0 && spec.letter == letter && (spec.commands & commands) != 0) return &spec;
    }
    return nullptr;
}

OptionId canonical(OptionId id) {
    const OptionId same = spec_of(id).same_as;
    return same == O::help ? id : same;
}

std::string_view title_of(OptionGroup group) {
    switch (group) {
        case G::binds: return "Binds and directories";
        case G::environment: return "Environment";
        case G::program: return "Program";
        case G::namespaces: return "Namespaces and privileges";
        case G::limits: return "Limits";
        case G::layers: return "Writable layers";
        case G::gpu: return "GPU";
        case G::image: return "Image and site files";
        case G::seeing: return "Seeing it";
        case G::compatibility: return "Compatibility";
        case G::refused: return "Known, not supported";
        case G::inspecting: return "What to show";
        case G::managing: return "Caches, settings and overlays";
        case G::instances: return "Instances";
        case G::global: return "Before the command";
    }
    return "";
}

}  // namespace swrun
