// instance start, run: a launch that stays behind.  The starter forks the keeper, which is nobody's child and in a
// session of its own; the keeper takes the name, forks the launch, waits for it and removes the description at the
// end.  It stays in the host's namespaces: the supervisor inside the launch sees the container's tree.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <memory>

#include "commands/instance_commands.h"
#include "instance/instance_store.h"
#include "runtime/group_files.h"
#include "runtime/supervisor.h"
#include "support/descriptors.h"
#include "support/io.h"
#include "support/log.h"
#include "support/path.h"
#include "support/process.h"
#include "support/text.h"

namespace swrun {
namespace {

// What the keeper tells the starter, once.
struct Report {
    enum class Kind : char { started, failed, refused };  // refused: the reason has been printed already

    Kind kind = Kind::failed;
    off_t log_from = -1;  // where the messages of this launch begin in the log; -1: there are none
    pid_t init = 0;
};

const std::string* variable_of(const LaunchPlan& plan, std::string_view name) {
    for (const Variable& variable : plan.process.startup.forwarded) {
        if (variable.name == name) return &variable.value;
    }
    return nullptr;
}

InstanceState describe(const std::string& name, const InstancePlaces& places, const LaunchPlan& plan) {
    InstanceState state;
    state.name = name;
    state.user = places.user;
    state.image = plan.root.image.path;
    state.log_out = join_path(places.logs, name + ".out");
    state.log_err = join_path(places.logs, name + ".err");
    state.user_namespace = plan.namespaces.user;
    state.starting = true;
    if (const std::string* home = variable_of(plan, "HOME")) state.terms.home = *home;
    if (const std::string* binds = variable_of(plan, "APPTAINER_BIND"); binds != nullptr && !binds->empty()) {
        for (const std::string_view bind : split(*binds, ',')) state.terms.bind_targets.emplace_back(bind);
    }
    state.terms.libs_present = plan.process.startup.libs_present;
    state.terms.uid = plan.namespaces.uid.inside;
    state.terms.gid = plan.namespaces.gid.inside;
    state.terms.no_new_privs = plan.process.no_new_privs;
    state.terms.drop_capabilities = plan.process.drop_capabilities;
    state.terms.capabilities = plan.process.capabilities;
    return state;
}

// What the caller had open would be held open by the instance: somebody's pipeline would never end.  Descriptors
// of ours are the ones that are closed on exec.
void close_inherited() {
    Fd list(with_room([] { return ::open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(list ? ::fdopendir(list.get()) : nullptr, ::closedir);
    if (!entries) return;
    (void)list.release();  // closedir(3) closes it
    while (const dirent* entry = ::readdir(entries.get())) {
        const int fd = std::atoi(entry->d_name);
        if (fd > STDERR_FILENO && (::fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0) ::close(fd);
    }
}

Result<off_t> redirect_streams(const InstancePlaces& places, const InstanceState& state) {
    SWRUN_TRY(const Fd nothing, open_file("/dev/null", O_RDWR, Error::Kind::host));
    SWRUN_TRY(const Fd out, open_log(places, state.log_out));
    SWRUN_TRY(const Fd err, open_log(places, state.log_err));
    const off_t from = ::lseek(err.get(), 0, SEEK_END);
    ::dup2(nothing.get(), STDIN_FILENO);
    ::dup2(out.get(), STDOUT_FILENO);
    ::dup2(err.get(), STDERR_FILENO);
    return from < 0 ? 0 : from;
}

void tell(const Fd& to, const Report& report) {
    [[maybe_unused]] const ssize_t told = ::write(to.get(), &report, sizeof report);
}

// The launch.  Comes back here in whichever of its processes something went wrong.
[[noreturn]] void run_launch(Tether& tether, const Launcher& launcher, const Pipe& started, const Pipe& ready) {
    tether.bind();
    LaunchOptions options;
    options.started = started.writer.get();
    options.ready = ready.writer.get();
    const int status = report(launcher(options));
    if (status != 0) {
        [[maybe_unused]] const ssize_t told = ::write(options.ready, "F", 1);
    }
    ::_exit(status);
}

// Process 1 as the host numbers it, once its program runs and others can join; 0 when that does not happen.
pid_t wait_until_ready(const Pipe& started, const Pipe& ready) {
    pid_t init = 0;
    char said = 0;
    if (::read(started.reader.get(), &init, sizeof init) != static_cast<ssize_t>(sizeof init)) return 0;
    return ::read(ready.reader.get(), &said, 1) == 1 && said == kInstanceReady ? init : 0;
}

bool has_own_group(pid_t process) {
    const Result<Fd> theirs = open_file("/proc/" + std::to_string(process), O_PATH, Error::Kind::host);
    const Result<Fd> ours = open_file("/proc/self", O_PATH | O_DIRECTORY, Error::Kind::host);
    if (!theirs || !ours) return false;
    const Result<std::string> their_group = group_directory_of(theirs->get());
    const Result<std::string> our_group = group_directory_of(ours->get());
    return their_group && our_group && *their_group != *our_group;
}

[[noreturn]] void keep(InstanceState state, const InstancePlaces& places, const Launcher& launcher, Fd to_starter) {
    Report result;
    close_inherited();
    // Apptainer's own commands take a record for stale, and remove it, unless the title of its parent begins so.
    (void)set_process_title("Apptainer instance: " + state.user + " [" + state.name + "]");
    state.supervisor = mark_process(::getpid());
    if (const Status reserved = reserve_instance(places, state); !reserved) {
        result.kind = Report::Kind::refused;
        (void)report(reserved.error());
        tell(to_starter, result);
        ::_exit(255);
    }
    const auto give_up = [&](const Error& error) {
        (void)report(error);
        remove_instance(places, state);
        result.kind = Report::Kind::refused;
        tell(to_starter, result);
        ::_exit(255);
    };
    Result<Pipe> started = make_pipe();
    Result<Pipe> ready = make_pipe();
    Result<Tether> tether = Tether::make();
    if (!started) give_up(started.error());
    if (!ready) give_up(ready.error());
    if (!tether) give_up(tether.error());
    const Result<off_t> from = redirect_streams(places, state);
    if (!from) give_up(from.error());
    result.log_from = *from;
    sigset_t callers;
    block_signals(&callers);
    const pid_t child = fork_process("the launch").value_or(-1);
    if (child == 0) {
        restore_signals(&callers);
        to_starter.reset();
        run_launch(*tether, launcher, *started, *ready);
    }
    started->writer.reset();
    ready->writer.reset();
    [[maybe_unused]] const int moved = ::chdir("/");
    const pid_t init = child > 0 ? wait_until_ready(*started, *ready) : 0;
    state.init = mark_process(init);
    state.starting = false;
    if (init > 0 && state.init.pid == init) {
        state.has_group = has_own_group(init);
        if (update_instance(places, state)) result = {Report::Kind::started, *from, init};
    }
    if (result.kind == Report::Kind::started) {
        tell(to_starter, result);
        to_starter.reset();
    } else if (child > 0) {
        ::kill(child, SIGKILL);
    }
    while (child > 0 && ::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {}
    remove_instance(places, state);
    if (result.kind != Report::Kind::started) tell(to_starter, result);
    ::_exit(0);
}

// What the launch had to say went into the log; whoever started it wants to read it.
void show_log(const InstanceState& state, off_t from) {
    constexpr std::size_t kMost = 1U << 20U;
    const Result<Fd> log_file = open_file(state.log_err, O_RDONLY | O_NOFOLLOW, Error::Kind::host);
    if (from < 0 || !log_file || ::lseek(log_file->get(), from, SEEK_SET) < 0) return;
    const Result<std::string> text = read_all(log_file->get(), state.log_err, kMost);
    if (text) (void)write_all(STDERR_FILENO, *text, "standard error");
}

Status write_pid_file(const std::string& path, pid_t pid) {
    SWRUN_TRY(const Fd fd, open_file(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, Error::Kind::request, 0644));
    return write_all(fd.get(), std::to_string(pid) + "\n", path);
}

Result<Report> start(const InstanceState& state, const InstancePlaces& places, const Launcher& launcher) {
    SWRUN_TRY(Pipe answer, make_pipe());
    SWRUN_CHECK(start_orphan("the keeper of the instance", [&] {
        ::setsid();
        answer.reader.reset();
        keep(state, places, launcher, std::move(answer.writer));
    }));
    answer.writer.reset();
    Report result;
    ssize_t got = 0;
    while ((got = ::read(answer.reader.get(), &result, sizeof result)) < 0 && errno == EINTR) {}
    if (got != static_cast<ssize_t>(sizeof result)) result = Report{};
    return result;
}

}  // namespace

Status start_instance(const Invocation& invocation, const HostFacts& host, const LaunchPlan& plan,
                      const Launcher& launcher) {
    const std::string& name = invocation.launch.instance;
    SWRUN_TRY(const InstancePlaces places, instance_places(host, ""));
    if (!list_instances(places, name).empty()) {
        return make_error(Error::Kind::request, "instance " + name + " already exists");
    }
    if (::access("/run/systemd/system", F_OK) != 0) {
        log(invocation.dropin() ? Level::info : Level::verbose,
            "Instance stats will not be available - cannot use systemd cgroups manager, systemd not running as init on "
            "this host");
    }
    const InstanceState state = describe(name, places, plan);
    SWRUN_TRY(const Report result, start(state, places, launcher));
    if (result.kind == Report::Kind::refused) {
        Error error = make_error(Error::Kind::status, "");
        error.exit_status = 255;
        return error;
    }
    show_log(state, result.log_from);
    if (result.kind != Report::Kind::started) {
        return make_error(Error::Kind::host, "failed to start instance: " + name + " has ended at once")
            .with_hint("its messages are in " + state.log_err);
    }
    log_verbose("you will find instance output here: " + state.log_out);
    log_verbose("you will find instance error here: " + state.log_err);
    log_info("instance started successfully");
    if (!invocation.instance.pid_file.empty()) {
        const std::string cwd = host.cwd.base();
        const Status written = write_pid_file(absolute_path(invocation.instance.pid_file, cwd), result.init);
        if (!written) log_warning("Failed to write pid file: " + written.error().message);
    }
    return {};
}

}  // namespace swrun
