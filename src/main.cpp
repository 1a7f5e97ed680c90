// swrun: from the command line to the command.  All else is in the rooms (docs/architecture.md).
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>

#include "cli/options.h"
#include "commands/commands.h"
#include "runtime/host_probe.h"
#include "support/log.h"
#include "support/signals.h"

namespace {

using namespace swrun;

// A descriptor of ours must never become somebody's standard output: closed ones are opened on nothing,
// as the program would find them with the tools of the field.
void open_standard_streams() {
    for (int fd = 0; fd <= 2; ++fd) {
        if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) != fd) std::_Exit(255);
    }
}

bool is_regular_file(const std::string& path) {
    struct stat st {};
    return ::stat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode);
}

int dispatch(const Invocation& invocation, const HostFacts& host, Stopwatch& watch) {
    switch (invocation.command) {
        case Command::exec:
        case Command::run:
        case Command::shell:
        case Command::test:
        case Command::instance_start:
        case Command::instance_run: return launch_command(invocation, host, watch);
        case Command::instance_list:
        case Command::instance_stats:
        case Command::instance_stop: return instance_command(invocation, host);
        case Command::inspect: return inspect_command(invocation, host);
        case Command::run_help: return run_help_command(invocation, host);
        case Command::doctor: return doctor_command(host);
        case Command::sif_list:
        case Command::sif_header:
        case Command::sif_info:
        case Command::sif_dump: return sif_command(invocation, host);
        case Command::cache_list:
        case Command::cache_clean: return cache_command(invocation);
        case Command::config_show:
        case Command::config_global: return config_command(invocation);
        case Command::capability_list:
        case Command::capability_avail: return capability_command(invocation);
        case Command::overlay_create: return overlay_command(invocation, host);
        case Command::sif:
        case Command::cache:
        case Command::config:
        case Command::capability:
        case Command::overlay:
        case Command::instance:
        case Command::wrapper:
        case Command::version:
        case Command::help:
        case Command::man:
        case Command::completion:
        case Command::elsewhere:
        case Command::before: return 0;  // all text, printed by the caller
    }
    return 0;
}

int run(const std::vector<std::string>& argv) {
    Stopwatch watch;
    const CalledAs called = called_as(argv.empty() ? "swrun" : argv[0]);
    set_log_style(called == CalledAs::own ? LogStyle::own : LogStyle::dropin, ::isatty(STDERR_FILENO) == 1);
    const HostFacts host = probe_host();
    watch.lap("host");
    const CliInput input{argv, host.environment, host.user.home, "/etc/swrun/swrun.toml", is_regular_file};
    Result<std::variant<Invocation, UsageError>> parsed = read_command_line(input);
    if (!parsed) return report(parsed.error());
    if (const auto* wrong = std::get_if<UsageError>(&*parsed)) return report(*wrong);
    const Invocation& invocation = std::get<Invocation>(*parsed);
    set_log_level(invocation.level);
    watch.lap("options");
    say(invocation.notes);
    if (!invocation.text.empty()) std::fputs(invocation.text.c_str(), stdout);
    const int status = dispatch(invocation, host, watch);
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) return 255;
    return status;
}

}  // namespace

int main(int argc, char** argv) {
    open_standard_streams();
    hear_of_children();
    try {
        return run(std::vector<std::string>(argv, argv + argc));
    } catch (const std::exception& problem) {  // bad_alloc: nothing else is thrown
        std::fprintf(stderr, "swrun: %s\n", problem.what());
        return 255;
    }
}
