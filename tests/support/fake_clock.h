// A clock that goes when the test says so, for a thread that waits by WaitClock.
#pragma once

#include <sys/eventfd.h>

#include <condition_variable>
#include <mutex>
#include <vector>

#include "support/clock.h"
#include "support/fd.h"

namespace swrun {

class FakeClock : public WaitClock {
public:
    Time now() override {
        const std::lock_guard lock(mutex_);
        return now_;
    }

    int wait(std::span<pollfd> descriptors, int milliseconds) override {
        std::unique_lock lock(mutex_);
        const Time end = now_ + std::chrono::milliseconds(milliseconds);
        for (;;) {
            const int ready = ::poll(descriptors.data(), descriptors.size(), 0);
            if (ready != 0 || (milliseconds >= 0 && now_ >= end)) return ready;
            watched_.assign(descriptors.begin(), descriptors.end());
            watched_.push_back({moved_.get(), POLLIN, 0});
            std::vector<pollfd> polled = watched_;
            lock.unlock();
            asleep_.notify_all();
            ::poll(polled.data(), polled.size(), -1);
            lock.lock();
            watched_.clear();
            eventfd_t moves = 0;
            ::eventfd_read(moved_.get(), &moves);
        }
    }

    // The thread does all that is to be done then, and waits again.
    void advance(std::chrono::milliseconds time) {
        {
            const std::lock_guard lock(mutex_);
            now_ += time;
            ::eventfd_write(moved_.get(), 1);
        }
        settle();
    }

    // Until the thread waits, and nothing that it waits for has happened.
    void settle() {
        std::unique_lock lock(mutex_);
        asleep_.wait(lock, [this] { return !watched_.empty() && ::poll(watched_.data(), watched_.size(), 0) == 0; });
    }

private:
    std::mutex mutex_;
    std::condition_variable asleep_;
    Time now_{};
    std::vector<pollfd> watched_;  // empty: it does not wait
    Fd moved_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
};

}  // namespace swrun
