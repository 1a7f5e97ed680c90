#include "runtime/supervisor.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>

namespace swrun {
namespace {

int status_as_exit_code(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

// Waits for the next signal; everything that is not news of a child goes to `target`.
void forward_next(const sigset_t& all, pid_t target) {
    siginfo_t info{};
    const int number = ::sigwaitinfo(&all, &info);
    if (number <= 0 || number == SIGCHLD) return;
    // A signal that the terminal sent reached the whole foreground group already, the program included
    // (credentials(7)); repeating it would interrupt twice.
    if (info.si_code == SI_KERNEL) return;
    ::kill(target, number);
}

}  // namespace

void block_signals(sigset_t* before) {
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_BLOCK, &all, before);
}

void restore_signals(const sigset_t* before) { ::sigprocmask(SIG_SETMASK, before, nullptr); }

[[noreturn]] void supervise(pid_t child) {
    sigset_t all;
    ::sigfillset(&all);
    // Job control: the terminal's stop signals must stop this process too, or the shell never learns.
    for (const int stop : {SIGTSTP, SIGTTIN, SIGTTOU}) ::sigdelset(&all, stop);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    for (;;) {
        int status = 0;
        const pid_t got = ::waitpid(child, &status, WNOHANG);
        if (got == child) ::_exit(status_as_exit_code(status));
        if (got < 0 && errno != EINTR) ::_exit(255);
        forward_next(all, child);
    }
}

[[noreturn]] void run_init(pid_t program) {
    ::prctl(PR_SET_NAME, "swrun-init", 0, 0, 0);
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    for (;;) {
        for (;;) {
            int status = 0;
            const pid_t got = ::waitpid(-1, &status, WNOHANG);
            if (got == program) ::_exit(status_as_exit_code(status));
            if (got < 0 && errno == ECHILD) ::_exit(255);
            if (got <= 0) break;
        }
        forward_next(all, program);
    }
}

}  // namespace swrun
