#include "runtime/doctor.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include "mounts/kernel/mount_syscalls.h"
#include "runtime/namespaces.h"
#include "support/io.h"
#include "support/process.h"
#include "support/text.h"

namespace swrun {
namespace {

using State = Finding::State;

// Does it in a child, so that this process stays as it is.  Gives the errno of the failure, 0 for
// success, -1 when the child could not be made.
int try_in_child(const std::function<int()>& attempt) {
    Result<Child> child = start_child("", [&] { ::_exit(attempt() & 0xff); });
    if (!child) return -1;
    const Result<int> status = child->wait();
    return status && WIFEXITED(*status) ? WEXITSTATUS(*status) : -1;
}

int errno_of(const Status& status) {
    return status ? 0 : (status.error().sys_errno != 0 ? status.error().sys_errno : EIO);
}

NamespacePlan own_namespaces() {
    NamespacePlan plan;
    plan.uid = {static_cast<std::uint32_t>(::geteuid()), static_cast<std::uint32_t>(::geteuid()), 1};
    plan.gid = {static_cast<std::uint32_t>(::getegid()), static_cast<std::uint32_t>(::getegid()), 1};
    return plan;
}

std::string line_of(const char* path) {
    const Result<std::string> text = read_file(path, 4096);
    return text ? std::string(trim(*text)) : std::string("absent");
}

Finding kernel() {
    utsname name{};
    ::uname(&name);
    Finding finding{State::works, "kernel", std::string(name.release) + " on " + name.machine, ""};
    const std::vector<std::string> missing = missing_mount_calls();
    if (missing.empty()) {
        finding.detail += ", all mount calls";
    } else {
        finding.detail += ", mount(2) in place of what it lacks: " + join(missing, ", ");
    }
    return finding;
}

Finding user_namespaces() {
    Finding finding{State::works, "user namespaces",
                    "max_user_namespaces=" + line_of("/proc/sys/user/max_user_namespaces"), ""};
    const int err = try_in_child([] { return errno_of(enter_namespaces(own_namespaces())); });
    if (err == 0) return finding;
    finding.state = State::fails;
    finding.detail = "refused: " + errno_text(err) + "; " + finding.detail +
                     ", unprivileged_userns_clone=" + line_of("/proc/sys/kernel/unprivileged_userns_clone") +
                     ", apparmor_restrict_unprivileged_userns=" +
                     line_of("/proc/sys/kernel/apparmor_restrict_unprivileged_userns");
    finding.fix = user_namespace_hint(err);
    return finding;
}

// AppArmor may let unshare(2) pass and take the rights away afterwards: only a mount tells.
Finding mounts_in_namespace() {
    const int err = try_in_child([] {
        Status status = enter_namespaces(own_namespaces());
        if (!status) return errno_of(status);
        const Result<Fd> mount = make_mount("tmpfs", {{"source", "swrun"}}, MountFlags{});
        return mount ? 0 : mount.error().sys_errno;
    });
    if (err == 0) return {State::works, "mounts in a user namespace", "tmpfs", ""};
    return {State::fails, "mounts in a user namespace", errno_text(err), user_namespace_hint(err)};
}

Finding fuse_device() {
    const int fd = ::open("/dev/fuse", O_RDWR | O_CLOEXEC);
    const int err = errno;
    if (fd >= 0) {
        ::close(fd);
        return {State::works, "FUSE device", "/dev/fuse", ""};
    }
    return {State::fails, "FUSE device", "/dev/fuse: " + errno_text(err),
            std::string("image files are unpacked for each launch; administrator: ") +
                (err == ENOENT ? "modprobe fuse; in a container: pass the device in (--device /dev/fuse)"
                               : "chmod 0666 /dev/fuse")};
}

Finding fuse_mount() {
    const int err = try_in_child([] {
        Status status = enter_namespaces(own_namespaces());
        if (!status) return errno_of(status);
        const Fd device(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
        if (!device) return errno;
        const Result<Fd> mount = make_mount("fuse",
                                            {{"source", "swrun"},
                                             {"fd", std::to_string(device.get())},
                                             {"rootmode", "40000"},
                                             {"user_id", std::to_string(::geteuid())},
                                             {"group_id", std::to_string(::getegid())},
                                             {"ro", ""}},
                                            MountFlags{});
        return mount ? 0 : mount.error().sys_errno;
    });
    if (err == 0) return {State::works, "FUSE mounts in a user namespace", "image files can be mounted", ""};
    return {State::fails, "FUSE mounts in a user namespace", errno_text(err),
            "needs Linux 4.18 or newer; else use --image-mode=unpack, with --unpack-dir to keep what is unpacked"};
}

Finding overlay() {
    const int err = try_in_child([] {
        Status status = enter_namespaces(own_namespaces());
        if (!status) return errno_of(status);
        const Result<Fd> mount = make_mount(
            "overlay", {{"source", "swrun"}, {"lowerdir", "/usr:/etc"}, {"userxattr", ""}}, MountFlags{});
        return mount ? 0 : mount.error().sys_errno;
    });
    if (err == 0) return {State::works, "overlays", "--overlay, --writable-tmpfs and directory images", ""};
    return {State::limited, "overlays", errno_text(err),
            "needs Linux 5.11 or newer with overlayfs (modprobe overlay); image files without --overlay work"};
}

Finding limits() {
    rlimit processes{};
    ::getrlimit(RLIMIT_NPROC, &processes);
    Finding finding{State::works, "limits", "", ""};
    finding.detail = processes.rlim_cur == RLIM_INFINITY ? "processes: unlimited"
                                                         : "processes: " + std::to_string(processes.rlim_cur);
    if (processes.rlim_cur < 64) {
        finding.state = State::limited;
        finding.fix = "raise it: ulimit -u 256";
    }
    return finding;
}

// Where the planner looks as well, PATH aside.
bool have_program(const std::string& name) {
    for (const char* directory : {"/usr/local/bin/", "/usr/bin/", "/bin/", "/usr/sbin/", "/sbin/"}) {
        if (::access((directory + name).c_str(), X_OK) == 0) return true;
    }
    return false;
}

Finding ext3_drivers() {
    std::string missing;
    for (const char* name : {"fuse2fs", "fuse-overlayfs"}) {
        if (!have_program(name)) missing.append(missing.empty() ? "" : " ").append(name);
    }
    if (missing.empty()) return {State::works, "ext3 images", "fuse2fs, fuse-overlayfs", ""};
    return {State::limited, "ext3 images", "not found: " + missing, "install the packages of these names"};
}

Finding shell(const HostFacts& host) {
    if (!host.host_bash.empty()) return {State::works, "static bash", host.host_bash, ""};
    return {State::limited, "static bash", "not installed",
            "for images whose environment files need bash but that have none: install the package bash-static"};
}

Finding identity(const HostFacts& host) {
    Finding finding{State::works, "user database", host.user.name + " (uid " + std::to_string(host.user.uid) + ")", ""};
    if (!host.user.known) {
        finding.state = State::limited;
        finding.detail = "uid " + std::to_string(host.user.uid) + " is unknown";
        finding.fix = "check getent passwd " + std::to_string(host.user.uid) +
                      "; swrun-tools must be installed for LDAP and sssd users";
    }
    return finding;
}

}  // namespace

std::vector<Finding> examine_host(const HostFacts& host) {
    return {kernel(),       user_namespaces(), mounts_in_namespace(), fuse_device(), fuse_mount(), overlay(),
            ext3_drivers(), limits(),          shell(host),           identity(host)};
}

}  // namespace swrun
