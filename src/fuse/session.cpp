#include "fuse/session.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <system_error>
#include <thread>

#include "fuse/link.h"
#include "fuse/ops.h"
#include "image/image_view.h"

namespace swrun {
namespace {

constexpr std::size_t kThreads = 2;

struct SessionDeleter {
    void operator()(fuse_session* session) const { fuse_session_destroy(session); }
};
using Session = std::unique_ptr<fuse_session, SessionDeleter>;

// libfuse prints to stderr on its own, which is /dev/null here: nothing is lost that anybody could act on.
void drop_log(enum fuse_log_level, const char*, va_list) {}

// Waits for the launcher: false when it has gone without a device.
bool launcher_speaks(int link) {
    pollfd waiting{link, POLLIN, 0};
    while (::poll(&waiting, 1, -1) < 0 && errno == EINTR) {}
    char probe = 0;
    return ::recv(link, &probe, 1, MSG_PEEK) > 0;
}

Result<GhostTree> place_ghosts(SquashReader& reader, const std::vector<Ghost>& ghosts) {
    const ImageView view(reader);
    return GhostTree::build(ghosts, [&](const std::string& path) -> std::optional<ImageSpot> {
        const std::optional<SquashNode> node = view.find(path);
        if (!node) return std::nullopt;
        return ImageSpot{node->id, node->kind == SquashNode::Kind::directory};
    });
}

Result<Session> open_session(ImageService& service, Fd device) {
    fuse_set_log_func(drop_log);
    char name[] = "swrun";
    char* arguments[] = {name, nullptr};
    fuse_args args = FUSE_ARGS_INIT(1, arguments);
    Session session(fuse_session_new(&args, &image_operations(), sizeof(fuse_lowlevel_ops), &service));
    fuse_opt_free_args(&args);
    if (!session) return make_error(Error::Kind::host, "libfuse refused to make a session");
    // The mount is made already, by the launcher; libfuse only gets its device (fuse_session_mount(3)).
    const std::string where = "/dev/fd/" + std::to_string(device.get());
    if (fuse_session_mount(session.get(), where.c_str()) != 0) {
        return make_error(Error::Kind::host, "libfuse refused the device");
    }
    (void)device.release();  // libfuse closes it with the session
    return session;
}

// Until the mount is gone: the device then says ENODEV, which libfuse turns into the end of the session.
void answer(fuse_session* session) {
    fuse_buf buffer{};
    while (fuse_session_exited(session) == 0) {
        const int size = fuse_session_receive_buf(session, &buffer);
        if (size == -EINTR) continue;
        if (size <= 0) break;
        fuse_session_process_buf(session, &buffer);
    }
    std::free(buffer.mem);
}

}  // namespace

Status serve_image(ServedImage& image, int link) {
    if (!launcher_speaks(link)) return {};
    SWRUN_TRY(DeviceMessage message, receive_device(link));
    SWRUN_TRY(const GhostTree ghosts, place_ghosts(image.reader, message.ghosts));
    const std::optional<SquashNode> root = ImageView(image.reader).find(message.root);
    if (!root) return make_error(Error::Kind::image, "the image has no readable " + message.root);
    ReaderPool readers(image.source, image.cache, kThreads);
    readers.add(std::move(image.reader));
    ImageService service{readers, ghosts, root->id, message.owners, std::time(nullptr)};
    SWRUN_TRY(const Session session, open_session(service, std::move(message.device)));
    // INIT comes first and alone: everything else waits for its answer (fuse(4)).
    std::thread second;
    try {
        second = std::thread(answer, session.get());
    } catch (const std::system_error&) {
        // The limit of processes is reached (ulimit -u): one thread serves as well, only not as fast.
    }
    answer(session.get());
    if (second.joinable()) second.join();
    return {};
}

}  // namespace swrun
