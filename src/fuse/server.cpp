#include "fuse/server.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "fuse/link.h"
#include "fuse/watcher.h"
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

// Keeps nothing of the caller's but the image, what is kept of it between launches (-1: none), the link and the doors.
void drop_descriptors(int image, int hot, int messages, const Fd& link, const Doors& doors) {
    drop_streams();
    std::array<int, 7> kept = {
        image, hot, messages, link.get(), doors.tree.get(), doors.user.get(), doors.membership.get()};
    std::sort(kept.begin(), kept.end());
    close_all_but(kept);
}

void leave_job(const char* name) {
    ::setsid();
    ::prctl(PR_SET_NAME, name, 0, 0, 0);
    outlive_job_signals({SIGUSR1, SIGUSR2});
    [[maybe_unused]] const int moved = ::chdir("/");
}

[[noreturn]] void serve_and_exit(OpenedImage& image, const ServerStart& start, Fd link, Doors& doors) {
    leave_job("swrun-image");
    ServerEnds ends{std::move(link), std::move(doors), MessagePlace::of_this_process()};
    const SquashImage& squashfs = *image.squashfs;
    drop_descriptors(squashfs.source->fd(), squashfs.hot ? squashfs.hot->fd() : -1, ends.messages.file.get(), ends.link,
                     ends.doors);
    const Status served = serve_image(image, start, std::move(ends));
    if (!served) say_last_words(served.error());
    ::_exit(served ? 0 : 1);
}

[[noreturn]] void hold_and_exit(Fd link, Doors& doors) {
    leave_job("swrun-holder");
    drop_descriptors(-1, -1, -1, link, doors);
    Holder(std::move(link), std::move(doors)).run();
    ::_exit(0);
}

}  // namespace

Result<ImageServer> start_image_server(OpenedImage& image, StartHint hint, Doors& doors) {
    SWRUN_TRY(auto ends, make_link());
    ServerStart start{std::move(hint), nullptr, Placement::here()};
    if (!start.hint.programs.empty()) {
        start.predicted = PredictedFiles::make(image.squashfs->source->super().block_size);
    }
    const auto body = [&] { serve_and_exit(image, start, std::move(ends.second), doors); };
    SWRUN_CHECK(start_orphan("the image server", body));
    doors = Doors();
    return ImageServer{std::move(ends.first), std::move(start)};
}

Result<Fd> start_holder(Doors& doors) {
    SWRUN_TRY(auto ends, make_link());
    SWRUN_CHECK(start_orphan("the namespaces' holder", [&] { hold_and_exit(std::move(ends.second), doors); }));
    doors = Doors();
    return std::move(ends.first);
}

}  // namespace swrun
