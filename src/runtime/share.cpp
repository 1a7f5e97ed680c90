#include "runtime/share.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdlib>
#include <optional>

#include "support/io.h"
#include "support/proc_text.h"
#include "support/text.h"

namespace swrun {
namespace {

using Clock = std::chrono::steady_clock;

// A leader has bound its name but does not listen yet, or has just gone: for microseconds.
constexpr std::chrono::milliseconds kElection(1000);

void nap() {
    constexpr timespec kNap{0, 200'000};
    ::nanosleep(&kNap, nullptr);
}

struct Finding {
    Fd door;            // this launch leads
    Namespaces joined;  // it does not
    Fd connection;      // to the holder
};

// Knocks, and leads when nobody answers.  One of two that both try gets EADDRINUSE and knocks again.
Result<Finding> find_leader(const std::string& key, int pidfd, std::chrono::seconds patience) {
    const Clock::time_point last = Clock::now() + patience;
    Clock::time_point end = Clock::now() + kElection;
    for (;;) {
        Result<Fd> connection = knock(key);
        if (connection) {
            Result<Namespaces> given = ask(connection->get(), pidfd, patience);
            if (given) return Finding{Fd(), std::move(*given), std::move(*connection)};
            // A holder that ends has closed its door before: whoever waited there tries again.
            const int err = given.error().sys_errno;
            if (err != ECONNRESET && err != EPIPE) return std::move(given).error();
            end = std::min(last, Clock::now() + kElection);
        } else if (connection.error().sys_errno != ECONNREFUSED) {
            return std::move(connection).error();
        } else {
            Result<Fd> door = open_door(key);
            if (door) return Finding{std::move(*door), Namespaces(), Fd()};
            if (door.error().sys_errno != EADDRINUSE) return std::move(door).error();
        }
        if (Clock::now() > end) return sys_error(Error::Kind::host, "connect", "to the door " + key, ETIMEDOUT);
        nap();
    }
}

// Somebody who has the name and does not let anybody in: a stranger, or a leader that is stopped.
bool is_taken(const Error& error) {
    return error.sys_errno == EPERM || error.sys_errno == EAGAIN || error.sys_errno == ETIMEDOUT;
}

void note_failure(const char* what, const Error& error, std::vector<Note>& notes) {
    const bool first = notes.empty();
    notes.push_back({is_taken(error) && first ? Level::warning : Level::info,
                     std::string("this launch has ") + what + " of its own: " + error.message});
}

// The process at the other end of the socket that PMI gives its ranks, with the time of its start, because process
// numbers come back.
std::string pmi_launcher() {
    constexpr std::size_t kMaxStat = 4096;
    const char* text = std::getenv("PMI_FD");
    const std::optional<std::uint64_t> fd = text == nullptr ? std::nullopt : parse_decimal(text);
    ucred peer{};
    socklen_t size = sizeof peer;
    if (!fd || *fd > INT_MAX) return {};
    if (::getsockopt(static_cast<int>(*fd), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid <= 0) return {};
    const std::string number = std::to_string(peer.pid);
    const std::string stat = read_file("/proc/" + number + "/stat", kMaxStat).value_or(std::string());
    const std::string_view start = stat_field(stat, StatField::start_time);
    return start.empty() ? "" : "process " + number + " since " + std::string(start);
}

}  // namespace

Shared find_shared(const SharePlan& plan, std::vector<Note>& notes) {
    Shared shared;
    shared.pidfd = Fd(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
    if (!plan.wanted) return shared;
    if (!shared.pidfd) {
        note_failure("everything", sys_error(Error::Kind::host, "pidfd_open", "", errno), notes);
        return shared;
    }
    shared.doors.linger = plan.linger;
    const std::chrono::seconds patience(plan.patience);
    if (!plan.tree_key.empty()) {
        Result<Finding> tree = find_leader(plan.tree_key, shared.pidfd.get(), patience);
        if (!tree) {
            note_failure("a tree", tree.error(), notes);
        } else if (tree->joined.mount.valid()) {
            shared.joined = std::move(tree->joined);
            return shared;
        } else {
            shared.doors.tree = std::move(tree->door);
        }
    }
    Result<Finding> user = find_leader(plan.user_key, shared.pidfd.get(), patience);
    if (!user) {
        note_failure("a user namespace", user.error(), notes);
        return shared;
    }
    shared.doors.user = std::move(user->door);
    shared.joined.user = std::move(user->joined.user);
    shared.doors.membership = std::move(user->connection);
    return shared;
}

Status enter_shared(Shared& shared, std::vector<Note>& notes) {
    if (!shared.joined.user) return {};
    // The user namespace first: it gives the right to enter the other (setns(2)).
    if (::setns(shared.joined.user.get(), CLONE_NEWUSER) != 0) {
        note_failure("a user namespace", sys_error(Error::Kind::host, "setns", "", errno), notes);
        shared.joined = Namespaces();
        shared.doors = Doors();
        return {};
    }
    if (shared.joined.mount && ::setns(shared.joined.mount.get(), CLONE_NEWNS) != 0) {
        return sys_error(Error::Kind::host, "setns", "the shared mount namespace", errno);
    }
    return {};
}

ShareFacts probe_sharing() {
    constexpr std::size_t kMaxText = 64U << 10U;
    ShareFacts facts;
    struct stat status {};
    for (std::size_t i = 0; i < kSharedKinds; ++i) {
        const std::string path = std::string("/proc/self/ns/") + kSharedNames[i];
        if (::stat(path.c_str(), &status) != 0) return facts;
        facts.namespaces[i] = status.st_ino;
    }
    if (::stat("/", &status) != 0) return facts;
    facts.root_device = status.st_dev;
    facts.root_inode = status.st_ino;
    facts.cgroup = read_file("/proc/self/cgroup", kMaxText).value_or(std::string());
    facts.launcher = pmi_launcher();
    facts.session = ::getsid(0);
    facts.known = true;
    return facts;
}

}  // namespace swrun
