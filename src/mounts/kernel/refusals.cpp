#include "mounts/kernel/refusals.h"

#include <array>
#include <cerrno>
#include <string_view>
#include <vector>

#include "support/io.h"
#include "support/text.h"

namespace swrun {
namespace {

constexpr std::size_t kMaxText = 64U << 10U;

std::string text_of(const std::string& path) { return read_file(path, kMaxText).value_or(std::string()); }

std::string line_of(const std::string& path) { return std::string(trim(text_of(path))); }

// Only the first user namespace of a host maps all ids to themselves.
bool in_first_namespace() {
    std::vector<std::string> words;
    const std::string map = line_of("/proc/self/uid_map");
    for (const std::string_view word : split(map, ' ')) {
        if (!word.empty()) words.emplace_back(word);
    }
    return words == std::vector<std::string>{"0", "0", "4294967295"};
}

// The value behind "NAME:" in the process's status.
std::string status_field(std::string_view name) {
    const std::string text = text_of("/proc/self/status");
    for (const std::string_view line : split(text, '\n')) {
        if (line.starts_with(name) && line.substr(name.size()).starts_with(':'))
            return std::string(trim(line.substr(name.size() + 1)));
    }
    return {};
}

bool apparmor_restricts() { return line_of("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1"; }

constexpr std::string_view kAppArmor =
    "AppArmor keeps user namespaces from unprivileged programs here: the administrator can install a profile for "
    "swrun, or set kernel.apparmor_restrict_unprivileged_userns=0 (see: swrun doctor)";

// The limits of namespaces count in each user namespace from here to the first one, and what /proc shows are those of
// this one alone (namespaces(7)).
std::string limit_of_namespaces() {
    constexpr std::array<std::string_view, 6> kKinds = {"user", "mnt", "pid", "ipc", "uts", "net"};
    const bool first = in_first_namespace();
    const auto name_of = [](std::string_view kind) { return "max_" + std::string(kind) + "_namespaces"; };
    for (const std::string_view kind : kKinds) {
        if (line_of("/proc/sys/user/" + name_of(kind)) != "0") continue;
        return "user." + name_of(kind) + " is 0 here: " +
               (first ? "the administrator can raise it (sysctl)"
                      : "the sandbox or container around swrun has set it; start swrun outside of it");
    }
    const std::string now = "user.max_user_namespaces = " + line_of("/proc/sys/user/max_user_namespaces");
    if (first) return "the limit of namespaces is reached (" + now + "): ask the administrator to raise it";
    return "a sandbox or container around swrun has set a limit of namespaces that is reached (" + now +
           " here, less further out; bwrap --disable-userns does so), or 32 lie in one another: start swrun outside "
           "of it";
}

std::string refused_user_namespace() {
    if (apparmor_restricts()) return std::string(kAppArmor);
    if (line_of("/proc/sys/kernel/unprivileged_userns_clone") == "0")
        return "the administrator can set kernel.unprivileged_userns_clone=1";
    if (line_of("/proc/sys/user/max_user_namespaces") == "0")
        return "the administrator can raise user.max_user_namespaces, which is 0";
    return "an outer container or its seccomp filter may forbid user namespaces, and a chroot(2) does (see: swrun "
           "doctor)";
}

// Nobody can ask for the Landlock rules that he is under, so it is always among the suspects.
std::string mounts_forbidden() {
    if (apparmor_restricts()) return std::string(kAppArmor);
    std::string seen;
    if (status_field("Seccomp") == "2") seen = "a seccomp filter is active";
    const std::string label = line_of("/proc/self/attr/current");
    if (!label.empty() && !label.starts_with("unconfined") && label.find_first_not_of('\0') != std::string::npos) {
        seen.append(seen.empty() ? "" : ", ").append("the security label is ").append(printable(label));
    }
    return "a sandbox around swrun forbids mounts: Landlock does, whatever files it allows; a seccomp filter or a "
           "security module may (" +
           (seen.empty() ? std::string("neither shows here") : seen) + "): start swrun outside of it";
}

std::string refused_root_map() {
    if (apparmor_restricts()) return std::string(kAppArmor);
    return "since Linux 5.12 uid 0 may be mapped only by who has CAP_SETFCAP, which the container around swrun has "
           "taken away: give it back (--cap-add SETFCAP), or run swrun as another user";
}

std::string limit_of_mounts() {
    return "the limit of mounts is reached (fs.mount-max = " + line_of("/proc/sys/fs/mount-max") +
           "): bind a directory instead of its files, or ask the administrator to raise it";
}

struct Row {
    KernelCall call;
    std::array<int, 4> errnos;
    std::string (*looked_up)();  // null: it is
    const char* text = "";
};

constexpr std::array kRows = {
    Row{KernelCall::unshare, {ENOSPC, EUSERS}, limit_of_namespaces},
    Row{KernelCall::unshare, {EPERM, EACCES, ENOSYS}, refused_user_namespace},
    Row{KernelCall::unshare, {EINVAL}, nullptr, "this kernel was built without user namespaces (CONFIG_USER_NS)"},
    Row{KernelCall::root_map, {EPERM}, refused_root_map},
    Row{KernelCall::id_maps, {EPERM}, refused_user_namespace},
    Row{KernelCall::id_maps,
        {EROFS},
        nullptr,
        "/proc is mounted read-only here: the container around swrun has to leave it writable (bwrap: --proc "
        "/proc; podman, docker: --security-opt unmask=ALL, or systempaths=unconfined)"},
    Row{KernelCall::id_maps,
        {ENOENT, EACCES},
        nullptr,
        "/proc must be mounted, and be that of this process's own pid namespace"},
    Row{KernelCall::propagation, {EPERM, EACCES}, mounts_forbidden},
    Row{KernelCall::clone_mount, {EPERM}, mounts_forbidden},
    Row{KernelCall::clone_mount, {ENOSPC}, limit_of_mounts},
    Row{KernelCall::make_tmpfs, {EPERM, EACCES}, mounts_forbidden},
    Row{KernelCall::make_tmpfs, {ENODEV}, nullptr, "this kernel was built without tmpfs (CONFIG_TMPFS)"},
    Row{KernelCall::restrict_mount, {EPERM, EACCES}, mounts_forbidden},
    Row{KernelCall::attach_mount, {EPERM, EACCES}, mounts_forbidden},
    Row{KernelCall::attach_mount, {ENOSPC}, limit_of_mounts},
    Row{KernelCall::switch_root, {EPERM, EACCES}, mounts_forbidden},
    Row{KernelCall::switch_root,
        {EINVAL},
        nullptr,
        "/ is no mount point here (a chroot), or the file system that the kernel started with (an initial RAM "
        "disk): neither can be left by pivot_root(2); a bind mount of / on itself before the chroot helps"},
    Row{KernelCall::fuse_device,
        {ENOENT, ENXIO, ENODEV},
        nullptr,
        "the FUSE device is missing: the administrator can load it with 'modprobe fuse'; a container needs it "
        "passed in (--device /dev/fuse); or use --image-mode=unpack"},
    Row{KernelCall::fuse_device,
        {EACCES, EPERM},
        nullptr,
        "the FUSE device must be usable by everybody: chmod 0666 /dev/fuse, and a container must let it pass "
        "(--device /dev/fuse); or use --image-mode=unpack"},
    Row{KernelCall::fuse_mount,
        {EPERM, EACCES, EINVAL, ENODEV},
        nullptr,
        "FUSE mounts in a user namespace need Linux 4.18 or newer with FUSE, and no sandbox that forbids them; "
        "--image-mode=unpack does without, --unpack-dir keeps what is unpacked"},
    Row{KernelCall::overlay,
        {EPERM, ENODEV, EACCES},
        nullptr,
        "overlays without privilege need Linux 5.11 or newer with overlayfs (modprobe overlay); an image file "
        "without --overlay and --writable-tmpfs needs none"},
};

}  // namespace

std::string refusal_hint(KernelCall call, int err) {
    const auto find = [&](KernelCall wanted) -> std::string {
        for (const Row& row : kRows) {
            if (row.call != wanted) continue;
            for (const int one : row.errnos) {
                if (one == err && err != 0) return row.looked_up != nullptr ? row.looked_up() : row.text;
            }
        }
        return {};
    };
    std::string hint = find(call);
    if (hint.empty() && call == KernelCall::root_map) hint = find(KernelCall::id_maps);
    return hint;
}

Error with_refusal_hint(Error error, KernelCall call) {
    if (!error.hint.empty()) return error;
    error.hint = refusal_hint(call, error.sys_errno);
    return error;
}

}  // namespace swrun
