#include "instance/instance_join.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "instance/instance_store.h"
#include "runtime/credentials.h"
#include "runtime/environment.h"
#include "runtime/exec.h"
#include "runtime/group_files.h"
#include "runtime/supervisor.h"
#include "support/descriptors.h"
#include "support/log.h"
#include "support/process.h"

namespace swrun {
namespace {

struct NamespaceKind {
    const char* file;  // below /proc/PID/ns
    int flag;
};

// The user namespace first: it gives the right to enter the others.  The mount namespace last: the host's
// paths go with it.
constexpr std::array<NamespaceKind, 7> kKinds = {{{"user", CLONE_NEWUSER},
                                                  {"cgroup", CLONE_NEWCGROUP},
                                                  {"ipc", CLONE_NEWIPC},
                                                  {"uts", CLONE_NEWUTS},
                                                  {"net", CLONE_NEWNET},
                                                  {"pid", CLONE_NEWPID},
                                                  {"mnt", CLONE_NEWNS}}};

bool is_own(const char* file, const struct stat& theirs) {
    struct stat ours {};
    const std::string path = std::string("/proc/self/ns/") + file;
    return ::stat(path.c_str(), &ours) == 0 && ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

// All are opened before the first is entered: /proc is the host's until then.
Status enter_all(int process) {
    std::array<Fd, kKinds.size()> opened;
    for (std::size_t i = 0; i < kKinds.size(); ++i) {
        const std::string name = std::string("ns/") + kKinds[i].file;
        opened[i] = Fd(::openat(process, name.c_str(), O_RDONLY | O_CLOEXEC));
        if (!opened[i]) return sys_error(Error::Kind::host, "open", "the instance's " + name, errno);
        struct stat theirs {};
        if (::fstat(opened[i].get(), &theirs) != 0) return sys_error(Error::Kind::host, "fstat", name, errno);
        // Entering the user namespace that one is in already is refused (EINVAL, setns(2)).
        if (is_own(kKinds[i].file, theirs)) opened[i].reset();
    }
    for (std::size_t i = 0; i < kKinds.size(); ++i) {
        if (opened[i].valid() && ::setns(opened[i].get(), kKinds[i].flag) != 0) {
            return sys_error(Error::Kind::host, "setns", kKinds[i].file, errno);
        }
    }
    return {};
}

Status become_program(const LaunchPlan& plan, const Fd& shell, const sigset_t& caller_signals) {
    SWRUN_CHECK(drop_privileges(plan.process));
    SWRUN_TRY(const std::string directory, enter_directory(plan.process.directories));
    SWRUN_TRY(MadeEnvironment made, make_environment(plan.process, directory, shell.get()));
    restore_signals(&caller_signals);
    return execute(made.program, std::move(made.variables));
}

Status enter(const InstanceState& instance, uid_t uid, const LaunchPlan& plan, Fd& shell) {
    SWRUN_TRY(const Fd process, open_process(instance.init, uid));
    if (instance.has_group) {
        const Status moved = enter_group_of(process.get());
        if (!moved) log_warning("the instance's limits do not hold for this program: " + moved.error().message);
    }
    if (!plan.process.host_bash.empty()) {
        shell = Fd(::open(plan.process.host_bash.c_str(), O_RDONLY | O_CLOEXEC));
    }
    return enter_all(process.get());
}

}  // namespace

Error join_instance(const InstanceState& instance, uid_t uid, const LaunchPlan& plan) {
    Fd shell;
    Status entered = enter(instance, uid, plan, shell);
    if (!entered) {
        Error error = std::move(entered).error();
        error.message = "cannot join the instance " + instance.name + ": " + error.message;
        return error;
    }
    // The pid namespace is that of children only (setns(2)).
    SWRUN_TRY(Tether tether, Tether::make());
    sigset_t caller_signals;
    block_signals(&caller_signals);
    SWRUN_TRY(const pid_t child, fork_process("the program"));
    if (child > 0) supervise({.child = child});
    tether.bind();  // as in a launch: the program does not outlive the process that the caller knows
    Status done = become_program(plan, shell, caller_signals);
    return std::move(done).error();
}

}  // namespace swrun
