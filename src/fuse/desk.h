// The threads that answer the kernel's requests for one mount.  One is enough for a program that does one thing at a
// time, and cheaper than two; the second helps while requests pile up.
#pragma once

#include <linux/fuse.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

#include "fuse/demand.h"
#include "fuse/ops.h"

namespace swrun {

// What an answering thread does beside answering.  All from the first thread but `each` and `joined`.
struct DeskDuties {
    std::function<void(std::uint32_t)> each;  // for every request, its opcode, from any thread, before it is answered
    std::function<void()> joined;             // once by the second thread, before it begins
    std::function<void()> eager;              // once, before the first thread looks for requests instead of sleeping
    std::function<bool()> has_chore;          // whether something is left that others have not come to
    std::function<void()> chore;              // does a part of it, when nobody has asked for a while
};

class Desk {
public:
    // `several`: there are processors for who asks and for more than one who answers.  The rest is borrowed.
    Desk(fuse_session* session, DeskDuties duties, bool several);

    // Answers until the mount is gone: the device then says ENODEV, which libfuse turns into the end of the session.
    void run();

private:
    using Clock = std::chrono::steady_clock;

    [[nodiscard]] int receive(fuse_buf& buffer);
    [[nodiscard]] int look(fuse_buf& buffer);
    [[nodiscard]] int wait(fuse_buf& buffer);
    void do_chores();
    void let_block(bool blocks);
    void answer(fuse_buf& request, std::uint32_t opcode);
    void note(const fuse_in_header& header);
    void direct_helper();
    void call_helper();
    void help();

    fuse_session* session_;
    DeskDuties duties_;
    const bool several_;
    // The first thread's.
    Eagerness eagerness_;
    unsigned requests_ = 0;
    Backlog backlog_;
    bool eager_ = false;      // duties_.eager has been done
    bool was_there_ = false;  // the last request, before anybody waited for it
    bool blocks_ = true;      // the device, as far as the first thread knows
    // The second thread's.
    std::mutex mutex_;
    std::condition_variable changed_;
    bool wanted_ = false;  // written by the first thread only
    bool ended_ = false;
    std::thread helper_;
};

}  // namespace swrun
