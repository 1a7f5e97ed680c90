#include "fuse/idle.h"

#include <malloc.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <array>
#include <system_error>

namespace swrun {

IdleTrimmer::IdleTrimmer(int device, BlockCache& cache, std::chrono::milliseconds patience)
    : device_(device), cache_(cache), patience_(patience), wake_(::eventfd(0, EFD_CLOEXEC)) {
    if (!wake_) return;
    try {
        thread_ = std::thread([this] { watch(); });
    } catch (const std::system_error&) {
        // The limit of processes is reached (ulimit -u).
    }
}

IdleTrimmer::~IdleTrimmer() {
    if (wake_) ::eventfd_write(wake_.get(), 1);
    if (thread_.joinable()) thread_.join();
}

bool IdleTrimmer::sleep() {
    pollfd end{wake_.get(), POLLIN, 0};
    return ::poll(&end, 1, static_cast<int>(patience_.count())) <= 0;
}

void IdleTrimmer::watch() {
    for (;;) {
        const std::uint64_t seen = requests_.load(std::memory_order_relaxed);
        if (!sleep()) return;
        if (requests_.load(std::memory_order_relaxed) != seen) continue;
        cache_.clear();
        ::malloc_trim(0);
        // Until the next request, or the end of the mount.
        std::array<pollfd, 2> news{pollfd{device_, POLLIN, 0}, pollfd{wake_.get(), POLLIN, 0}};
        while (requests_.load(std::memory_order_relaxed) == seen) {
            if (::poll(news.data(), news.size(), -1) > 0 && (news[0].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0)
                return;
            if (!sleep()) return;
        }
    }
}

}  // namespace swrun
