#include "runtime/fuse_keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <map>
#include <optional>

#include "runtime/exec.h"
#include "support/descriptors.h"
#include "support/io.h"
#include "support/log.h"
#include "support/message.h"
#include "support/process.h"
#include "support/text.h"

extern char** environ;

namespace swrun {
namespace {

constexpr int kDetachMs = 60000;  // for a daemon's first process; some connect to a server before they detach
constexpr int kGraceMs = 5000;    // between SIGTERM and SIGKILL
constexpr int kStepMs = 50;
constexpr int kFirstFree = 10;  // beyond the numbers that a program gets
constexpr const char* kStarted = "started";

struct Job {
    const FuseMount* mount = nullptr;
    std::string path;
};

struct Keeper {
    std::vector<std::optional<Job>> jobs;  // one for each mount of the plan, empty for those of the other keeper
    std::vector<std::string> environment;
    mode_t umask = 022;
    bool outlived = false;
    Fd link;
    Fd children;  // signalfd(2): readable at news of a child
    std::map<pid_t, const FuseMount*> running;
};

std::string name_of(const FuseMount& mount) { return mount.argv.at(0) + " (from " + to_text(mount.origin) + ")"; }

std::string find_in(const std::vector<std::string>& environment, std::string_view name) {
    for (const std::string& entry : environment) {
        if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=') {
            return entry.substr(name.size() + 1);
        }
    }
    return {};
}

Status find_programs(const LaunchPlan& plan, bool inside, Keeper& keeper) {
    const std::string path = find_in(keeper.environment, "PATH");
    for (const FuseMount& mount : plan.fuse_mounts) {
        keeper.jobs.emplace_back();
        if (mount.inside != inside) continue;
        SWRUN_TRY(std::string found,
                  with_context(find_program(mount.argv.at(0), path), "starting the FUSE program " + name_of(mount)));
        keeper.jobs.back() = Job{&mount, std::move(found)};
    }
    return {};
}

// In the child: the keeper's streams, the device as 3.  Never returns; what failed goes to `failure` as an errno.
[[noreturn]] void become(const Keeper& keeper, const Job& job, int device, int user_namespace, int failure) {
    const int told = ::fcntl(failure, F_DUPFD_CLOEXEC, kFirstFree);
    const int served = ::fcntl(device, F_DUPFD, kFirstFree);
    int err = 0;
    if (user_namespace >= 0 && ::setns(user_namespace, CLONE_NEWUSER) != 0) err = errno;
    if (err == 0 && ::dup2(served, 3) < 0) err = errno;
    if (err == 0) {
        close_all_but({3, told});
        sigset_t none;
        ::sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        restore_descriptor_limit();
        ::execve(job.path.c_str(), pointers_to(job.mount->argv).data(), pointers_to(keeper.environment).data());
        err = errno;
    }
    [[maybe_unused]] const ssize_t written = ::write(told, &err, sizeof err);
    ::_exit(127);
}

Result<pid_t> spawn(const Keeper& keeper, const Job& job, int device, int user_namespace) {
    SWRUN_TRY(Pipe failure, make_pipe());
    SWRUN_TRY(Child child,
              start_child(job.path, [&] { become(keeper, job, device, user_namespace, failure.writer.get()); }));
    failure.writer.reset();
    int err = 0;
    if (::read(failure.reader.get(), &err, sizeof err) != static_cast<ssize_t>(sizeof err)) return child.release();
    return sys_error(Error::Kind::program, "exec", job.path, err);
}

// True when there was news of a child, or could have been.
bool wait_for_news(const Keeper& keeper, int milliseconds) {
    pollfd news{keeper.children.get(), POLLIN, 0};
    return ::poll(&news, 1, milliseconds) != 0;
}

void drain(const Keeper& keeper) {
    signalfd_siginfo news{};
    while (::read(keeper.children.get(), &news, sizeof news) > 0) {}
}

// The first process of a daemon ends when the second one serves, or could not.
Status wait_detached(const Keeper& keeper, const FuseMount& mount, pid_t pid) {
    for (int waited = 0; waited < kDetachMs; waited += kStepMs) {
        int status = 0;
        if (::waitpid(pid, &status, WNOHANG) == pid) {
            if (status == 0) return {};
            return make_error(Error::Kind::program, mount.argv.at(0) + " ended " + ended_how(status));
        }
        drain(keeper);
        (void)wait_for_news(keeper, kStepMs);
    }
    ::kill(pid, SIGKILL);
    return make_error(Error::Kind::program, mount.argv.at(0) + " did not detach itself in time")
        .with_hint("container and host, without -daemon, are the types for programs that stay in the foreground");
}

Status start_ordered(Keeper& keeper, const Message& order) {
    const std::optional<std::uint64_t> index = parse_decimal(order.bytes);
    if (!index || *index >= keeper.jobs.size() || !keeper.jobs[*index] || order.fds.empty()) {
        return make_error(Error::Kind::internal, "an order that no FUSE program fits");
    }
    const Job& job = *keeper.jobs[*index];
    const int user_namespace = order.fds.size() > 1 ? order.fds[1].get() : -1;
    SWRUN_TRY(const pid_t pid, spawn(keeper, job, order.fds[0].get(), user_namespace));
    if (job.mount->daemon) return wait_detached(keeper, *job.mount, pid);
    keeper.running[pid] = job.mount;
    return {};
}

// False when no child is left.
bool reap(Keeper& keeper, bool ending) {
    drain(keeper);
    for (;;) {
        int status = 0;
        const pid_t pid = ::waitpid(-1, &status, WNOHANG);
        if (pid < 0 && errno == ECHILD) return false;
        if (pid <= 0) return true;
        const auto found = keeper.running.find(pid);
        if (found == keeper.running.end()) continue;
        if (!ending && status != 0) {
            log_warning("the FUSE program " + name_of(*found->second) + " ended " + ended_how(status) +
                        ": its files are gone");
        }
        keeper.running.erase(found);
    }
}

// Also those that have detached themselves, whose numbers nobody told: what /proc calls children of this process.
std::vector<pid_t> find_children(const Keeper& keeper) {
    const std::string own = std::to_string(::getpid());
    constexpr std::size_t kMaxList = 1U << 20U;
    const Result<std::string> list = read_file("/proc/" + own + "/task/" + own + "/children", kMaxList);
    std::vector<pid_t> found;
    for (const auto& [pid, mount] : keeper.running) found.push_back(pid);
    if (!list) return found;
    for (const std::string_view word : split(*list, ' ')) {
        const std::optional<std::uint64_t> pid = parse_decimal(word);
        if (pid && !keeper.running.contains(static_cast<pid_t>(*pid))) found.push_back(static_cast<pid_t>(*pid));
    }
    return found;
}

void signal_children(const Keeper& keeper, int number) {
    for (const pid_t pid : find_children(keeper)) ::kill(pid, number);
}

[[noreturn]] void end_programs(Keeper& keeper) {
    signal_children(keeper, SIGTERM);
    for (int waited = 0; waited < kGraceMs; waited += kStepMs) {
        if (!reap(keeper, true)) ::_exit(0);
        (void)wait_for_news(keeper, kStepMs);
    }
    for (const auto& [pid, mount] : keeper.running) {
        log_warning("the FUSE program " + name_of(*mount) + " did not end when asked to: it was killed");
    }
    // Again and again: the children of those that are killed become the keeper's.
    for (int waited = 0; waited < kGraceMs; waited += kStepMs) {
        signal_children(keeper, SIGKILL);
        (void)wait_for_news(keeper, kStepMs);
        if (!reap(keeper, true)) break;
    }
    ::_exit(0);
}

void obey(Keeper& keeper) {
    const Result<Message> order = receive_message(keeper.link.get());
    if (!order || (order->bytes.empty() && order->fds.empty())) {
        if (!keeper.outlived) end_programs(keeper);
        keeper.link.reset();
        return;
    }
    const Status started = start_ordered(keeper, *order);
    (void)send_message(keeper.link.get(), started ? kStarted : format_error(started.error()), {});
}

// Nothing to read, and what is printed goes where messages go: the program's output is not theirs.
void set_streams() {
    Fd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!nothing) {  // an image without /dev
        if (Result<Pipe> pipe = make_pipe()) nothing = std::move(pipe->reader);
    }
    ::dup2(nothing.get(), STDIN_FILENO);
    if (::fcntl(STDERR_FILENO, F_GETFD) < 0) ::dup2(nothing.get(), STDERR_FILENO);
    ::dup2(STDERR_FILENO, STDOUT_FILENO);
}

[[noreturn]] void keep(Keeper& keeper) {
    ::setsid();
    ::prctl(PR_SET_NAME, "swrun-fusemount", 0, 0, 0);
    ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    // A signal to the job must not take the files from under the program that writes its last results.
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    ::signal(SIGCHLD, SIG_DFL);
    ::umask(keeper.umask);
    set_streams();
    close_all_but({keeper.link.get()});
    sigset_t child;
    ::sigemptyset(&child);
    ::sigaddset(&child, SIGCHLD);
    keeper.children = Fd(::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
    for (;;) {
        std::array<pollfd, 2> watched{pollfd{keeper.link.get(), POLLIN, 0}, pollfd{keeper.children.get(), POLLIN, 0}};
        ::poll(watched.data(), watched.size(), -1);
        if (watched[0].revents != 0) obey(keeper);
        if (!reap(keeper, false) && !keeper.link) ::_exit(0);
    }
}

// What the image's environment files make of it where that is known already; else what goes into them.  They cannot
// be waited for: they may read what the programs serve.
std::vector<std::string> environment_inside(const ProcessPlan& process) {
    std::vector<std::string> environment;
    for (const Variable& variable : process.environment ? *process.environment : process.startup.forwarded) {
        environment.push_back(variable.name + "=" + (variable.name == "PWD" ? "/" : variable.value));
    }
    return environment;
}

}  // namespace

Result<FuseKeeper> FuseKeeper::on_host(const LaunchPlan& plan) {
    if (!plan.has_fuse_mounts(false)) return FuseKeeper();
    Keeper keeper;
    for (char** entry = environ; *entry != nullptr; ++entry) keeper.environment.emplace_back(*entry);
    keeper.umask = plan.process.umask;
    SWRUN_CHECK(find_programs(plan, false, keeper));
    SWRUN_TRY(auto ends, make_message_socket());
    SWRUN_CHECK(start_orphan("the keeper of FUSE programs", [&] {
        ends.first.reset();
        keeper.link = std::move(ends.second);
        keep(keeper);
    }));
    return FuseKeeper(std::move(ends.first));
}

Result<FuseKeeper> FuseKeeper::inside(const LaunchPlan& plan, bool outlived) {
    if (!plan.has_fuse_mounts(true)) return FuseKeeper();
    Keeper keeper;
    keeper.environment = environment_inside(plan.process);
    keeper.umask = plan.process.umask;
    keeper.outlived = outlived;
    SWRUN_CHECK(find_programs(plan, true, keeper));
    SWRUN_TRY(auto ends, make_message_socket());
    // A child whose end is announced by no signal is left out by wait(2) unless it is asked for (__WALL): neither a
    // program nor an init of ours that waits until it has no children waits for this one.
    const long pid = ::syscall(SYS_clone, 0UL, nullptr, nullptr, nullptr, 0UL);
    if (pid < 0) return sys_error(Error::Kind::host, "clone", "the keeper of FUSE programs", errno);
    if (pid == 0) {
        ends.first.reset();
        keeper.link = std::move(ends.second);
        keep(keeper);
    }
    return FuseKeeper(std::move(ends.first));
}

Status FuseKeeper::start(std::size_t fuse_mount, int device, int user_namespace) const {
    std::vector<int> fds = {device};
    if (user_namespace >= 0) fds.push_back(user_namespace);
    SWRUN_CHECK(send_message(link_.get(), std::to_string(fuse_mount), fds));
    SWRUN_TRY(const Message answer, receive_message(link_.get()));
    if (answer.bytes == kStarted) return {};
    return make_error(Error::Kind::program,
                      answer.bytes.empty() ? "the keeper of FUSE programs has ended" : answer.bytes);
}

void FuseKeeper::end() const {
    if (link_) ::shutdown(link_.get(), SHUT_WR);
}

void FuseKeeper::wait_ended() const {
    if (!link_) return;
    pollfd ended{link_.get(), POLLIN, 0};
    ::poll(&ended, 1, 2 * kGraceMs);
}

}  // namespace swrun
