// The threads that answer the kernel's requests for one mount.  One is enough for a program that does one thing at a
// time, and cheaper than two; the second helps while requests pile up.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "fuse/ops.h"

namespace swrun {

// Whether the next request is worth waiting for without sleeping: they come back to back, as from find(1), and being
// woken for each costs more than a few looks.  Pure.
class Eagerness {
public:
    using Time = std::chrono::nanoseconds;

    static constexpr Time kSpin = std::chrono::microseconds(50);

    [[nodiscard]] bool spins() const { return score_ >= kEnough; }
    // How the last wait was spent, and how long it was until the request was there.
    enum class Wait { looking, asleep_here, asleep_elsewhere };  // here: on the processor of who asks
    void note(Time waited, Wait kind);

private:
    // The wait of one who sleeps elsewhere has the time in it that waking takes, which is what shall be saved.
    static constexpr Time kSoon = std::chrono::microseconds(60);
    static constexpr Time kSoonElsewhere = std::chrono::microseconds(200);
    static constexpr int kEnough = 256;
    static constexpr int kMost = 272;
    static constexpr int kLoss = 16;  // looking in vain a few times in a row ends it

    int score_ = 0;
};

// What an answering thread does beside answering.  All from the first thread but `each` and `joined`.
struct DeskDuties {
    std::function<void(const fuse_buf&, std::size_t)>
        each;                         // for every request, from any thread, before it is answered
    std::function<void()> joined;     // once by the second thread, before it begins
    std::function<void()> eager;      // requests come back to back: no place is better than another
    std::function<bool()> has_chore;  // whether something is left that others have not come to
    std::function<void()> chore;      // does a part of it, when nobody has asked for a while
};

class Desk {
public:
    // `roams`: the first thread may wait for requests without sleeping; before, it shares its processor with who asks.
    // Both are borrowed.
    Desk(fuse_session* session, DeskDuties duties, const std::atomic<bool>& roams);

    // Answers until the mount is gone: the device then says ENODEV, which libfuse turns into the end of the session.
    void run();

private:
    using Clock = std::chrono::steady_clock;

    [[nodiscard]] int receive(fuse_buf& buffer);
    [[nodiscard]] int look(fuse_buf& buffer);
    [[nodiscard]] int wait(fuse_buf& buffer);
    void do_chores();
    void let_block(bool blocks);
    void answer(fuse_buf& buffer, int size);
    void note_backlog(bool was_there);
    void call_helper();
    void help();

    fuse_session* session_;
    DeskDuties duties_;
    const std::atomic<bool>& roams_;
    // The first thread's.
    Eagerness eagerness_;
    unsigned requests_ = 0;
    unsigned backlog_ = 0;  // requests in a row that were there already
    bool blocks_ = true;    // the device, as far as the first thread knows
    // The second thread's.
    std::mutex mutex_;
    std::condition_variable changed_;
    bool wanted_ = false;
    bool ended_ = false;
    std::thread helper_;
};

}  // namespace swrun
