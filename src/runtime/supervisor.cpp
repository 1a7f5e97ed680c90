#include "runtime/supervisor.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "runtime/job_control.h"
#include "runtime/root.h"
#include "support/log.h"
#include "support/process.h"

namespace swrun {
namespace {

int status_as_exit_code(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

// A signal that the terminal sent reached the whole foreground group already, the program included (credentials(7));
// repeating it would interrupt twice.
bool is_from_kernel(const siginfo_t& info) { return info.si_code > 0; }

// Waits for a signal and takes all that are there.  A SIGCONT among them has to reach the child before anybody looks
// whether that is stopped.
void take_signals(const std::function<void(int, const siginfo_t&)>& take) {
    sigset_t all;
    ::sigfillset(&all);
    siginfo_t info{};
    const timespec now{0, 0};
    for (int number = ::sigwaitinfo(&all, &info); number > 0; number = ::sigtimedwait(&all, &info, &now)) {
        if (number != SIGCHLD) take(number, info);
    }
}

class Supervisor {
public:
    explicit Supervisor(const Supervised& what) : what_(what) {}

    // The wait(2) status of the child once it has ended.
    int wait_ended() {
        for (;;) {
            if (has_ended()) return status_;
            if (stopped_by_ != 0) {
                terminal_.stopped(what_.child);
                stop_with_child(stopped_by_, what_.news >= 0, [&] { return !has_ended() && stopped_by_ != 0; });
                stopped_by_ = 0;  // whoever continues this process means the child, too
                if (ended_) return status_;
            }
            take_signals([&](int number, const siginfo_t& info) { pass_on(number, info); });
        }
    }

private:
    bool has_ended() {
        while (!ended_) {
            const pid_t got = ::waitpid(what_.child, &status_, WNOHANG | WUNTRACED | WCONTINUED);
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) ::_exit(255);
            if (got == 0) break;
            ended_ = WIFEXITED(status_) || WIFSIGNALED(status_);
            if (WIFSTOPPED(status_)) stopped_by_ = asked_ != 0 ? std::exchange(asked_, 0) : WSTOPSIG(status_);
            if (WIFCONTINUED(status_)) stopped_by_ = asked_ = 0;
        }
        if (what_.news >= 0) stopped_by_ = read_stop_news(what_.news, stopped_by_);
        return ended_;
    }

    void pass_on(int number, const siginfo_t& info) {
        // A program that is process 1 itself ignores what it does not handle, but SIGSTOP from outside
        // (pid_namespaces(7)).
        if (is_stop_signal(number) && what_.proc >= 0 && !handles_signal(what_.proc, what_.child, number)) {
            asked_ = number;
            ::kill(what_.child, SIGSTOP);
            return;
        }
        if (is_from_kernel(info)) return;
        if (number == SIGCONT) terminal_.continued(what_.child);
        ::kill(what_.child, number);
    }

    const Supervised& what_;
    TerminalLoan terminal_;
    int status_ = 0;
    bool ended_ = false;
    int stopped_by_ = 0;
    int asked_ = 0;  // the signal that SIGSTOP stood for
};

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

[[noreturn]] void supervise(const Supervised& what, const std::function<void()>& ended) {
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);  // what it holds of the host is not the program's
    block_signals(nullptr);
    if (what.news >= 0) listen_to_stop_news(what.news);
    const int status = Supervisor(what).wait_ended();
    wait_written_back(what.written_back);
    if (ended) ended();
    ::_exit(status_as_exit_code(status));
}

[[noreturn]] void run_init(pid_t program, int news, const std::function<void()>& ended) {
    ::prctl(PR_SET_NAME, "swrun-init", 0, 0, 0);
    block_signals(nullptr);
    TerminalLoan terminal;
    for (;;) {
        for (;;) {
            int status = 0;
            const pid_t got = ::waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED);
            if (got < 0 && errno == ECHILD) ::_exit(255);
            if (got <= 0) break;
            if (got != program) continue;
            if (WIFSTOPPED(status)) {
                terminal.stopped(program);
                tell_stop_news(news, WSTOPSIG(status));
            } else if (WIFCONTINUED(status)) {
                tell_stop_news(news, 0);
            } else {
                if (ended) ended();
                ::_exit(status_as_exit_code(status));
            }
        }
        take_signals([&](int number, const siginfo_t& info) {
            if (is_from_kernel(info)) return;
            if (number == SIGCONT) terminal.continued(program);
            ::kill(program, number);
        });
    }
}

namespace {

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
    std::array<int, 2> needed{kept, ready};
    std::ranges::sort(needed);
    // This process can be looked at by everybody in the instance, so that it can be joined: nothing of the host may be
    // found in it.
    close_all_but(needed);
    // Who joins has to see this process, and sees its variables then: the caller's must be gone.
    for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
        ::explicit_bzero(*variable, std::strlen(*variable));
    }
    ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    // Not before: until here its files below /proc are root's, and whoever joins is refused (EACCES).
    [[maybe_unused]] const ssize_t told = ::write(ready, &kInstanceReady, 1);
    ::close(ready);
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
