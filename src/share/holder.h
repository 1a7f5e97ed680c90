// Holder: keeps the namespaces of a launch until the last process that was given them has ended, and lets others
// in through the doors.  The image server has one; a launch without a server that is shared gets a process with
// nothing else.  Holding a mount namespace past its program's end also takes the unmounting from that program's
// exit.  Not thread-safe: one thread polls it.
#pragma once

#include <poll.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "share/door.h"
#include "support/fd.h"
#include "support/result.h"

namespace swrun {

// The doors of a launch that leads.
struct Doors {
    Fd tree;        // listening; invalid: not led
    Fd user;        // likewise
    Fd membership;  // of a launch that has joined a user namespace: its holder counts us as long as this is open
    std::uint32_t linger = 0;  // seconds to stay after the last user

    [[nodiscard]] bool any() const { return tree.valid() || user.valid(); }
};

// The launcher, when the tree is complete: what to hold for `pidfd`.  `mount` may be -1.
[[nodiscard]] Status send_hold(int link, int pidfd, int user, int mount);

class Holder {
public:
    using Clock = std::chrono::steady_clock;

    // `link`: to the launcher, which sends what is to be held, or goes.
    Holder(Fd link, Doors doors) : link_(std::move(link)), doors_(std::move(doors)) {}

    // Adds what it waits for; the same entries, as poll(2) left them, are for act().
    void watch(std::vector<pollfd>& into) const;
    void act(std::span<const pollfd> seen);

    // Milliseconds until act() has to be called even if nothing happens; -1: none.
    [[nodiscard]] int timeout() const;

    // Nothing is held any more and nothing will be.
    [[nodiscard]] bool done() const { return !link_.valid() && !holds_; }

    // The whole life of a process that does nothing else.
    void run();

private:
    struct Visitor {
        Fd connection;
        bool wants_tree = false;
        Fd pidfd;  // once it has asked
    };

    void hear_launcher();
    void admit(const Fd& door, bool tree);
    [[nodiscard]] bool is_full() const;
    void hear(Visitor& visitor);
    void answer(Visitor& visitor);
    void release_when_unused();
    void release();

    Fd link_;
    Doors doors_;
    bool holds_ = false;
    std::size_t most_fds_ = 0;
    Namespaces held_;
    std::vector<Fd> members_;  // pidfds, and connections of launches that lead a tree of their own
    std::vector<Visitor> visitors_;
    std::optional<Clock::time_point> deadline_;  // of lingering
};

}  // namespace swrun
