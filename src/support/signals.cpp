#include "support/signals.h"

#include <cctype>
#include <csignal>
#include <cstdint>
#include <string>
#include <utility>

#include "support/text.h"

namespace swrun {
namespace {

// Names of signal(7), and those that stand for another one.
constexpr std::pair<std::string_view, int> kSignals[] = {
    {"HUP", SIGHUP},       {"INT", SIGINT},   {"QUIT", SIGQUIT},     {"ILL", SIGILL},   {"TRAP", SIGTRAP},
    {"ABRT", SIGABRT},     {"IOT", SIGABRT},  {"BUS", SIGBUS},       {"FPE", SIGFPE},   {"KILL", SIGKILL},
    {"USR1", SIGUSR1},     {"SEGV", SIGSEGV}, {"USR2", SIGUSR2},     {"PIPE", SIGPIPE}, {"ALRM", SIGALRM},
    {"TERM", SIGTERM},     {"CHLD", SIGCHLD}, {"CLD", SIGCHLD},      {"CONT", SIGCONT}, {"STOP", SIGSTOP},
    {"TSTP", SIGTSTP},     {"TTIN", SIGTTIN}, {"TTOU", SIGTTOU},     {"URG", SIGURG},   {"XCPU", SIGXCPU},
    {"XFSZ", SIGXFSZ},     {"PROF", SIGPROF}, {"VTALRM", SIGVTALRM}, {"IO", SIGIO},     {"POLL", SIGIO},
    {"WINCH", SIGWINCH},   {"PWR", SIGPWR},   {"SYS", SIGSYS},
#ifdef SIGSTKFLT
    {"STKFLT", SIGSTKFLT},
#endif
};

}  // namespace

std::optional<int> signal_number(std::string_view text) {
    std::string name;
    for (const char c : text) name.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
    if (name.starts_with("SIG")) name.erase(0, 3);
    const std::optional<std::uint64_t> number = parse_decimal(text);
    for (const auto& [known, value] : kSignals) {
        if (known == name || (number && *number == static_cast<std::uint64_t>(value))) return value;
    }
    return std::nullopt;
}

void outlive_job_signals(std::initializer_list<int> also) {
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU}) {
        ::signal(number, SIG_IGN);
    }
    for (const int number : also) ::signal(number, SIG_IGN);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

namespace {
bool child_signal_was_ignored = false;
}

void hear_of_children() {
    struct sigaction action {};
    ::sigaction(SIGCHLD, nullptr, &action);
    if (action.sa_handler != SIG_IGN) return;
    child_signal_was_ignored = true;
    ::signal(SIGCHLD, SIG_DFL);
}

void give_back_child_signal() {
    if (child_signal_was_ignored) ::signal(SIGCHLD, SIG_IGN);
}

}  // namespace swrun
