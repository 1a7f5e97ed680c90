#include "runtime/doctor.h"

#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "mounts/kernel/mount_syscalls.h"
#include "runtime/launch_trial.h"
#include "runtime/namespaces.h"
#include "support/io.h"
#include "support/text.h"

namespace swrun {
namespace {

using State = Finding::State;

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

// Where a step works: what it gives, or which switches have let it pass.
std::string detail_of(const std::string& what) {
    if (what == "user namespace") return "max_user_namespaces=" + line_of("/proc/sys/user/max_user_namespaces");
    if (what == "FUSE device") return "/dev/fuse";
    if (what.starts_with("FUSE mounts")) return "image files can be mounted";
    if (what == "overlays") return "--overlay, --writable-tmpfs and directory images";
    return "as a launch does it";
}

std::string switches() {
    return "; max_user_namespaces=" + line_of("/proc/sys/user/max_user_namespaces") +
           ", unprivileged_userns_clone=" + line_of("/proc/sys/kernel/unprivileged_userns_clone") +
           ", apparmor_restrict_unprivileged_userns=" +
           line_of("/proc/sys/kernel/apparmor_restrict_unprivileged_userns");
}

Finding finding_of(const TrialStep& step) {
    if (step.result == TrialStep::Result::works) return {State::works, step.what, detail_of(step.what), ""};
    Finding finding{step.needed ? State::fails : State::limited, step.what, step.error.message, step.error.hint};
    if (step.what == "user namespace" || step.what == "id maps") finding.detail.append(switches());
    return finding;
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
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    finding.detail.append(", open files: ").append(std::to_string(files.rlim_max));
    constexpr rlim_t kFewFiles = 64;  // a launch with a dozen mounts needs about half of them
    if (files.rlim_max < kFewFiles) {
        finding.state = State::limited;
        finding.fix.append(finding.fix.empty() ? "" : "; ").append("raise it: ulimit -n 1024");
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
    std::vector<Finding> findings = {kernel()};
    for (const TrialStep& step : try_launch()) {
        if (step.result != TrialStep::Result::not_tried) findings.push_back(finding_of(step));
    }
    for (Finding& one : std::array{ext3_drivers(), limits(), shell(host), identity(host)}) {
        findings.push_back(std::move(one));
    }
    return findings;
}

}  // namespace swrun
