#include "fuse/session.h"

#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <optional>

#include "fuse/caretaker.h"
#include "fuse/desk.h"
#include "fuse/hot_writer.h"
#include "fuse/link.h"
#include "fuse/ops.h"
#include "fuse/prefetch.h"
#include "fuse/server_stats.h"
#include "fuse/watcher.h"
#include "image/image_view.h"
#include "support/process.h"

namespace swrun {
namespace {

constexpr std::size_t kReaders = 4;  // two threads that answer, two that work ahead

// The usual 8 MiB for each thread count against limits of address space and data (setrlimit(2)); nothing here recurses.
void use_small_stacks() {
    constexpr std::size_t kStack = 1U << 20U;
    pthread_attr_t attributes;
    if (::pthread_attr_init(&attributes) != 0) return;
    ::pthread_attr_setstacksize(&attributes, kStack);
    ::pthread_setattr_default_np(&attributes);
    ::pthread_attr_destroy(&attributes);
}

// One heap for all threads: each one's own would bring in pages of its own.
void use_one_heap() { ::mallopt(M_ARENA_MAX, 1); }

// Who does not sleep in a real-time class keeps all others from their processors.
bool is_real_time() {
    const int policy = ::sched_getscheduler(0);
    return policy != SCHED_OTHER && policy != SCHED_BATCH;
}

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

struct Tree {
    GhostTree ghosts;
    std::uint64_t root = 0;
};

Result<Tree> find_tree(ReaderPool& readers, const DeviceMessage& message) {
    const ReaderPool::Lease reader = readers.borrow();
    SWRUN_TRY(GhostTree ghosts, place_ghosts(*reader, message.ghosts));
    const std::optional<SquashNode> root = ImageView(*reader).find(message.root);
    if (!root) return make_error(Error::Kind::image, "the image has no readable " + message.root);
    return Tree{std::move(ghosts), root->id};
}

// Waits for the device, then lets `serve` answer until the mount is gone.
template <class Serve> Status serve_with(ReaderPool& readers, Prefetch& prefetch, int link, Serve serve) {
    if (!launcher_speaks(link)) return {};
    SWRUN_TRY(DeviceMessage message, receive_device(link));
    SWRUN_TRY(const Tree tree, find_tree(readers, message));
    ListingStyle listings;
    ImageService service{readers,
                         tree.ghosts,
                         tree.root,
                         message.owners,
                         std::time(nullptr),
                         listings,
                         prefetch.runs() ? &prefetch : nullptr};
    SWRUN_TRY(const Session session, open_session(service, std::move(message.device)));
    serve(session.get());
    return {};
}

}  // namespace

Status serve_image(OpenedImage& opened, const ServerStart& start, ServerEnds ends) {
    use_small_stacks();
    use_one_heap();
    const bool may_look = usable_processors() > 1 && !is_real_time();
    SquashImage& image = *opened.squashfs;
    BlockCache& metadata = image.reader.metadata_cache();
    const std::unique_ptr<ServerStats> stats = ServerStats::wanted();
    if (stats) image.cache->remember_decodes();
    HotWriter hot(image.hot, *image.cache, metadata);
    ReaderPool readers(std::move(image.reader), kReaders);
    Prefetch prefetch(*image.source, *image.cache, readers, start.hint, start.predicted.get(), start.placement,
                      Prefetch::effort_now());
    if (image.hot && !image.hot->entries().empty()) prefetch.guess_nothing();
    const pid_t answers = ::getpid();  // this thread
    if (prefetch.runs()) start.placement.keep_here();
    const int launcher = ends.link.get();
    Status served = serve_with(readers, prefetch, launcher, [&](fuse_session* session) {
        const auto free_blocks = [&] {
            image.cache->clear();
            metadata.clear();
            free_spare_blocks();
            ::malloc_trim(0);
        };
        const auto trim = [&] {
            prefetch.end();
            hot.write_aside();
            free_blocks();
        };
        Watcher watcher;
        // What the server has in memory now stays there as long as the watcher, which shares its pages.
        const auto settled = [&] {
            prefetch.end_start();
            start.placement.release(answers);
            free_blocks();
            watcher = Watcher::start(ends.messages, opened.facts.path);
        };
        Caretaker caretaker({trim, settled, [&] { start.placement.release(); }},
                            Holder(std::move(ends.link), std::move(ends.doors)));
        const auto each = [&](std::uint32_t opcode) {
            caretaker.note_request();
            prefetch.note_request();
            if (stats) stats->count(opcode);
        };
        Desk(session,
             {each, [&] { start.placement.release(); }, [&] { start.placement.release(); },
              [&] { return prefetch.has_deferred(); }, [&] { (void)prefetch.do_deferred(); }},
             may_look)
            .run();
        prefetch.end();  // its requests belong to the session
    });
    prefetch.end();
    hot.finish();
    if (served && stats) return stats->append(image.cache->counters(), metadata.counters().decodes);
    return served;
}

}  // namespace swrun
