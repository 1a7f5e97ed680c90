#include "runtime/environment.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <optional>

#include "env/library_dirs.h"
#include "env/startup.h"
#include "env/startup_script.h"
#include "mounts/kernel/host_view.h"
#include "support/descriptors.h"
#include "support/io.h"
#include "support/log.h"
#include "support/process.h"

namespace swrun {
namespace {

constexpr int kReportFd = 9;  // where startup_script tells its script to write
constexpr std::size_t kMaxReport = 64U << 20U;

// Which shell: the image's bash, for which environment files are written; else the host's static one;
// else whatever /bin/sh the image has.
struct Shell {
    std::string path;  // empty: the static one, by descriptor

    [[nodiscard]] bool is_bash() const { return path.empty() || path.ends_with("/bash"); }
    // Words that have a file read by it and nothing of it run.  The static one is known to its own children only.
    [[nodiscard]] std::vector<std::string> check() const {
        std::vector<std::string> words = {path.empty() ? "/proc/self/exe" : path};
        if (is_bash()) words.insert(words.end(), {"--norc", "-O", "extglob"});
        words.emplace_back("-n");
        return words;
    }
};

// Text for a shell to read by a path.  No directory of the image can be written to, so it lies in memory.  Descriptors
// that a shell inherits must lie above 9, which scripts may use for themselves.
Result<Fd> readable_copy(const std::string& text) {
    Fd file(::memfd_create("environment", MFD_CLOEXEC));
    if (!file) return sys_error(Error::Kind::host, "memfd_create", "", errno);
    SWRUN_CHECK(write_all(file.get(), text, "a copy of an environment file"));
    Fd high(::fcntl(file.get(), F_DUPFD, 10));
    if (!high) return sys_error(Error::Kind::host, "fcntl", "a copy of an environment file", errno);
    return high;
}

std::string path_of(const Fd& copy) { return "/proc/self/fd/" + std::to_string(copy.get()); }

// The files that are not to be read as they are stored, in memory as long as this lives.
struct Copies {
    std::vector<Fd> files;
    std::map<std::size_t, std::string> paths;
};

Result<Copies> make_copies(const StartupPlan& plan) {
    Copies copies;
    if (::access("/proc/self/fd", X_OK) != 0) return copies;  // --no-mount proc: then the script quotes them
    for (std::size_t i = 0; i < plan.files.size(); ++i) {
        if (plan.files[i].as_stored) continue;
        SWRUN_TRY(Fd copy, readable_copy(plan.files[i].text));
        copies.paths[i] = path_of(copy);
        copies.files.push_back(std::move(copy));
    }
    return copies;
}

std::optional<Shell> choose_shell(int static_bash) {
    for (const char* path : {"/bin/bash", "/usr/bin/bash"}) {
        if (::access(path, X_OK) == 0) return Shell{path};
    }
    if (static_bash >= 0) return Shell{};
    if (::access("/bin/sh", X_OK) == 0) return Shell{"/bin/sh"};
    return std::nullopt;
}

[[noreturn]] void become_shell(const Shell& shell, int static_bash, int report, char* const* argv) {
    if (report == kReportFd) {
        ::fcntl(report, F_SETFD, 0);
    } else {
        ::dup2(report, kReportFd);
    }
    restore_descriptor_limit();  // a file of the image may ask for it (ulimit -n)
    char* no_environment[] = {nullptr};
    if (shell.path.empty()) {
        ::execveat(static_bash, "", argv, no_environment, AT_EMPTY_PATH);
    } else {
        ::execve(shell.path.c_str(), argv, no_environment);
    }
    ::_exit(127);
}

// The longest argument that execve(2) takes is 32 pages (MAX_ARG_STRLEN); E2BIG otherwise.
constexpr std::size_t kLongestArgument = 120U << 10U;

Result<ShellReport> run_shell(const Shell& shell, int static_bash, const std::string& script, const StartupPlan& plan) {
    Fd long_script;
    if (script.size() > kLongestArgument) {
        SWRUN_TRY(long_script, readable_copy(script));
    }
    SWRUN_TRY(Pipe pipe, make_pipe());
    std::vector<std::string> words = {shell.path.empty() ? "bash" : shell.path, "-c",
                                      long_script.valid() ? ". " + path_of(long_script) : script, plan.script_name};
    words.insert(words.end(), plan.positional.begin(), plan.positional.end());
    const std::vector<char*> argv = pointers_to(words);
    SWRUN_TRY(Child child, start_child("", [&] { become_shell(shell, static_bash, pipe.writer.get(), argv.data()); }));
    pipe.writer.reset();
    SWRUN_TRY(const std::string dump, read_all(pipe.reader.get(), "the shell's report", kMaxReport));
    SWRUN_TRY(const int status, child.wait());
    Result<ShellReport> report = parse_shell_state(dump);
    if (!report) {
        report.error().add_context("evaluating the image's environment files in a shell, which ended " +
                                   ended_how(status));
    }
    return report;
}

Error ended_by(const StartupPlan& plan, std::size_t step, int status) {
    Error error = make_error(Error::Kind::status, "");
    error.exit_status = status;
    log_verbose("the launch was ended by " + step_file(plan, step) + " with status " + std::to_string(status));
    return error;
}

Result<StartupResult> evaluate_by_shell(const StartupPlan& plan, const std::string& directory,
                                        const TreeView& container, int static_bash, const std::string& reason) {
    const std::optional<Shell> shell = choose_shell(static_bash);
    if (!shell) {
        Error error = make_error(Error::Kind::image,
                                 "the image's environment needs a shell and the image has none: " + reason);
        return error.with_hint("install the package bash-static on this host");
    }
    ScriptRun run;
    run.working_directory = directory;
    if (plan.libs_present) run.library_directories = image_library_directories(container);
    SWRUN_TRY(const Copies copies, make_copies(plan));
    run.copies = copies.paths;
    run.check = shell->check();
    for (;;) {
        SWRUN_TRY(ShellReport report, run_shell(*shell, static_bash, startup_script(plan, run), plan));
        if (report.complete) return finish_startup(plan, report.state, directory);
        if (report.status != 0 || plan.strict) return ended_by(plan, report.step, report.status);
        // exit 0 in a file ends that file only: the rest goes on from where the variables stand.
        if (report.step < run.first_step)
            return make_error(Error::Kind::image, "an environment file cannot be evaluated");
        const Note note = exit_zero_note(step_file(plan, report.step));
        log(note.level, note.text);
        run.first_step = report.step + 1;
        run.state = std::move(report.state);
    }
}

void set_pwd(std::vector<Variable>& environment, const std::string& directory) {
    if (directory.empty()) return;
    for (Variable& variable : environment) {
        if (variable.name == "PWD") variable.value = directory;
    }
}

}  // namespace

Result<MadeEnvironment> make_environment(const ProcessPlan& process, const std::string& directory, int static_bash) {
    MadeEnvironment made{{}, process.program};
    if (process.environment) {
        made.variables = *process.environment;
        set_pwd(made.variables, directory);
        return made;
    }
    const HostView container;
    StartupPlan plan = process.startup;
    if (plan.late) {
        for (const Note& note : collect_env_files(container, plan)) log(note.level, note.text);
        plan.libs_present = has_added_libraries(container);
    }
    StartupResult startup = evaluate_startup(plan, directory, container);
    if (startup.kind == StartupResult::Kind::needs_shell) {
        SWRUN_TRY(startup, evaluate_by_shell(plan, directory, container, static_bash, startup.reason));
    }
    for (const Note& note : startup.notes) log(note.level, note.text);
    if (!startup.output.empty()) SWRUN_CHECK(write_all(STDOUT_FILENO, startup.output, "standard output"));
    if (startup.kind == StartupResult::Kind::ended) {
        Error error = make_error(Error::Kind::status, "");
        error.exit_status = startup.exit_status;
        return error;
    }
    if (startup.umask) ::umask(*startup.umask);
    complete_program(plan, startup, made.program);
    made.variables = std::move(startup.environment);
    set_pwd(made.variables, directory);
    return made;
}

}  // namespace swrun
