#include "runtime/supervisor.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <initializer_list>

#include "runtime/root.h"
#include "support/log.h"

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

void wait_written_back(int written_back) {
    if (written_back < 0) return;
    if (!leave_mounts()) return;
    constexpr int kPatienceMs = 10000;
    pollfd ended{written_back, 0, 0};  // a pipe without writers is POLLHUP
    if (::poll(&ended, 1, kPatienceMs) == 0) {
        log(Level::warning,
            "the writable image is still in use by processes that the program has left behind: "
            "it is complete when they have ended");
    }
}

[[noreturn]] void supervise(pid_t child, int written_back, const std::function<void()>& ended) {
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);  // what it holds of the host is not the program's
    sigset_t all;
    ::sigfillset(&all);
    // Job control: the terminal's stop signals must stop this process too, or the shell never learns.
    for (const int stop : {SIGTSTP, SIGTTIN, SIGTTOU}) ::sigdelset(&all, stop);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    for (;;) {
        int status = 0;
        const pid_t got = ::waitpid(child, &status, WNOHANG);
        if (got == child) {
            wait_written_back(written_back);
            if (ended) ended();
            ::_exit(status_as_exit_code(status));
        }
        if (got < 0 && errno != EINTR) ::_exit(255);
        forward_next(all, child);
    }
}

[[noreturn]] void run_init(pid_t program, const std::function<void()>& ended) {
    ::prctl(PR_SET_NAME, "swrun-init", 0, 0, 0);
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    for (;;) {
        for (;;) {
            int status = 0;
            const pid_t got = ::waitpid(-1, &status, WNOHANG);
            if (got == program) {
                if (ended) ended();
                ::_exit(status_as_exit_code(status));
            }
            if (got < 0 && errno == ECHILD) ::_exit(255);
            if (got <= 0) break;
        }
        forward_next(all, program);
    }
}

namespace {

// This process can be looked at by everybody in the instance, so that it can be joined: nothing of the host may
// be found in it.
void close_from(unsigned first, int kept) {
    for (; kept >= 0 && first < static_cast<unsigned>(kept); ++first) ::close(static_cast<int>(first));
    if (kept >= 0) ++first;
    if (::syscall(SYS_close_range, first, ~0U, 0U) == 0) return;
    constexpr unsigned kMany = 4096;  // kernels before 5.9: what a launch can have opened at most
    for (unsigned fd = first; fd < kMany; ++fd) ::close(static_cast<int>(fd));
}

bool asks_to_end(int number) {
    return number != SIGCHLD && number != SIGCONT && number != SIGWINCH && number != SIGURG && number != SIGTSTP &&
           number != SIGTTIN && number != SIGTTOU;
}

// Takes the news of ended children; true when none is left.
bool reap_all(pid_t& program) {
    for (;;) {
        int status = 0;
        const pid_t got = ::waitpid(-1, &status, WNOHANG);
        if (got == program) program = -1;
        if (got < 0) return errno == ECHILD;
        if (got == 0) return false;
    }
}

}  // namespace

[[noreturn]] void run_instance_init(pid_t program, int executed, int ready, int kept,
                                    const std::function<void()>& ended) {
    ::prctl(PR_SET_NAME, "swrun-init", 0, 0, 0);
    const pid_t group = program;
    char failed = 0;
    ssize_t got = 0;
    while ((got = ::read(executed, &failed, 1)) < 0 && errno == EINTR) {}
    if (got == 1) {
        [[maybe_unused]] const ssize_t told = ::write(ready, &failed, 1);
        ::_exit(255);
    }
    close_from(3, kept);
    // Who joins has to see this process, and sees its variables then: the caller's must be gone.
    for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
        ::explicit_bzero(*variable, std::strlen(*variable));
    }
    ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    int asked = 0;
    for (;;) {
        const bool alone = reap_all(program);
        if (alone && asked != 0) {
            if (ended) ended();
            ::_exit(128 + asked);
        }
        siginfo_t info{};
        const int number = ::sigwaitinfo(&all, &info);
        if (number <= 0 || number == SIGCHLD) continue;
        ::kill(-group, number);
        if (asks_to_end(number)) asked = number;
    }
}

}  // namespace swrun
