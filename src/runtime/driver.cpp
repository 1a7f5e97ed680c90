#include "runtime/driver.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <vector>

#include "mounts/kernel/mount_syscalls.h"
#include "runtime/credentials.h"
#include "support/descriptors.h"
#include "support/io.h"
#include "support/message.h"
#include "support/process.h"
#include "support/signals.h"
#include "support/text.h"

namespace swrun {
namespace {

constexpr int kPatienceMs = 20000;      // until the driver has mounted; a busy host is slow
constexpr std::size_t kMaxSaid = 4096;  // bytes of the driver's messages that are kept
constexpr const char* kImageName = "/proc/self/fd/3";

// What the keeper knows while it waits.
struct Keeper {
    const DriverJob& job;
    int alive;
    std::string base;  // where its tree is attached
    Fd said;           // the driver's messages
    pid_t driver = -1;
};

// A directory of the host to hide behind the keeper's tree; nobody but the driver is in that namespace, and its own
// program may not be what is hidden.
Result<std::string> find_base(const std::string& program) {
    for (const char* path : {"/tmp", "/var/tmp", "/mnt", "/run", "/dev/shm"}) {
        struct stat status {};
        if (program.starts_with(std::string(path) + "/")) continue;
        if (::lstat(path, &status) == 0 && S_ISDIR(status.st_mode)) return std::string(path);
    }
    return make_error(Error::Kind::host, "no directory to mount on: none of /tmp, /var/tmp, /mnt, /run is there");
}

Status enter(const Message& order) {
    if (order.bytes.front() == 'u') {
        if (::setns(order.fds.at(0).get(), CLONE_NEWUSER) != 0)
            return sys_error(Error::Kind::host, "setns", "the launch's user namespace", errno);
    }
    if (::unshare(CLONE_NEWNS) != 0) return sys_error(Error::Kind::host, "unshare", "mount namespace", errno);
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        return sys_error(Error::Kind::host, "mount MS_PRIVATE", "/", errno);
    return {};
}

Status attach_tree(Keeper& keeper, const Message& order) {
    Fd own;
    int tree = -1;
    if (order.fds.size() > 1) {
        tree = order.fds[1].get();
    } else {
        SWRUN_TRY(own, make_mount("tmpfs", {{"source", "swrun"}, {"mode", "755"}}, MountFlags{}));
        tree = own.get();
        if (::mkdirat(tree, kDriverMountPoint, 0755) != 0)
            return sys_error(Error::Kind::host, "mkdir", kDriverMountPoint, errno);
    }
    SWRUN_TRY(keeper.base, find_base(keeper.job.program));
    const Fd target(::open(keeper.base.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!target) return sys_error(Error::Kind::host, "open", keeper.base, errno);
    SWRUN_CHECK(attach_mount(tree, target.get(), keeper.base));
    if (::fchdir(tree) != 0) return sys_error(Error::Kind::host, "fchdir", keeper.base, errno);
    return {};
}

// In the child: standard streams, then the image as 3 and the sign of life as 4.  Never returns.
[[noreturn]] void run_driver(const Keeper& keeper, const std::string& options, int messages) {
    // Copies beyond the numbers that are about to be given away.
    const int image = keeper.job.image < 0 ? -1 : ::fcntl(keeper.job.image, F_DUPFD, 10);
    const int alive = keeper.alive < 0 ? -1 : ::fcntl(keeper.alive, F_DUPFD, 10);
    const int said = ::fcntl(messages, F_DUPFD, 10);
    ::dup2(said, STDERR_FILENO);  // the other two are on nothing already
    if (image >= 0) ::dup2(image, 3);
    if (alive >= 0) ::dup2(alive, 4);
    if (image >= 0 && alive >= 0) close_all_but({3, 4});
    if (image >= 0 && alive < 0) close_all_but({3});
    if (image < 0) close_all_but({});
    std::vector<std::string> words = {keeper.job.program, "-f", "-o", options};
    if (image >= 0) words.emplace_back(kImageName);
    words.emplace_back(kDriverMountPoint);
    restore_descriptor_limit();
    ::execv(words.front().c_str(), pointers_to(words).data());
    const std::string text = "cannot be executed: " + errno_text(errno);
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    ::_exit(127);
}

Status start_program(Keeper& keeper, const std::string& options) {
    // An ordinary user's program would lose the right to mount at its execve.
    SWRUN_CHECK(keep_capabilities_for_child());
    SWRUN_TRY(Pipe messages, make_pipe());
    keeper.said = std::move(messages.reader);
    SWRUN_TRY(Child driver,
              start_child(keeper.job.program, [&] { run_driver(keeper, options, messages.writer.get()); }));
    keeper.driver = driver.release();  // it stays when the keeper goes
    return {};
}

// After the driver's end.  `unknown` tells whether it is an option that it stumbled over: both versions of libfuse
// say so in these words.
Error driver_failed(Keeper& keeper, bool& unknown) {
    const std::string said = read_all(keeper.said.get(), keeper.job.program, kMaxSaid).value_or(std::string());
    unknown = said.find("unknown option") != std::string::npos;
    std::string last;
    for (const std::string_view line : split(said, '\n')) {
        if (!line.empty()) last = line;
    }
    std::string text = keeper.job.program + " could not serve " + keeper.job.object;
    if (!last.empty()) text.append(": ").append(last);
    return make_error(Error::Kind::image, std::move(text));
}

Result<bool> is_mounted(const Keeper& keeper) {
    constexpr std::size_t kMaxTable = 64U << 20U;
    SWRUN_TRY(const std::string table, read_file("/proc/self/mountinfo", kMaxTable));
    return table.find(" " + keeper.base + "/" + kDriverMountPoint + " ") != std::string::npos;
}

// One poll(2) for news and for the driver's end, at most 100 ms in case that the kernel has no pidfd_open(2), before
// 5.3.  False when the driver has ended.
bool wait_for_news(const Keeper& keeper, const Fd& ended, pollfd news, int& waited) {
    constexpr int kStepMs = 100;
    std::array<pollfd, 2> watched{news, pollfd{ended.get(), POLLIN, 0}};
    if (::poll(watched.data(), ended ? 2 : 1, kStepMs) == 0) waited += kStepMs;
    return ended ? watched[1].revents == 0 : ::waitpid(keeper.driver, nullptr, WNOHANG) == 0;
}

Error out_of_patience(const Keeper& keeper, const std::string& lacking) {
    ::kill(keeper.driver, SIGKILL);
    return make_error(Error::Kind::host, keeper.job.program + lacking + keeper.job.object + " in time");
}

// poll(2) reports a change of the mount table as an error condition (proc_pid_mountinfo(5)).
Status wait_for_mount(Keeper& keeper, const Fd& ended, bool& unknown) {
    SWRUN_TRY(const Fd table, open_file("/proc/self/mountinfo", O_RDONLY, Error::Kind::host));
    for (int waited = 0; waited < kPatienceMs;) {
        SWRUN_TRY(const bool mounted, is_mounted(keeper));
        if (mounted) return {};
        if (!wait_for_news(keeper, ended, {table.get(), POLLPRI, 0}, waited)) return driver_failed(keeper, unknown);
    }
    return out_of_patience(keeper, " did not mount ");
}

// A line of the table is the kernel's word.  The driver may still look at its mount by name, and gives up when that is
// gone: libfuse does so as root, to write a table of its own.  What has answered a request is past all that.
// In a child, because nothing but the end of the driver brings somebody back who waits for an answer.
Status wait_for_answer(Keeper& keeper, const Fd& ended, bool& unknown) {
    SWRUN_TRY(Pipe answer, make_pipe());
    SWRUN_TRY(Child asking, start_child(keeper.job.program, [] {
                  struct statfs status {};  // never answered from the kernel's memory
                  // An errno of the driver's is an answer as well; this one is the kernel's, after the driver's end.
                  ::_exit(::statfs(kDriverMountPoint, &status) != 0 && errno == ENOTCONN ? 1 : 0);
              }));
    answer.writer.reset();
    for (int waited = 0; waited < kPatienceMs;) {
        pollfd answered{answer.reader.get(), POLLIN, 0};
        const bool alive = wait_for_news(keeper, ended, answered, waited);
        if (answer.reader && ::poll(&answered, 1, 0) > 0) {
            SWRUN_TRY(const int status, asking.wait());
            if (status == 0) return {};
            answer.reader.reset();
        }
        if (!alive) return driver_failed(keeper, unknown);
    }
    return out_of_patience(keeper, " did not answer for ");
}

// Mounted and answering.
Status wait_until_served(Keeper& keeper, bool& unknown) {
    const Fd ended(static_cast<int>(::syscall(SYS_pidfd_open, keeper.driver, 0)));
    SWRUN_CHECK(wait_for_mount(keeper, ended, unknown));
    return wait_for_answer(keeper, ended, unknown);
}

std::string joined(const std::string& some, const std::string& more) {
    return some.empty() || more.empty() ? some + more : some + "," + more;
}

Status serve(Keeper& keeper, const std::string& options) {
    bool unknown = false;
    SWRUN_CHECK(start_program(keeper, joined(options, keeper.job.wishes)));
    Status served = wait_until_served(keeper, unknown);
    if (served || !unknown || keeper.job.wishes.empty()) return served;
    SWRUN_CHECK(start_program(keeper, options));
    return wait_until_served(keeper, unknown);
}

Result<Fd> take_mount(Keeper& keeper) {
    const Fd root(::open(kDriverMountPoint, O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root) return sys_error(Error::Kind::image, "open", keeper.job.object, errno);
    Result<Fd> part = open_in_root(root.get(), keeper.job.part, O_PATH | (keeper.job.is_directory ? O_DIRECTORY : 0));
    if (!part) {
        part.error().message = keeper.job.part + " in " + keeper.job.object + ": " + part.error().message;
        return part;
    }
    return clone_mount_at(part->get(), "", false);
}

Result<Fd> keep(Keeper& keeper, const Message& order) {
    SWRUN_CHECK(enter(order));
    SWRUN_CHECK(attach_tree(keeper, order));
    SWRUN_CHECK(serve(keeper, joined(keeper.job.options, order.bytes.substr(1))));
    return take_mount(keeper);
}

[[noreturn]] void keep_and_exit(const DriverJob& job, int alive, Fd link) {
    ::setsid();
    ::prctl(PR_SET_NAME, "swrun-driver", 0, 0, 0);
    outlive_job_signals();  // the driver inherits it
    // Of the caller's descriptors none may stay, a pipe would never see its end.
    drop_streams();
    std::array<int, 3> kept{link.get(), job.image, alive};
    std::sort(kept.begin(), kept.end());
    close_all_but({kept[0], kept[1], kept[2]});
    const Result<Message> order = receive_message(link.get());
    if (!order || order->bytes.empty()) ::_exit(0);  // the launch has failed before it came here
    Keeper keeper{job, alive, {}, {}, -1};
    const Result<Fd> mount = keep(keeper, *order);
    if (mount) {
        const int fd = mount->get();
        (void)send_message(link.get(), "", std::span(&fd, 1));
    } else {
        (void)send_message(link.get(), format_error(mount.error()), {});
    }
    // With the keeper its namespace would go as well, but for the driver, which stands in it.
    if (!keeper.base.empty()) ::umount2(keeper.base.c_str(), MNT_DETACH);
    ::_exit(0);
}

}  // namespace

Result<Fd> open_locked(int image, const std::string& path, std::uint64_t offset, std::uint64_t size, bool writable) {
    const std::string name = "/proc/self/fd/" + std::to_string(image);
    Fd fd(::open(name.c_str(), (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC));
    if (!fd) return sys_error(Error::Kind::request, "open", path, errno);
    struct flock lock {};
    lock.l_type = writable ? F_WRLCK : F_RDLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = static_cast<off_t>(offset);
    lock.l_len = static_cast<off_t>(size);
    constexpr int kTries = 50;
    constexpr timespec kPause{0, 20'000'000};
    for (int tried = 0; ::fcntl(fd.get(), F_OFD_SETLK, &lock) != 0; ++tried) {
        if (errno == ENOLCK || errno == EINVAL || errno == EOPNOTSUPP) return fd;  // a file system without locks
        if (errno != EAGAIN && errno != EACCES) return sys_error(Error::Kind::host, "fcntl F_OFD_SETLK", path, errno);
        if (tried == kTries) {
            return make_error(
                Error::Kind::request,
                writable ? "can't open " + path + " for writing, currently in use by another process"
                         : "can't open " + path + " for reading, currently in use for writing by another process");
        }
        ::nanosleep(&kPause, nullptr);
    }
    return fd;
}

Result<Fd> start_driver(const DriverJob& job, int alive) {
    SWRUN_TRY(auto ends, make_message_socket());
    SWRUN_CHECK(start_orphan(job.program, [&] {
        ends.first.reset();
        keep_and_exit(job, alive, std::move(ends.second));
    }));
    return std::move(ends.first);
}

Result<Fd> mount_by_driver(int link, bool own_user_namespace, int tree, const std::string& options) {
    SWRUN_TRY(const Fd names, open_file("/proc/self/ns/user", O_RDONLY, Error::Kind::host));
    std::vector<int> fds = {names.get()};
    if (tree >= 0) fds.push_back(tree);
    SWRUN_CHECK(send_message(link, (own_user_namespace ? "u" : "-") + options, fds));
    raise_descriptor_limit();  // a mount that finds no number is lost with its message
    SWRUN_TRY(Message answer, receive_message(link));
    if (answer.fds.size() == 1) return std::move(answer.fds.front());
    if (answer.bytes.empty()) answer.bytes = "the process that starts the driver has ended";
    return make_error(Error::Kind::host, answer.bytes);
}

}  // namespace swrun
