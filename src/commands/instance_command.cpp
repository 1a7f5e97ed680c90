// instance list, stop, stats.
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>

#include "commands/commands.h"
#include "commands/instance_stats.h"
#include "instance/instance_store.h"
#include "runtime/group_files.h"
#include "support/io.h"
#include "support/log.h"
#include "support/signals.h"
#include "support/text.h"

namespace swrun {
namespace {

constexpr useconds_t kPause = 10000;

Error only_root(const char* what) {
    return make_error(Error::Kind::request, what).with_hint("leave --user out for your own instances");
}

// A failure of these commands looks like a wrong command line, as with Apptainer.
int usage_fault(const Invocation& invocation, const HostFacts& host, std::string what) {
    const UsageFault fault{UsageFault::Kind::operands, invocation.command, std::move(what)};
    return report(usage_error(fault, invocation.called, host.user.home));
}

// By descriptor, so that a number that was given to somebody else in between is harmless.
void send_signal(const ProcessMark& mark, bool ours, int number) {
    const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, mark.pid, 0U)));
    if (ours && !is_alive(mark)) return;
    if (process && ::syscall(SYS_pidfd_send_signal, process.get(), number, nullptr, 0U) == 0) return;
    if (errno == ENOSYS) ::kill(mark.pid, number);  // before Linux 5.3
}

bool has_ended(const InstanceState& state) {
    if (state.ours) return !is_alive(state.supervisor);
    return ::kill(state.init.pid, 0) != 0 && errno == ESRCH;
}

// Waits until all have ended, at most so long.
bool wait_for_end(std::vector<InstanceState>& left, std::int64_t seconds) {
    constexpr std::int64_t kYear = 365LL * 24 * 3600;
    seconds = std::min(seconds, kYear);
    for (std::int64_t i = 0;; ++i) {
        std::erase_if(left, has_ended);
        if (left.empty()) return true;
        if (i * kPause >= seconds * 1000000) return false;
        ::usleep(kPause);
    }
}

std::string described(const InstanceState& state) {
    return state.name + " instance of " + state.image + " (PID=" + std::to_string(state.init.pid) + ")";
}

int stop(const Invocation& invocation, const HostFacts& host) {
    const InstanceRequest& ask = invocation.instance;
    if (!ask.user.empty() && host.user.uid != 0) return report(only_root("Only root user can stop user's instances"));
    int number = SIGINT;
    if (!ask.signal.empty()) {
        const std::optional<int> known = signal_number(ask.signal);
        if (!known) {
            const bool digits = ask.signal.find_first_not_of("-0123456789") == std::string::npos;
            return report(make_error(
                Error::Kind::request,
                "Could not convert stop signal: " + (digits ? "can't convert " + ask.signal + " to signal number"
                                                            : printable(ask.signal) + " is not a number")));
        }
        number = *known;
    }
    if (ask.force) number = SIGKILL;
    const Result<InstancePlaces> places = instance_places(host, ask.user);
    if (!places) {
        return usage_fault(invocation, host, "could not retrieve instance list: " + places.error().message);
    }
    std::vector<InstanceState> left = list_instances(*places, ask.pattern);
    if (left.empty()) return usage_fault(invocation, host, "no instance found");
    for (const InstanceState& state : left) {
        log_info("Stopping " + described(state));
        send_signal(state.init, state.ours, number);
    }
    if (wait_for_end(left, std::max<std::int64_t>(0, ask.timeout))) return 0;
    for (const InstanceState& state : left) {
        log_info("Killing " + described(state) + " (Timeout)");
        send_signal(state.init, state.ours, SIGKILL);
    }
    constexpr std::int64_t kLastSeconds = 5;
    (void)wait_for_end(left, kLastSeconds);
    return 0;
}

int list(const Invocation& invocation, const HostFacts& host) {
    const InstanceRequest& ask = invocation.instance;
    if (!ask.user.empty() && host.user.uid != 0) return report(only_root("Only root user can list user's instances"));
    if (ask.json && ask.logs) return report(make_error(Error::Kind::request, "more than one flags have been set"));
    const Result<InstancePlaces> places = instance_places(host, ask.user);
    if (!places) {
        return report(make_error(Error::Kind::request, "Could not list instances: could not retrieve instance list: " +
                                                           places.error().message));
    }
    const std::vector<InstanceState> found = list_instances(*places, ask.pattern);
    std::fputs((ask.json ? instance_list_json(found) : instance_table(found, ask.logs)).c_str(), stdout);
    return 0;
}

Result<GroupNumbers> read_numbers(const std::string& directory) {
    constexpr std::size_t kMost = 1U << 20U;
    const auto text = [&](const char* file) {
        return read_file(directory + "/" + file, kMost).value_or(std::string());
    };
    if (::access(directory.c_str(), R_OK) != 0) {
        return sys_error(Error::Kind::host, "while getting stats for pid: open", directory, errno);
    }
    GroupTexts texts{text("cpu.stat"), text("memory.current"), text("memory.max"),
                     text("io.stat"),  text("pids.current"),   text("pids.max")};
    GroupNumbers numbers = numbers_in(texts);
    struct sysinfo machine {};
    if (numbers.memory_limit == 0 && ::sysinfo(&machine) == 0) {
        numbers.memory_limit = static_cast<std::uint64_t>(machine.totalram) * machine.mem_unit;
    }
    return numbers;
}

// Rewrites the table every second until somebody interrupts it, or the instance ends.
Status show_stats(const InstanceState& state, const InstanceRequest& ask) {
    SWRUN_TRY(const Fd process,
              open_file("/proc/" + std::to_string(state.init.pid), O_PATH | O_DIRECTORY, Error::Kind::host));
    SWRUN_TRY(const std::string directory, group_directory_of(process.get()));
    SWRUN_TRY(GroupNumbers before, read_numbers(directory));
    for (;;) {
        ::sleep(1);
        SWRUN_TRY(const GroupNumbers now, read_numbers(directory));
        if (ask.json) {
            std::fputs(stats_json(now).c_str(), stdout);
            return {};
        }
        if (!ask.no_stream) std::fputs("\033[2J\033[1;1H", stdout);
        std::fputs(stats_table(state.name, before, now, 1.0).c_str(), stdout);
        if (ask.no_stream) return {};
        if (std::fflush(stdout) != 0) return {};
        before = now;
    }
}

int stats(const Invocation& invocation, const HostFacts& host) {
    InstanceRequest ask = invocation.instance;
    if (!ask.user.empty() && host.user.uid != 0) {
        return report(only_root("Only the root user can look at stats of a user's instance"));
    }
    const Result<InstancePlaces> places = instance_places(host, ask.user);
    if (!places) {
        return usage_fault(invocation, host, "could not retrieve instance list: " + places.error().message);
    }
    const std::vector<InstanceState> found = list_instances(*places, ask.pattern);
    if (found.empty()) return usage_fault(invocation, host, "no instance found");
    if (found.size() != 1) {
        return usage_fault(invocation, host,
                           "query returned more than one instance (" + std::to_string(found.size()) + ")");
    }
    const InstanceState& state = found.front();
    if (!ask.json) log_info("Stats for " + described(state));
    if (ask.json && !ask.no_stream) {
        log_warning("JSON output is only available for a single timepoint (--no-stream)");
    }
    if (!state.has_group) {
        return usage_fault(invocation, host,
                           "stats are only available if cgroups are enabled, see the Apptainer instance user guide for "
                           "instructions");
    }
    const Status shown = show_stats(state, ask);
    return shown ? 0 : usage_fault(invocation, host, shown.error().message);
}

}  // namespace

int instance_command(const Invocation& invocation, const HostFacts& host) {
    if (invocation.command == Command::instance_list) return list(invocation, host);
    if (invocation.command == Command::instance_stop) return stop(invocation, host);
    return stats(invocation, host);
}

}  // namespace swrun
