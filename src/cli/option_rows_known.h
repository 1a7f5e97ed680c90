// For who comes from Singularity and Apptainer: other names of what swrun does, options that change nothing here, and
// options that swrun refuses.
#pragma once

#include "cli/option_rows.h"

namespace swrun::rows {

inline constexpr auto kCompatibilityOptions = rows(
    S::compatibility, kLaunching,
    {
        flag(O::compat, "compat", 0, {"COMPAT"},
             "Behave like Docker: --containall --no-init --no-umask --no-eval --writable-tmpfs"),
        own(flag(O::strict_compat, "strict-compat", 0, {"STRICT_COMPAT"},
                 "Do as Apptainer 1.5.3 does also where swrun does better and the result could differ")),
        ignored(O::underlay, "underlay", K::boolean, {"UNDERLAY"},
                "Make what a directory lacks by a tree of binds, as kernels without overlays need it",
                "Flag --underlay has been deprecated, default overlay is preferred"),
        ignored(O::compat32, "compat32", K::boolean, {"COMPAT32"}, "32-bit GPU libraries",
                "--compat32: 32-bit GPU libraries are not shown inside"),
        flag(O::no_nv, "no-nv", 0, {"NV_OFF", "NO_NV"}, "Cancel nv = true of a site file"),
        flag(O::no_rocm, "no-rocm", 0, {"ROCM_OFF", "NO_ROCM"}, "Cancel rocm = true of a site file"),
        flag(O::unsquash, "unsquash", 0, {"UNSQUASH"},
             "Unpack the image before the program starts, as --image-mode=unpack does"),
        flag(O::sharens, "sharens", 0, {"SHARENS"},
             "One container for processes that start together, as --share=always does"),
        taken_by(C::run, ignored(O::runscript_timeout, "runscript-timeout", K::text, {"RUNSCRIPT_TIMEOUT"},
                                 "Limit for commands in image scripts",
                                 "--runscript-timeout has no effect: the commands of an image's scripts may take as "
                                 "long as they take")),
        ignored(O::disable_cache, "disable-cache", K::boolean, {"DISABLE_CACHE"}, "There is no cache"),
        ignored(O::no_https, "no-https", K::boolean, {"NOHTTPS", "NO_HTTPS"}, "Only for registries"),
        same_as(O::no_https, ignored(O::nohttps, "nohttps", K::boolean, {}, "Another name of --no-https")),
        ignored(O::authfile, "authfile", K::text, {"AUTH_FILE"}, "Only for registries"),
        ignored(O::docker_login, "docker-login", K::boolean, {"DOCKER_LOGIN"}, "Only for registries"),
        ignored(O::docker_host, "docker-host", K::text, {"DOCKER_HOST"}, "Only for registries"),
        hidden(ignored(O::docker_username, "docker-username", K::text, {"DOCKER_USERNAME"}, "Only for registries")),
        hidden(ignored(O::docker_password, "docker-password", K::text, {"DOCKER_PASSWORD"}, "Only for registries")),
        hidden(ignored(O::tmpdir, "tmpdir", K::text, {"TMPDIR"}, "No temporary files are made")),
        ignored(O::cdi_dirs, "cdi-dirs", K::slice, {}, "Only with --device"),
        hidden(flag(O::ignore_subuid, "ignore-subuid", 0, {"IGNORE_SUBUID"},
                    "With --fakeroot: your own id only, whatever /etc/subuid grants")),
        hidden(ignored(O::ignore_fakeroot_command, "ignore-fakeroot-command", K::boolean, {"IGNORE_FAKEROOT_COMMAND"},
                       "Only with --fakeroot")),
        hidden(ignored(O::ignore_userns, "ignore-userns", K::boolean, {"IGNORE_USERNS"}, "Only with --fakeroot")),
        ignored(O::no_oci, "no-oci", K::boolean, {"NO_OCI"}, "There is no OCI mode"),
        ignored(O::no_compat, "no-compat", K::boolean, {"NO_COMPAT"}, "Only in OCI mode"),
        ignored(O::no_setgroups, "no-setgroups", K::boolean, {"NO_SETGROUPS"}, "Only with --fakeroot"),
        ignored(O::sif_fuse, "sif-fuse", K::boolean, {"SIF_FUSE"}, "FUSE is always used"),
        ignored(O::tmp_sandbox, "tmp-sandbox", K::boolean, {"TMP_SANDBOX"}, "Images are read in place"),
        ignored(O::no_tmp_sandbox, "no-tmp-sandbox", K::boolean, {"NO_TMP_SANDBOX"}, "Images are read in place"),
        ignored(O::keep_layers, "keep-layers", K::boolean, {"KEEP_LAYERS"}, "Only for OCI images"),
        hidden(ignored(O::proot, "proot", K::text, {"PROOT"}, "Only for builds")),
    });

constexpr std::string_view kNoEncryption = "swrun does not open encrypted images";
constexpr std::string_view kDecrypt = "build an unencrypted copy and protect it with file permissions";
constexpr std::string_view kNoNetwork = "making networks needs root";
constexpr std::string_view kNetInstead =
    "--net --network none gives a loopback device only; leave --net out to use the host's network";

inline constexpr auto kRefusedOptions = rows(
    S::refused, kLaunching,
    {
        refused(O::allow_setuid, "allow-setuid", K::boolean, {"ALLOW_SETUID"},
                "it requires root privileges outside of a user namespace",
                "become the other user before the launch; or --fakeroot, to be root inside"),
        refused(O::boot, "boot", K::boolean, {"BOOT"}, "booting an image needs root and an instance",
                "run the services you need by name"),
        refused(O::nvccli, "nvccli", K::boolean, {"NVCCLI"}, "nvidia-container-cli is not used", "use --nv"),
        refused(O::intel_hpu, "intel-hpu", K::boolean, {"INTEL_HPU"}, "swrun does not look for these devices",
                "without --contain the devices of the host are there anyway; else --bind them"),
        refused(O::device, "device", K::slice, {}, "swrun reads no CDI files",
                "use --nv or --rocm, or --bind the device"),
        refused(O::data, "data", K::slice, {"DATA"}, "swrun does not open data images",
                "unpack the data and --bind the directory"),
        refused(O::oci, "oci", K::boolean, {"OCI"}, "there is no OCI mode", "--compat is the closest; or use podman"),
        refused(O::network_args, "network-args", K::slice, {"NETWORK_ARGS"}, kNoNetwork, kNetInstead),
        refused(O::netns_path, "netns-path", K::text, {"NETNS_PATH"}, kNoNetwork,
                "start swrun itself with nsenter --net=PATH"),
        refused(O::passphrase, "passphrase", K::boolean, {}, kNoEncryption, kDecrypt),
        refused(O::pem_path, "pem-path", K::text, {}, kNoEncryption, kDecrypt),
        refused(O::dmtcp_launch, "dmtcp-launch", K::text, {"DMTCP_LAUNCH"}, "swrun makes no checkpoints",
                "start dmtcp_launch inside the image"),
        refused(O::dmtcp_restart, "dmtcp-restart", K::text, {"DMTCP_RESTART"}, "swrun makes no checkpoints",
                "start dmtcp_restart inside the image"),
    });

}  // namespace swrun::rows
