#include "runtime/job_control.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>

#include "support/io.h"
#include "support/proc_text.h"

namespace swrun {
namespace {

// The terminal that this process and the program may be running on, by whichever stream is on it; -1 without one.
int controlling_terminal() {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
        if (::tcgetpgrp(fd) >= 0) return fd;
    }
    return -1;
}

// As a shell with job control starts its jobs: in its session, in a group of their own.
bool has_job_control_parent() {
    const pid_t parent = ::getppid();
    return parent > 0 && ::getsid(parent) == ::getsid(0) && ::getpgid(parent) != ::getpgrp();
}

}  // namespace

bool is_stop_signal(int number) { return number == SIGTSTP || number == SIGTTIN || number == SIGTTOU; }

Result<Pipe> make_stop_news() { return make_pipe(O_NONBLOCK); }

void listen_to_stop_news(int reader) {
    ::fcntl(reader, F_SETOWN, ::getpid());
    ::fcntl(reader, F_SETSIG, SIGCONT);
    ::fcntl(reader, F_SETFL, O_NONBLOCK | O_ASYNC);
}

void tell_stop_news(int writer, int number) {
    const auto byte = static_cast<unsigned char>(number);
    [[maybe_unused]] const ssize_t told = ::write(writer, &byte, 1);
}

int read_stop_news(int reader, int before) {
    std::array<unsigned char, 64> told{};
    int latest = before;
    for (;;) {
        const ssize_t got = ::read(reader, told.data(), told.size());
        if (got > 0) latest = told[static_cast<std::size_t>(got) - 1];
        if (got <= 0 && !(got < 0 && errno == EINTR)) return latest;
    }
}

void TerminalLoan::stopped(pid_t program) {
    const int terminal = controlling_terminal();
    const pid_t group = ::getpgid(program);  // 0 for one outside this pid namespace: ours
    if (terminal < 0 || group <= 0 || group == ::getpgrp()) return;
    if (::tcgetpgrp(terminal) == group) had_ = true;
}

void TerminalLoan::continued(pid_t program) {
    const int terminal = had_ ? controlling_terminal() : -1;
    if (terminal < 0 || ::tcgetpgrp(terminal) != ::getpgrp()) return;  // it goes on in the background
    had_ = false;
    ::tcsetpgrp(terminal, ::getpgid(program));
}

bool handles_signal(int proc, pid_t process, int number) {
    const Fd file(::openat(proc, (std::to_string(process) + "/status").c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return false;
    constexpr std::size_t kMaxStatus = 64U << 10U;
    const Result<std::string> status = read_all(file.get(), "status", kMaxStatus);
    if (!status) return false;
    for (const std::string_view field : {"SigBlk", "SigIgn", "SigCgt"}) {
        const std::optional<std::uint64_t> mask = signal_mask_in(*status, field);
        if (mask && (*mask >> static_cast<unsigned>(number - 1) & 1U) != 0) return true;
    }
    return false;
}

void stop_with_child(int number, bool is_woken, const std::function<bool()>& still_stopped) {
    if (number == SIGSTOP) {
        // Cannot be held back: what comes between the question and the stop is lost, two system calls apart.
        if ((is_woken || has_job_control_parent()) && still_stopped()) ::kill(::getpid(), SIGSTOP);
        return;
    }
    // The stop is pending while the signal is blocked, and a SIGCONT takes a pending stop back (signal(7)).
    struct sigaction usual {};
    usual.sa_handler = SIG_DFL;
    ::sigaction(number, &usual, nullptr);
    ::kill(::getpid(), number);
    sigset_t one;
    ::sigemptyset(&one);
    ::sigaddset(&one, number);
    if (!still_stopped()) {
        const timespec now{0, 0};
        ::sigtimedwait(&one, nullptr, &now);
        return;
    }
    ::sigprocmask(SIG_UNBLOCK, &one, nullptr);  // here it stops; an orphaned process group does not
    ::sigprocmask(SIG_BLOCK, &one, nullptr);
}

}  // namespace swrun
