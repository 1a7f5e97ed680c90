// WaitClock: the time, and waiting for descriptors until a time, for what runs by the clock and has to be tested without
// one.  The kernel's own everywhere but in tests (tests/support/fake_clock.h).
#pragma once

#include <poll.h>

#include <chrono>
#include <span>

namespace swrun {

class WaitClock {
public:
    using Time = std::chrono::steady_clock::time_point;

    virtual ~WaitClock() = default;

    [[nodiscard]] virtual Time now() { return std::chrono::steady_clock::now(); }
    // As poll(2): milliseconds, or -1.
    virtual int wait(std::span<pollfd> descriptors, int milliseconds) {
        return ::poll(descriptors.data(), descriptors.size(), milliseconds);
    }

    [[nodiscard]] static WaitClock& of_kernel() {
        static WaitClock clock;
        return clock;
    }
};

}  // namespace swrun
