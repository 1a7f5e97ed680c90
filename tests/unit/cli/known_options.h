// What the command lines of Singularity and Apptainer know for exec, run, shell and test, and before the command.
// Written down apart from the table of src/cli, so that neither can change without the other.
#pragma once

#include "cli/option_table.h"

namespace swrun {

// What swrun owes to somebody who gives the option.
enum class Need {
    works,        // its effect
    if_possible,  // its effect, or a refusal that says what this host or swrun lacks
    accepted,     // no refusal: without it the result is the same, or the effect is there
    refused,      // a refusal that says why and what to do instead
};

struct KnownOption {
    const char* name;
    char letter;
    const char* keys;  // variables without prefix, in the order in which they are tried
    ValueKind kind;
    Need need;
};

using K = ValueKind;

// clang-format off
constexpr KnownOption kKnownOptions[] = {
    {"add-caps", 0, "ADD_CAPS", K::text, Need::works},
    {"allow-setuid", 0, "ALLOW_SETUID", K::boolean, Need::refused},
    {"app", 0, "APP APPNAME", K::text, Need::works},
    {"apply-cgroups", 0, "APPLY_CGROUPS", K::text, Need::if_possible},
    {"authfile", 0, "AUTH_FILE", K::text, Need::accepted},
    {"bind", 'B', "BIND BINDPATH", K::array, Need::works},
    {"blkio-weight", 0, "BLKIO_WEIGHT", K::number, Need::if_possible},
    {"blkio-weight-device", 0, "BLKIO_WEIGHT_DEVICE", K::slice, Need::if_possible},
    {"boot", 0, "BOOT", K::boolean, Need::refused},
    {"cdi-dirs", 0, "", K::slice, Need::accepted},
    {"device", 0, "", K::slice, Need::refused},
    {"cleanenv", 'e', "CLEANENV", K::boolean, Need::works},
    {"compat", 0, "COMPAT", K::boolean, Need::works},
    {"compat32", 0, "COMPAT32", K::boolean, Need::accepted},
    {"contain", 'c', "CONTAIN", K::boolean, Need::works},
    {"containall", 'C', "CONTAINALL", K::boolean, Need::works},
    {"cpu-shares", 0, "CPU_SHARES", K::number, Need::if_possible},
    {"cpus", 0, "CPUS", K::text, Need::if_possible},
    {"cpuset-cpus", 0, "CPUSET_CPUS", K::text, Need::if_possible},
    {"cpuset-mems", 0, "CPUSET_MEMS", K::text, Need::if_possible},
    {"cwd", 0, "CWD TARGET_CWD", K::text, Need::works},
    {"pwd", 0, "PWD TARGET_PWD", K::text, Need::works},
    {"data", 0, "DATA", K::slice, Need::refused},
    {"disable-cache", 0, "DISABLE_CACHE", K::boolean, Need::accepted},
    {"dmtcp-launch", 0, "DMTCP_LAUNCH", K::text, Need::refused},
    {"dmtcp-restart", 0, "DMTCP_RESTART", K::text, Need::refused},
    {"dns", 0, "DNS", K::text, Need::works},
    {"docker-login", 0, "DOCKER_LOGIN", K::boolean, Need::accepted},
    {"docker-host", 0, "DOCKER_HOST", K::text, Need::accepted},
    {"docker-username", 0, "DOCKER_USERNAME", K::text, Need::accepted},
    {"docker-password", 0, "DOCKER_PASSWORD", K::text, Need::accepted},
    {"drop-caps", 0, "DROP_CAPS", K::text, Need::works},
    {"env", 0, "", K::map, Need::works},
    {"env-file", 0, "ENV_FILE", K::slice, Need::works},
    {"fakeroot", 'f', "FAKEROOT", K::boolean, Need::works},
    {"fusemount", 0, "FUSESPEC", K::slice, Need::works},
    {"home", 'H', "HOME", K::text, Need::works},
    {"hostname", 0, "HOSTNAME", K::text, Need::works},
    {"ignore-subuid", 0, "IGNORE_SUBUID", K::boolean, Need::works},
    {"ignore-fakeroot-command", 0, "IGNORE_FAKEROOT_COMMAND", K::boolean, Need::accepted},
    {"ignore-userns", 0, "IGNORE_USERNS", K::boolean, Need::accepted},
    {"intel-hpu", 0, "INTEL_HPU", K::boolean, Need::refused},
    {"ipc", 'i', "IPC UNSHARE_IPC", K::boolean, Need::works},
    {"keep-privs", 0, "KEEP_PRIVS", K::boolean, Need::works},
    {"keep-layers", 0, "KEEP_LAYERS", K::boolean, Need::accepted},
    {"memory", 0, "MEMORY", K::text, Need::if_possible},
    {"memory-reservation", 0, "MEMORY_RESERVATION", K::text, Need::if_possible},
    {"memory-swap", 0, "MEMORY_SWAP", K::text, Need::if_possible},
    {"oom-kill-disable", 0, "OOM_KILL_DISABLE", K::boolean, Need::if_possible},
    {"pids-limit", 0, "PIDS_LIMIT", K::number, Need::if_possible},
    {"mount", 0, "MOUNT", K::array, Need::works},
    {"net", 'n', "NET UNSHARE_NET", K::boolean, Need::works},
    {"netns-path", 0, "NETNS_PATH", K::text, Need::refused},
    {"network", 0, "NETWORK", K::text, Need::works},
    {"network-args", 0, "NETWORK_ARGS", K::slice, Need::refused},
    {"no-compat", 0, "NO_COMPAT", K::boolean, Need::accepted},
    {"no-env", 0, "NOENV", K::slice, Need::works},
    {"no-eval", 0, "NO_EVAL", K::boolean, Need::works},
    {"no-home", 0, "NO_HOME", K::boolean, Need::works},
    {"no-https", 0, "NOHTTPS NO_HTTPS", K::boolean, Need::accepted},
    {"nohttps", 0, "", K::boolean, Need::accepted},
    {"no-init", 0, "NOSHIMINIT", K::boolean, Need::works},
    {"no-mount", 0, "NO_MOUNT", K::slice, Need::works},
    {"no-nv", 0, "NV_OFF NO_NV", K::boolean, Need::works},
    {"no-rocm", 0, "ROCM_OFF NO_ROCM", K::boolean, Need::works},
    {"no-pid", 0, "NO_PID", K::boolean, Need::works},
    {"no-privs", 0, "NO_PRIVS", K::boolean, Need::works},
    {"no-setgroups", 0, "NO_SETGROUPS", K::boolean, Need::accepted},
    {"no-umask", 0, "NO_UMASK", K::boolean, Need::works},
    {"nv", 0, "NV", K::boolean, Need::works},
    {"nvccli", 0, "NVCCLI", K::boolean, Need::refused},
    {"oci", 0, "OCI", K::boolean, Need::refused},
    {"no-oci", 0, "NO_OCI", K::boolean, Need::accepted},
    {"overlay", 'o', "OVERLAY OVERLAYIMAGE", K::slice, Need::works},
    {"passphrase", 0, "", K::boolean, Need::refused},
    {"pem-path", 0, "", K::text, Need::refused},
    {"pid", 'p', "PID UNSHARE_PID", K::boolean, Need::works},
    {"proot", 0, "PROOT", K::text, Need::accepted},
    {"rocm", 0, "ROCM", K::boolean, Need::works},
    {"runscript-timeout", 0, "RUNSCRIPT_TIMEOUT", K::text, Need::accepted},
    {"scratch", 'S', "SCRATCH SCRATCHDIR", K::slice, Need::works},
    {"security", 0, "SECURITY", K::slice, Need::works},
    {"sharens", 0, "SHARENS", K::boolean, Need::accepted},
    {"shell", 's', "SHELL", K::text, Need::works},
    {"sif-fuse", 0, "SIF_FUSE", K::boolean, Need::accepted},
    {"tmp-sandbox", 0, "TMP_SANDBOX", K::boolean, Need::accepted},
    {"no-tmp-sandbox", 0, "NO_TMP_SANDBOX", K::boolean, Need::accepted},
    {"underlay", 0, "UNDERLAY", K::boolean, Need::accepted},
    {"unsquash", 0, "UNSQUASH", K::boolean, Need::works},
    {"userns", 'u', "USERNS UNSHARE_USERNS", K::boolean, Need::works},
    {"uts", 0, "UTS UNSHARE_UTS", K::boolean, Need::works},
    {"workdir", 'W', "WORKDIR", K::text, Need::works},
    {"writable", 'w', "WRITABLE", K::boolean, Need::works},
    {"writable-tmpfs", 0, "WRITABLE_TMPFS", K::boolean, Need::works},
    {"tmpdir", 0, "TMPDIR", K::text, Need::accepted},
    {"containlibs", 0, "CONTAINLIBS", K::slice, Need::works},
};

constexpr KnownOption kKnownGlobals[] = {
    {"debug", 'd', "DEBUG", K::boolean, Need::works},
    {"verbose", 'v', "VERBOSE", K::boolean, Need::works},
    {"quiet", 'q', "QUIET", K::boolean, Need::works},
    {"silent", 's', "SILENT", K::boolean, Need::works},
    {"nocolor", 0, "NOCOLOR", K::boolean, Need::works},
    {"config", 'c', "", K::text, Need::works},
    {"build-config", 0, "", K::boolean, Need::accepted},
    {"version", 0, "", K::boolean, Need::works},
    {"help", 'h', "", K::boolean, Need::works},
};
// clang-format on

// Names that mean the same option.
struct OptionAlias {
    const char* name;
    const char* same_as;
};

constexpr OptionAlias kKnownAliases[] = {{"pwd", "cwd"}, {"nohttps", "no-https"}};

}  // namespace swrun
