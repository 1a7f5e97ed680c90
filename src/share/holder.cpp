#include "share/holder.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "support/descriptors.h"
#include "support/message.h"

namespace swrun {
namespace {

// For what else the process opens.
constexpr std::size_t kSpareFds = 24;

pollfd entry(const Fd& fd) { return {fd.get(), POLLIN, 0}; }

}  // namespace

Status send_hold(int link, int pidfd, int user, int mount) {
    const std::array<int, 3> fds = {pidfd, user, mount};
    return send_message(link, "h", std::span(fds).first(mount < 0 ? 2 : 3));
}

// The order is that of act().
void Holder::watch(std::vector<pollfd>& into) const {
    if (link_.valid()) into.push_back(entry(link_));
    if (doors_.tree.valid()) into.push_back(entry(doors_.tree));
    if (doors_.user.valid()) into.push_back(entry(doors_.user));
    for (const Visitor& visitor : visitors_) into.push_back(entry(visitor.connection));
    for (const Fd& member : members_) into.push_back(entry(member));
}

void Holder::act(std::span<const pollfd> seen) {
    std::size_t next = 0;
    const auto fired = [&](bool watched) { return watched && seen[next++].revents != 0; };
    const bool launcher = fired(link_.valid());
    const bool tree = fired(doors_.tree.valid());
    const bool user = fired(doors_.user.valid());
    for (Visitor& visitor : visitors_) {
        if (fired(true)) hear(visitor);
    }
    for (Fd& member : members_) {
        if (fired(true)) member.reset();
    }
    if (launcher) hear_launcher();
    if (tree) admit(doors_.tree, true);
    if (user) admit(doors_.user, false);
    if (holds_) {
        for (Visitor& visitor : visitors_) {
            if (visitor.pidfd.valid()) answer(visitor);
        }
    }
    std::erase_if(visitors_, [](const Visitor& one) { return !one.connection.valid(); });
    std::erase_if(members_, [](const Fd& one) { return !one.valid(); });
    release_when_unused();
}

void Holder::hear_launcher() {
    constexpr std::size_t kRoom = 8;
    Result<Message> message = receive_message(link_.get(), kRoom);
    link_.reset();
    if (!message || message->fds.size() < 2) {
        release();  // the launch has failed; whoever waits at a door sees its end and tries to lead
        return;
    }
    members_.push_back(std::move(message->fds[0]));
    held_.user = std::move(message->fds[1]);
    if (message->fds.size() > 2) held_.mount = std::move(message->fds[2]);
    holds_ = true;
}

bool Holder::is_full() const { return members_.size() + 2 * visitors_.size() + kSpareFds > most_fds_; }

void Holder::admit(const Fd& door, bool tree) {
    if (most_fds_ == 0) {  // one for every rank of a big node
        raise_descriptor_limit();
        most_fds_ = descriptor_limit();
    }
    const bool full = is_full();
    Fd connection;
    if (!full) connection = Fd(::accept4(door.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (full || (!connection && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))) {
        // Nobody more can be held here: whoever knocks from now on leads, and serves the rest.
        doors_.tree.reset();
        doors_.user.reset();
        return;
    }
    if (connection && is_same_user(connection.get())) visitors_.push_back({std::move(connection), tree, Fd()});
}

void Holder::hear(Visitor& visitor) {
    constexpr std::size_t kRoom = 8;
    Result<Message> message = receive_message(visitor.connection.get(), kRoom);
    if (!message || message->fds.size() != 1 || visitor.pidfd.valid()) {
        visitor.connection.reset();  // it has gone
        return;
    }
    visitor.pidfd = std::move(message->fds[0]);
}

void Holder::answer(Visitor& visitor) {
    const std::array<int, 2> fds = {held_.user.get(), held_.mount.get()};
    const bool tree = visitor.wants_tree && held_.mount.valid();
    if (send_message(visitor.connection.get(), "!", std::span(fds).first(tree ? 2 : 1))) {
        members_.push_back(std::move(visitor.pidfd));
        // One that joins the user namespace only leads a tree of its own, whose holder keeps this open.
        if (!visitor.wants_tree) members_.push_back(std::move(visitor.connection));
    }
    visitor.connection.reset();
}

void Holder::release_when_unused() {
    if (!holds_) return;
    if (!members_.empty() || !visitors_.empty()) {
        deadline_.reset();
        return;
    }
    const Clock::time_point now = Clock::now();
    if (!deadline_) deadline_ = now + std::chrono::seconds(doors_.linger);
    if (now >= *deadline_) release();
}

// The doors first: whoever knocks from now on finds nobody and leads himself.
void Holder::release() {
    doors_ = Doors();
    visitors_.clear();
    members_.clear();
    held_ = Namespaces();
    deadline_.reset();
    holds_ = false;
}

int Holder::timeout() const {
    if (!deadline_) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline_ - Clock::now()).count();
    return static_cast<int>(std::clamp<long>(left, 0, 1L << 30));
}

void Holder::run() {
    std::vector<pollfd> polled;
    while (!done()) {
        polled.clear();
        watch(polled);
        if (::poll(polled.data(), polled.size(), timeout()) < 0 && errno != EINTR) return;
        act(polled);
    }
}

}  // namespace swrun
