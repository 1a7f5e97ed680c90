#include "cli/dropin_help.h"

#include <algorithm>
#include <string>
#include <vector>

namespace swrun {
namespace {

using O = OptionId;

struct Wording {
    OptionId id;
    std::string_view text;
};

// What Apptainer 1.5.3 prints for exec, option by option.  It is interface, not documentation of swrun:
// kept to the letter, in its order (by name).  Options that are not in it are not listed.
constexpr Wording kWordings[] = {
    {O::add_caps, "a comma separated capability list to add"},
    {O::allow_setuid, "allow setuid binaries in container (root only)"},
    {O::app, "set an application to run inside a container"},
    {O::apply_cgroups, "apply cgroups from file for container processes (root only)"},
    {O::authfile, "Docker-style authentication file to use for writing/reading OCI registry credentials"},
    {O::bind,
     "a user-bind path specification.  spec has the format src[:dest[:opts]], where src and dest are outside and "
     "inside paths.  If dest is not given, it is set equal to src.  Mount options ('opts') may be specified as 'ro' "
     "(read-only) or 'rw' (read/write, which is the default). Multiple bind paths can be given by a comma separated "
     "list."},
    {O::blkio_weight, "Block IO relative weight in range 10-1000, 0 to disable"},
    {O::blkio_weight_device, "Device specific block IO relative weight"},
    {O::cdi_dirs,
     "comma-separated list of directories in which CDI should look for device definition JSON files. If omitted, "
     "default will be: /etc/cdi,/var/run/cdi"},
    {O::cleanenv, "clean environment before running container"},
    {O::compat,
     "apply settings for increased OCI/Docker compatibility. Infers --containall, --no-init, --no-umask, --no-eval, "
     "--writable-tmpfs."},
    {O::contain,
     "use minimal /dev and empty other directories (e.g. /tmp and $HOME) instead of sharing filesystems from your "
     "host"},
    {O::containall, "contain not only file systems, but also PID, IPC, and environment"},
    {O::cpu_shares, "CPU shares for container (default -1)"},
    {O::cpus, "Number of CPUs available to container"},
    {O::cpuset_cpus, "List of host CPUs available to container"},
    {O::cpuset_mems, "List of host memory nodes available to container"},
    {O::cwd, "initial working directory for payload process inside the container (synonym for --pwd)"},
    {O::device,
     "fully-qualified CDI device name(s). A fully-qualified CDI device name consists of a VENDOR, CLASS, and NAME, "
     "which are combined as follows: <VENDOR>/<CLASS>=<NAME> (e.g. vendor.com/device=mydevice). Multiple "
     "fully-qualified CDI device names can be given as a comma separated list."},
    {O::disable_cache, "do not use or create cache"},
    {O::dns, "list of DNS server separated by commas to add in resolv.conf"},
    {O::docker_host, "specify a custom Docker daemon host"},
    {O::docker_login, "login to a Docker Repository interactively"},
    {O::drop_caps, "a comma separated capability list to drop"},
    {O::env, "pass environment variable to contained process (default [])"},
    {O::env_file, "pass environment variables from file to contained process"},
    {O::fakeroot, "run container with the appearance of running as root"},
    {O::fusemount,
     "A FUSE filesystem mount specification of the form '<type>:<fuse command> <mountpoint>' - where <type> is "
     "'container' or 'host', specifying where the mount will be performed ('container-daemon' or 'host-daemon' will "
     "run the FUSE process detached). <fuse command> is the path to the FUSE executable, plus options for the mount. "
     "<mountpoint> is the location in the container to which the FUSE mount will be attached. E.g. 'container:sshfs "
     "10.0.0.1:/ /sshfs'. Implies --pid."},
    {O::help, "help for {command}"},
    {O::home,
     "a home directory specification.  spec can either be a src path or src:dest pair.  src is the source path of the "
     "home directory outside the container and dest overrides the home directory within the container. (default "
     "\"{home}\")"},
    {O::hostname, "set container hostname"},
    {O::intel_hpu, "enable Intel(R) Gaudi accelerator support while using a minimal /dev"},
    {O::ipc, "run container in a new IPC namespace"},
    {O::keep_privs, "let root user keep privileges in container (root only)"},
    {O::memory, "Memory limit in bytes"},
    {O::memory_reservation, "Memory soft limit in bytes"},
    {O::memory_swap, "Swap limit, use -1 for unlimited swap"},
    {O::mount,
     "a mount specification e.g. 'type=bind,source=/opt,destination=/hostopt'.  The 'nonested' flag prevents the mount "
     "from being passed to nested containers via APPTAINER_BIND."},
    {O::net, "run container in a new network namespace (sets up a bridge network interface by default)"},
    {O::netns_path, "join the network namespace at the specified path (as root, or if permitted in apptainer.conf)"},
    {O::network,
     "specify desired network type separated by commas, each network will bring up a dedicated interface inside "
     "container"},
    {O::network_args, "specify network arguments to pass to CNI plugins"},
    {O::no_env, "list of environment variables to block from import into container from host environment"},
    {O::no_eval, "do not shell evaluate env vars or OCI container CMD/ENTRYPOINT/ARGS"},
    {O::no_home, "do NOT mount users home directory if /home is not the current working directory"},
    {O::no_https, "use http instead of https for docker:// oras:// and library://<hostname>/... URIs"},
    {O::no_init, "do NOT start shim process with --pid"},
    {O::no_mount,
     "disable one or more 'mount xxx' options set in apptainer.conf and/or specify absolute destination path to "
     "disable a bind path entry, or 'bind-paths' to disable all bind path entries."},
    {O::no_pid, "do not run container in a new PID namespace"},
    {O::no_privs, "drop all privileges from root user in container"},
    {O::no_umask, "do not propagate umask to the container, set default 0022 umask"},
    {O::nv, "enable Nvidia support"},
    {O::nvccli, "use nvidia-container-cli for GPU setup (experimental)"},
    {O::oom_kill_disable, "Disable OOM killer"},
    {O::overlay, "use an overlayFS image for persistent data storage or as read-only layer of container"},
    {O::passphrase, "prompt for an encryption passphrase"},
    {O::pem_path, "enter an path to a PEM formatted RSA key for an encrypted container"},
    {O::pid, "run container in a new PID namespace"},
    {O::pid_file, "write instance PID to the file with the given name"},
    {O::pids_limit, "Limit number of container PIDs, use -1 for unlimited"},
    {O::rocm, "enable experimental Rocm support"},
    {O::scratch,
     "include a scratch directory within the container that is linked to a temporary dir (use -W to force location)"},
    {O::security, "enable security features (SELinux, Apparmor, Seccomp)"},
    {O::sharens, "share the namespace and image with other containers launched from the same parent process"},
    {O::unsquash, "Convert SIF file to temporary sandbox before running"},
    {O::userns, "run container in a new user namespace"},
    {O::uts, "run container in a new UTS namespace"},
    {O::workdir, "working directory to be used for /tmp, /var/tmp and $HOME (if -c/--contain was also used)"},
    {O::writable,
     "by default all Apptainer containers are available as read only. This option makes the file system accessible as "
     "read/write."},
    {O::writable_tmpfs,
     "makes the file system accessible as read-write with non persistent data (with overlay support only)"},
};

constexpr std::size_t kWidth = 80;

std::string_view type_name(ValueKind kind) {
    switch (kind) {
        case ValueKind::boolean: return "";
        case ValueKind::text: return " string";
        case ValueKind::number: return " int";
        case ValueKind::slice: return " strings";
        case ValueKind::array: return " stringArray";
        case ValueKind::map: return " stringToString";
    }
    return "";
}

std::string_view wording_of(const OptionSpec& spec, bool launch) {
    if (spec.id == O::shell) return spec.help;  // takes part in `shell` only, which the list above is not about
    for (const Wording& wording : kWordings) {
        if (wording.id == spec.id) return wording.text;
    }
    return launch || spec.hidden ? std::string_view{} : spec.help;
}

std::string replaced(std::string text, std::string_view mark, std::string_view by) {
    if (const std::size_t at = text.find(mark); at != std::string::npos) text.replace(at, mark.size(), by);
    return text;
}

// Lines are cut at the last space of the room less five columns; a rest that fits the whole room stays
// in one piece, and so does all from a word that is too long.
std::string wrapped(std::string_view text, std::size_t indent) {
    constexpr std::size_t kSlop = 5;
    const std::size_t room = kWidth - indent - kSlop;
    std::string out;
    for (;;) {
        const std::size_t space = text.size() < room + kSlop ? std::string_view::npos
                                                             : text.substr(0, room).find_last_of(" \t\n");
        if (space == std::string_view::npos || space == 0) return out.append(text);
        out.append(text.substr(0, space)).append("\n").append(indent, ' ');
        text.remove_prefix(space + 1);
    }
}

struct Line {
    std::string_view name;
    std::string left;
    std::string text;
};

}  // namespace

std::string dropin_option_table(Command command, std::string_view name, std::string_view home) {
    const bool launch = is_in(command, CommandGroup::launching);
    std::vector<Line> lines;
    std::size_t longest = 0;
    for (const OptionSpec& spec : options_of(command)) {
        if (spec.own) continue;
        std::string text = replaced(std::string(wording_of(spec, launch)), "{command}", name);
        if (text.empty()) continue;
        std::string left = spec.letter != 0 ? std::string("  -") + spec.letter + ", --" : "      --";
        left.append(spec.name).append(type_name(spec.kind));
        longest = std::max(longest, left.size());
        lines.push_back({spec.name, std::move(left), replaced(std::move(text), "{home}", home)});
    }
    std::sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) { return a.name < b.name; });
    std::string table;
    for (const Line& line : lines) {
        table.append(line.left).append(longest + 3 - line.left.size(), ' ');
        table.append(wrapped(line.text, longest + 3)).append("\n");
    }
    return table;
}

}  // namespace swrun
