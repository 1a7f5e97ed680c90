// The processes of a launch that needs more than one: who supervises, who is process 1.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

#include "runtime/job_control.h"
#include "runtime/stage.h"
#include "runtime/supervisor.h"
#include "support/descriptors.h"
#include "support/process.h"

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
    SWRUN_TRY(Pipe executed, make_pipe());
    SWRUN_TRY(const pid_t program, fork_process("the program"));
    if (program > 0) {
        executed.writer.reset();
        ::setpgid(program, program);
        run_instance_init(program, executed.reader.get(), ready, fuse.kept(), [&] { fuse.end_inside(); });
    }
    ::setpgid(0, 0);
    ::dup3(executed.writer.get(), ready, O_CLOEXEC);
    return {};
}

// What the supervisor needs of a process 1 whose stops it cannot see, or cannot bring about, as those of other children.
struct ProcessOne {
    Pipe news;  // where it is an init of ours
    Fd proc;    // where it is the program; opened while the host's is there
};

Result<ProcessOne> prepare_process_one(const Stage& stage) {
    ProcessOne one;
    const NamespacePlan& names = stage.plan.namespaces;
    if (!names.pid || stage.options.ready >= 0) return one;
    if (names.init) {
        SWRUN_TRY(one.news, make_stop_news());
    } else {
        one.proc = Fd(::open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
    }
    return one;
}

}  // namespace

Status go_on_in_child(Stage& stage) {
    SWRUN_TRY(Tether tether, Tether::make());
    SWRUN_TRY(ProcessOne one, prepare_process_one(stage));
    block_signals(&stage.caller_signals);
    SWRUN_TRY(const pid_t child, fork_process("the launch"));
    if (child > 0) {
        stage.links.clear();
        stage.hold_link.reset();
        stage.shared = Shared();
        stage.own = Namespaces();  // or it would wait for itself: the drivers end with the last who has the mounts
        stage.overlay_link.reset();
        one.news.writer.reset();  // process 1 is to be the last to close it
        tell_instance(stage.options, child);
        supervise({child, stage.written_back.get(), one.news.reader.get(), one.proc.get()}, [&] {
            stage.fuse.end_on_host();
            stage.group.remove();
        });
    }
    stage.has_parent = true;
    stage.written_back.reset();
    stage.stop_news = std::move(one.news.writer);
    tether.bind();  // the launch shall not outlive its supervisor
    return {};
}

Status become_init(Stage& stage) {
    if (!stage.has_parent) return {};
    if (stage.options.ready >= 0) {
        SWRUN_CHECK(become_instance_init(stage.options.ready, stage.fuse));
    } else if (stage.plan.namespaces.pid && stage.plan.namespaces.init) {
        SWRUN_TRY(const pid_t program, fork_process("the program"));
        if (program > 0) run_init(program, stage.stop_news.get(), [&] { stage.fuse.end_inside(); });
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
