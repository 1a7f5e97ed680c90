#include "fuse/caretaker.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace swrun {

Caretaker::Caretaker(Duties duties, Holder holder, std::chrono::milliseconds patience, WaitClock& clock)
    : duties_(std::move(duties)),
      holder_(std::move(holder)),
      patience_(patience),
      clock_(clock),
      check_at_(clock_.now() + patience),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!wake_) {
        holder_ = Holder(Fd(), Doors());
        return;
    }
    try {
        thread_ = std::thread([this] { watch(); });
    } catch (const std::system_error&) {
        // The limit of processes or of memory is reached.  What nobody watches must not be held: the launcher's
        // message would lie unread in the socket, and the namespaces in it live for ever.
        holder_ = Holder(Fd(), Doors());
    }
}

Caretaker::~Caretaker() {
    ended_ = true;
    wake();
    if (thread_.joinable()) thread_.join();
}

void Caretaker::wake() {
    if (wake_) ::eventfd_write(wake_.get(), 1);
}

void Caretaker::trim_when_idle() {
    if (resting_ || clock_.now() < check_at_) return;
    const std::uint64_t now = requests_.load(std::memory_order_relaxed);
    check_at_ = clock_.now() + patience_;
    if (const auto settled = std::exchange(duties_.settled, nullptr)) settled();
    if (std::exchange(seen_, now) != now) return;
    duties_.trim();
    resting_ = true;
    // One that came in between has not seen it.
    if (requests_.load() != now) resting_ = false;
}

int Caretaker::timeout() const {
    const int held = holder_.timeout();
    if (resting_) return held;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(check_at_ - clock_.now()).count();
    const int check = static_cast<int>(std::clamp<long>(left, 0, 1L << 30));
    return held < 0 ? check : std::min(held, check);
}

void Caretaker::watch() {
    if (duties_.begun) duties_.begun();
    std::vector<pollfd> polled;
    while (!ended_) {
        polled.assign(1, {wake_.get(), POLLIN, 0});
        holder_.watch(polled);
        clock_.wait(polled, timeout());
        if (polled[0].revents != 0) {
            eventfd_t count = 0;
            ::eventfd_read(wake_.get(), &count);
            check_at_ = clock_.now() + patience_;
        }
        holder_.act(std::span(polled).subspan(1));
        trim_when_idle();
    }
}

}  // namespace swrun
