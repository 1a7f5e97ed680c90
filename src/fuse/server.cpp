#include "fuse/server.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <vector>

#include "fuse/link.h"
#include "support/io.h"
#include "support/process.h"
#include "support/text.h"

namespace swrun {
namespace {

// The server's last words, for whoever set SWRUN_SERVER_LOG: its stderr is closed so that nothing of it
// ever mixes with the program's output.
void say_last_words(const Error& error) {
    const char* log = std::getenv("SWRUN_SERVER_LOG");
    if (log == nullptr) return;
    const Result<Fd> file = open_file(log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, Error::Kind::host, 0600);
    if (file) (void)write_all(file->get(), "swrun image server: " + format_error(error) + "\n", log);
}

// A signal to the job's group must not take the files from under a program that is writing its
// checkpoint; the server goes when its last user has gone.
void ignore_signals() {
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2}) {
        ::signal(number, SIG_IGN);
    }
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Without close_range(2), before Linux 5.9: what /proc lists.  Trying every number would take some hundred
// thousand calls on hosts with generous limits.
void close_listed(unsigned first, unsigned last) {
    std::vector<int> found;
    DIR* list = ::opendir("/proc/self/fd");
    if (list == nullptr) return;
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

// Keeps nothing of the caller's but the image and the link: an inherited pipe would hold its pipeline
// open, a directory its file system busy.
void drop_descriptors(int image, int link) {
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd <= 2; ++fd) ::dup2(null, fd);
    const auto low = static_cast<unsigned>(std::min(image, link));
    const auto high = static_cast<unsigned>(std::max(image, link));
    close_between(3, low - 1);
    close_between(low + 1, high - 1);
    close_between(high + 1, ~0U);
}

[[noreturn]] void serve_and_exit(ServedImage& image, int link) {
    ::setsid();
    ::prctl(PR_SET_NAME, "swrun-image", 0, 0, 0);
    ignore_signals();
    [[maybe_unused]] const int moved = ::chdir("/");
    drop_descriptors(image.source->fd(), link);
    const Status served = serve_image(image, link);
    if (!served) say_last_words(served.error());
    ::_exit(served ? 0 : 1);
}

}  // namespace

Result<Fd> start_image_server(ServedImage& image) {
    SWRUN_TRY(auto ends, make_link());
    const pid_t middle = ::fork();
    if (middle < 0) return sys_error(Error::Kind::host, "fork", "the image server", errno);
    if (middle == 0) {
        // The middle child only forks and goes, which makes the server an orphan: somebody else's child.
        const pid_t server = ::fork();
        if (server == 0) serve_and_exit(image, ends.second.get());
        ::_exit(server < 0 ? 1 : 0);
    }
    Child child(middle);
    SWRUN_TRY(const int status, child.wait());
    if (status != 0) {
        Error error = sys_error(Error::Kind::host, "fork", "the image server", EAGAIN);
        return error.with_hint("the limit of processes may be reached (ulimit -u)");
    }
    return std::move(ends.first);
}

}  // namespace swrun
