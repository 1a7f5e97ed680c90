#include "fuse/server.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "fuse/link.h"
#include "support/io.h"
#include "support/process.h"
#include "support/signals.h"

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

// Keeps nothing of the caller's but the image and the link.
void drop_descriptors(int image, int link) {
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd <= 2; ++fd) ::dup2(null, fd);
    close_all_but({std::min(image, link), std::max(image, link)});
}

[[noreturn]] void serve_and_exit(ServedImage& image, int link) {
    ::setsid();
    ::prctl(PR_SET_NAME, "swrun-image", 0, 0, 0);
    outlive_job_signals({SIGUSR1, SIGUSR2});
    [[maybe_unused]] const int moved = ::chdir("/");
    drop_descriptors(image.source->fd(), link);
    const Status served = serve_image(image, link);
    if (!served) say_last_words(served.error());
    ::_exit(served ? 0 : 1);
}

}  // namespace

Result<Fd> start_image_server(ServedImage& image) {
    SWRUN_TRY(auto ends, make_link());
    SWRUN_CHECK(start_orphan("the image server", [&] { serve_and_exit(image, ends.second.get()); }));
    return std::move(ends.first);
}

}  // namespace swrun
