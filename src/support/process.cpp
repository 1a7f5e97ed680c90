#include "support/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "support/descriptors.h"
#include "support/fd.h"
#include "support/io.h"
#include "support/proc_text.h"
#include "support/text.h"

extern char** environ;

namespace swrun {
namespace {

// Without close_range(2), before Linux 5.9: what /proc lists.  Trying every number would take some hundred
// thousand calls on hosts with generous limits.
void close_listed(unsigned first, unsigned last) {
    std::vector<int> found;
    DIR* list = ::opendir("/proc/self/fd");
    // With all descriptors taken none is left for the list: the first ones, which have to go anyway, make room.
    for (unsigned fd = first; list == nullptr && errno == EMFILE && fd <= last; ++fd) {
        ::close(static_cast<int>(fd));
        list = ::opendir("/proc/self/fd");
    }
    if (list == nullptr) {
        constexpr unsigned kMany = 4096;  // in a container without /proc: what a launch can have opened at most
        for (unsigned fd = first; fd <= last && fd < kMany; ++fd) ::close(static_cast<int>(fd));
        return;
    }
    while (const dirent* entry = ::readdir(list)) {
        const std::optional<std::uint64_t> fd = parse_decimal(entry->d_name);
        if (fd && *fd >= first && *fd <= last && static_cast<int>(*fd) != ::dirfd(list))
            found.push_back(static_cast<int>(*fd));
    }
    ::closedir(list);
    for (const int fd : found) ::close(fd);
}

void close_between(unsigned first, unsigned last) {
    if (first > last || ::syscall(SYS_close_range, first, last, 0U) == 0) return;
    close_listed(first, last);
}

}  // namespace

Result<Pipe> make_pipe(int more_flags) {
    int ends[2];
    const int made = with_room([&] { return ::pipe2(ends, O_CLOEXEC | more_flags); });
    if (made != 0) return sys_error(Error::Kind::host, "pipe2", "", errno);
    return Pipe{Fd(ends[0]), Fd(ends[1])};
}

Child::~Child() {
    if (pid_ > 0) (void)wait();
}

Result<int> Child::wait() {
    int status = 0;
    for (;;) {
        const pid_t got = ::waitpid(pid_, &status, 0);
        if (got == pid_) {
            pid_ = -1;
            return status;
        }
        const int err = errno;
        if (err != EINTR) {
            pid_ = -1;
            return sys_error(Error::Kind::internal, "waitpid", "", err);
        }
    }
}

Result<pid_t> fork_process(std::string_view what) {
    const pid_t pid = ::fork();
    if (pid < 0) return sys_error(Error::Kind::host, "fork", what, errno);
    return pid;
}

Result<Child> start_child(std::string_view what, const std::function<void()>& body) {
    SWRUN_TRY(const pid_t pid, fork_process(what));
    if (pid == 0) {
        body();
        ::_exit(255);
    }
    return Child(pid);
}

std::string ended_how(int status) {
    return WIFSIGNALED(status) ? "by signal " + std::to_string(WTERMSIG(status))
                               : "with status " + std::to_string(WEXITSTATUS(status));
}

Result<Tether> Tether::make() {
    SWRUN_TRY(Pipe pipe, make_pipe());
    return Tether(std::move(pipe));
}

void Tether::bind() {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    pipe_.writer.reset();
    pollfd ended{pipe_.reader.get(), 0, 0};
    if (::poll(&ended, 1, 0) > 0) ::_exit(255);
    pipe_.reader.reset();
}

std::vector<char*> pointers_to(const std::vector<std::string>& words) {
    std::vector<char*> raw;
    raw.reserve(words.size() + 1);
    for (const std::string& word : words) raw.push_back(const_cast<char*>(word.c_str()));
    raw.push_back(nullptr);
    return raw;
}

void drop_streams() {
    // The lowest free number is what open(2) gives: with all descriptors taken there is still this one.
    ::close(STDIN_FILENO);
    if (::open("/dev/null", O_RDWR) != STDIN_FILENO) return;
    ::dup2(STDIN_FILENO, STDOUT_FILENO);
    ::dup2(STDIN_FILENO, STDERR_FILENO);
}

namespace {

bool is_pending(int signal) {
    sigset_t pending;
    return ::sigpending(&pending) == 0 && ::sigismember(&pending, signal) == 1;
}

// A caller that blocks SIGCHLD would find ours pending in its program.
void forget_child_signal() {
    if (!is_pending(SIGCHLD)) return;
    sigset_t child;
    ::sigemptyset(&child);
    ::sigaddset(&child, SIGCHLD);
    const timespec now{0, 0};
    ::sigtimedwait(&child, nullptr, &now);
}

}  // namespace

Status start_orphan(std::string_view what, const std::function<void()>& body) {
    const bool was_pending = is_pending(SIGCHLD);
    // The middle child only forks and goes: whoever adopts the orphan, it is not the program.  It needs no memory of its
    // own for that: vfork(2) saves a copy of all page tables, and this process sleeps until it is gone.
    const pid_t middle = ::vfork();
    if (middle < 0) return sys_error(Error::Kind::host, "vfork", what, errno);
    if (middle == 0) {
        const pid_t orphan = ::fork();
        if (orphan == 0) {
            body();
            ::_exit(255);
        }
        ::_exit(orphan < 0 ? 1 : 0);
    }
    Child child(middle);
    SWRUN_TRY(const int status, child.wait());
    if (!was_pending) forget_child_signal();
    if (status == 0) return {};
    Error error = sys_error(Error::Kind::host, "fork", what, EAGAIN);
    return error.with_hint("the limit of processes may be reached (ulimit -u)");
}

int usable_processors() {
    cpu_set_t usable;
    if (::sched_getaffinity(0, sizeof usable, &usable) == 0) return CPU_COUNT(&usable);
    // EINVAL: the kernel's own set is larger, so the machine is.
    return CPU_SETSIZE;
}

namespace {

// With standard input from /dev/null and standard output into `output`.
Result<Child> spawn(const std::vector<std::string>& argv, int output) {
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    pid_t pid = -1;
    const int err = ::posix_spawn(&pid, argv.at(0).c_str(), &actions, nullptr, pointers_to(argv).data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (err != 0) return sys_error(Error::Kind::host, "posix_spawn", argv[0], err);
    return Child(pid);
}

// At end of file by then, or what came until then.
bool reads_to_end(int fd, std::string& into, std::size_t limit, std::chrono::milliseconds patience) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point end = Clock::now() + patience;
    std::array<char, 4096> part{};
    while (into.size() <= limit) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
        pollfd readable{fd, POLLIN, 0};
        if (left <= 0 || ::poll(&readable, 1, static_cast<int>(left)) == 0) return false;
        const ssize_t got = ::read(fd, part.data(), part.size());
        if (got == 0) return true;
        if (got > 0) into.append(part.data(), static_cast<std::size_t>(got));
    }
    return true;
}

}  // namespace

Result<std::string> capture_output(const std::vector<std::string>& argv, std::size_t limit,
                                   std::chrono::milliseconds patience) {
    SWRUN_TRY(Pipe pipe, make_pipe());
    SWRUN_TRY(Child child, spawn(argv, pipe.writer.get()));
    pipe.writer.reset();
    std::string begun;
    if (patience.count() > 0 && !reads_to_end(pipe.reader.get(), begun, limit, patience)) {
        ::kill(child.pid(), SIGKILL);
        return make_error(Error::Kind::host,
                          argv[0] + " gave no answer within " + std::to_string(patience.count()) + " ms");
    }
    Result<std::string> output = read_all(pipe.reader.get(), argv[0], limit);
    pipe.reader.reset();  // a child with more to say than the limit meets a closed pipe and ends: wait() depends on it
    SWRUN_TRY(const int status, child.wait());
    if (!output) return output;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return make_error(Error::Kind::host, argv[0] + " failed");
    if (begun.size() + output->size() > limit) return sys_error(Error::Kind::host, "read", argv[0], EFBIG);
    return begun + *output;
}

bool set_process_title(const std::string& title) {
    constexpr std::size_t kMaxStat = 4096;
    const std::string stat = read_file("/proc/self/stat", kMaxStat).value_or(std::string());
    const auto address = [&](StatField field) {
        return reinterpret_cast<char*>(parse_decimal(stat_field(stat, field)).value_or(0));
    };
    char* const start = address(StatField::arg_start);
    char* end = address(StatField::arg_end);
    // Beyond the arguments are the variables, in the same piece of the stack.
    if (end == address(StatField::env_start)) end = address(StatField::env_end);
    if (start == nullptr || end <= start || title.size() >= static_cast<std::size_t>(end - start)) return false;
    std::size_t count = 0;
    while (environ[count] != nullptr) ++count;
    auto* const copies = static_cast<char**>(std::calloc(count + 1, sizeof(char*)));
    if (copies == nullptr) return false;
    for (std::size_t i = 0; i < count; ++i) copies[i] = ::strdup(environ[i]);
    environ = copies;
    std::fill(start, end, '\0');
    std::copy(title.begin(), title.end(), start);
    return true;
}

void close_all_but(std::span<const int> kept) {
    unsigned next = 3;
    for (const int fd : kept) {
        const auto number = static_cast<unsigned>(fd);
        if (fd < 0 || number < next) continue;  // none, or a standard stream
        close_between(next, number - 1);
        next = number + 1;
    }
    close_between(next, ~0U);
}

}  // namespace swrun
