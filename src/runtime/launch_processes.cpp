// The processes of a launch that needs more than one: who supervises, who is process 1.
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "runtime/stage.h"
#include "runtime/supervisor.h"

namespace swrun {
namespace {

void tell_instance(const LaunchOptions& options, pid_t init) {
    if (options.started < 0) return;
    [[maybe_unused]] const ssize_t told = ::write(options.started, &init, sizeof init);
    ::close(options.started);
    ::close(options.ready);
}

// `ready` of the program is process 1's business: it has to know whether there is a program to wait for.
Status become_instance_init(int ready, const FusePrograms& fuse) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return sys_error(Error::Kind::host, "pipe2", "", errno);
    const pid_t program = ::fork();
    if (program < 0) return sys_error(Error::Kind::host, "fork", "", errno);
    if (program > 0) {
        ::close(ends[1]);
        ::setpgid(program, program);
        run_instance_init(program, ends[0], ready, fuse.kept(), [&] { fuse.end_inside(); });
    }
    ::setpgid(0, 0);
    ::dup3(ends[1], ready, O_CLOEXEC);
    ::close(ends[0]);
    ::close(ends[1]);
    return {};
}

}  // namespace

Status go_on_in_child(Stage& stage) {
    int alive[2];
    if (::pipe2(alive, O_CLOEXEC) != 0) return sys_error(Error::Kind::host, "pipe2", "", errno);
    const Fd ours(alive[0]);
    Fd parents(alive[1]);
    block_signals(&stage.caller_signals);
    const pid_t child = ::fork();
    if (child < 0) return sys_error(Error::Kind::host, "fork", "", errno);
    if (child > 0) {
        stage.links.clear();
        stage.hold_link.reset();
        stage.shared = Shared();
        stage.own = Namespaces();  // or it would wait for itself: the drivers end with the last who has the mounts
        stage.overlay_link.reset();
        tell_instance(stage.options, child);
        supervise(child, stage.written_back.get(), [&] {
            stage.fuse.end_on_host();
            stage.group.remove();
        });
    }
    stage.has_parent = true;
    stage.written_back.reset();
    // The launch shall not outlive its supervisor.  A parent that died before this line sends no signal any
    // more: its end of the pipe, held by nobody else, tells.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    parents.reset();
    pollfd ended{ours.get(), 0, 0};
    if (::poll(&ended, 1, 0) > 0) ::_exit(255);
    return {};
}

Status become_init(Stage& stage) {
    if (!stage.has_parent) return {};
    if (stage.options.ready >= 0) {
        SWRUN_CHECK(become_instance_init(stage.options.ready, stage.fuse));
    } else if (stage.plan.namespaces.pid && stage.plan.namespaces.init) {
        const pid_t program = ::fork();
        if (program < 0) return sys_error(Error::Kind::host, "fork", "", errno);
        if (program > 0) run_init(program, [&] { stage.fuse.end_inside(); });
    }
    restore_signals(&stage.caller_signals);
    return {};
}

void restore_interrupts() {
    struct sigaction interrupt {};
    struct sigaction quit {};
    ::sigaction(SIGINT, nullptr, &interrupt);
    ::sigaction(SIGQUIT, nullptr, &quit);
    if (interrupt.sa_handler != SIG_IGN || quit.sa_handler != SIG_IGN) return;
    ::signal(SIGINT, SIG_DFL);
    ::signal(SIGQUIT, SIG_DFL);
}

}  // namespace swrun
