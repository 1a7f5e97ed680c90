// What an image server does beside answering: holds the launch's namespaces and its doors, and gives the decoded
// blocks back when nobody has asked for a while (what a program reads again, the kernel's own cache has).  One
// thread that serves no request and is asleep nearly always; closing the last descriptor of a mount namespace
// unmounts, which must not wait for itself.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <thread>

#include "share/holder.h"
#include "support/clock.h"
#include "support/fd.h"

namespace swrun {

struct Duties {
    std::function<void()> trim;       // when nobody has asked for a while
    std::function<void()> settled{};  // once, when the server is no longer young
    std::function<void()> begun{};    // once, by the thread before all else
};

class Caretaker {
public:
    // Duties are done by the thread, every `patience`.  Without a thread (limit of processes) nothing is held and
    // nothing ever trimmed.
    Caretaker(Duties duties, Holder holder, std::chrono::milliseconds patience = std::chrono::seconds(2),
              WaitClock& clock = WaitClock::of_kernel());
    ~Caretaker();
    Caretaker(const Caretaker&) = delete;
    Caretaker& operator=(const Caretaker&) = delete;

    // For every request, from any thread.
    void note_request() {
        // In one order for all: this thread must see the rest, or the one that begins it this request.
        requests_.fetch_add(1);
        if (resting_.load() && resting_.exchange(false)) wake();
    }

private:
    void watch();
    void wake();
    void trim_when_idle();
    [[nodiscard]] int timeout() const;

    Duties duties_;
    Holder holder_;
    std::chrono::milliseconds patience_;
    WaitClock& clock_;
    std::atomic<std::uint64_t> requests_ = 0;
    std::atomic<bool> resting_ = false;  // everything is given back; the next request begins a new round
    std::atomic<bool> ended_ = false;
    std::uint64_t seen_ = 0;
    WaitClock::Time check_at_;
    Fd wake_;
    std::thread thread_;
};

}  // namespace swrun
