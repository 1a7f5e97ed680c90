#include "plan/capabilities.h"

#include <algorithm>
#include <array>

namespace swrun {
namespace {

constexpr auto kNames = std::to_array<CapabilityName>({
    {"CAP_CHOWN", "Change the owner and group of any file"},
    {"CAP_DAC_OVERRIDE", "Read, write and execute files whatever their permissions"},
    {"CAP_DAC_READ_SEARCH", "Read files and search directories whatever their permissions"},
    {"CAP_FOWNER", "Do with any file what its owner may do"},
    {"CAP_FSETID", "Keep set-user-ID and set-group-ID bits when a file is changed"},
    {"CAP_KILL", "Send signals to any process"},
    {"CAP_SETGID", "Change the group IDs of the process"},
    {"CAP_SETUID", "Change the user IDs of the process"},
    {"CAP_SETPCAP", "Change the bounding set and the securebits of the process"},
    {"CAP_LINUX_IMMUTABLE", "Set the append-only and immutable flags of files"},
    {"CAP_NET_BIND_SERVICE", "Listen on ports below 1024"},
    {"CAP_NET_BROADCAST", "Broadcast and listen to multicasts (unused)"},
    {"CAP_NET_ADMIN", "Configure network interfaces, routes and firewalls"},
    {"CAP_NET_RAW", "Use raw and packet sockets"},
    {"CAP_IPC_LOCK", "Lock memory beyond the limit and use huge pages"},
    {"CAP_IPC_OWNER", "Use System V IPC objects whatever their permissions"},
    {"CAP_SYS_MODULE", "Load and unload kernel modules"},
    {"CAP_SYS_RAWIO", "Access I/O ports and raw devices"},
    {"CAP_SYS_CHROOT", "Change the root directory and enter mount namespaces"},
    {"CAP_SYS_PTRACE", "Trace and inspect any process"},
    {"CAP_SYS_PACCT", "Switch process accounting on and off"},
    {"CAP_SYS_ADMIN", "Mount file systems and many other tasks of administration"},
    {"CAP_SYS_BOOT", "Reboot and load another kernel"},
    {"CAP_SYS_NICE", "Raise priorities and set scheduling of any process"},
    {"CAP_SYS_RESOURCE", "Exceed resource limits and disk quotas"},
    {"CAP_SYS_TIME", "Set the clocks of the system"},
    {"CAP_SYS_TTY_CONFIG", "Configure and hang up terminals"},
    {"CAP_MKNOD", "Make device files"},
    {"CAP_LEASE", "Take leases on any file"},
    {"CAP_AUDIT_WRITE", "Write records to the kernel's audit log"},
    {"CAP_AUDIT_CONTROL", "Configure auditing in the kernel"},
    {"CAP_SETFCAP", "Give capabilities to files"},
    {"CAP_MAC_OVERRIDE", "Override mandatory access control"},
    {"CAP_MAC_ADMIN", "Configure mandatory access control"},
    {"CAP_SYSLOG", "Read the kernel's log and its addresses"},
    {"CAP_WAKE_ALARM", "Set timers that wake the system up"},
    {"CAP_BLOCK_SUSPEND", "Keep the system from being suspended"},
    {"CAP_AUDIT_READ", "Read the audit log through a multicast socket"},
    {"CAP_PERFMON", "Use performance counters and observe the system"},
    {"CAP_BPF", "Load privileged BPF programs"},
    {"CAP_CHECKPOINT_RESTORE", "Checkpoint and restore processes"},
});

bool same_letters(std::string_view a, std::string_view b) {
    const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
    return std::ranges::equal(a, b, {}, upper, upper);
}

}  // namespace

std::span<const CapabilityName> capability_names() { return kNames; }

std::optional<int> capability_number(std::string_view name) {
    constexpr std::size_t kPrefix = 4;  // "CAP_"
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        if (same_letters(name, kNames[i].name) || same_letters(name, kNames[i].name.substr(kPrefix))) {
            return static_cast<int>(i);
        }
    }
    return std::nullopt;
}

bool is_every_capability(std::string_view name) { return same_letters(name, "ALL") || same_letters(name, "CAP_ALL"); }

}  // namespace swrun
