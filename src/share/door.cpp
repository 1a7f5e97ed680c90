#include "share/door.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "support/message.h"

namespace swrun {
namespace {

struct Address {
    sockaddr_un name{};
    socklen_t size = 0;

    [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&name); }
};

Address address_of(const std::string& key) {
    Address address;
    address.name.sun_family = AF_UNIX;
    // A leading zero byte: abstract, per network namespace (unix(7)).
    const std::string text = "swrun-" + std::to_string(::geteuid()) + "-" + key;
    const std::size_t length = std::min(text.size(), sizeof address.name.sun_path - 1);
    std::memcpy(address.name.sun_path + 1, text.data(), length);
    address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
    return address;
}

Result<Fd> make_socket() {
    Fd made(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (!made) return sys_error(Error::Kind::host, "socket", "of the door", errno);
    return made;
}

}  // namespace

Result<Fd> open_door(const std::string& key) {
    SWRUN_TRY(Fd door, make_socket());
    const Address address = address_of(key);
    if (::bind(door.get(), address.get(), address.size) != 0 || ::listen(door.get(), SOMAXCONN) != 0) {
        return sys_error(Error::Kind::host, "bind", "the door " + key, errno);
    }
    return door;
}

Result<Fd> knock(const std::string& key) {
    SWRUN_TRY(Fd connection, make_socket());
    const Address address = address_of(key);
    // A queue that stays full, be it that somebody else has filled it, must not hold a launch for ever (EAGAIN then).
    const timeval patience{1, 0};
    ::setsockopt(connection.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (::connect(connection.get(), address.get(), address.size) != 0) {
        return sys_error(Error::Kind::host, "connect", "to the door " + key, errno);
    }
    if (!is_same_user(connection.get())) {
        return sys_error(Error::Kind::host, "connect", "to the door " + key + ", which another user holds", EPERM);
    }
    return connection;
}

bool is_same_user(int connection) {
    ucred peer{};
    socklen_t size = sizeof peer;
    return ::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == ::geteuid();
}

namespace {

bool is_in_our_user_namespace(pid_t process) {
    struct stat theirs {};
    struct stat ours {};
    const std::string file = "/proc/" + std::to_string(process) + "/ns/user";
    return process > 0 && ::stat(file.c_str(), &theirs) == 0 && ::stat("/proc/self/ns/user", &ours) == 0 &&
           theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

Status wait_for_answer(int connection, std::chrono::seconds patience) {
    const auto end = std::chrono::steady_clock::now() + patience;
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
        pollfd answer{connection, POLLIN, 0};
        const int ready = ::poll(&answer, 1, static_cast<int>(std::max<long>(left, 0)));
        if (ready > 0) return {};
        if (ready == 0) return sys_error(Error::Kind::host, "poll", "the door's holder", ETIMEDOUT);
        if (errno != EINTR) return sys_error(Error::Kind::host, "poll", "the door's holder", errno);
    }
}

}  // namespace

Result<Namespaces> ask(int connection, int pidfd, std::chrono::seconds patience) {
    const int on = 1;
    ::setsockopt(connection, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
    const std::array<int, 1> shown = {pidfd};
    SWRUN_CHECK(send_message(connection, "?", shown));
    SWRUN_CHECK(wait_for_answer(connection, patience));
    constexpr std::size_t kRoom = 8;
    SWRUN_TRY(Message message, receive_message(connection, kRoom));
    if (message.fds.empty()) return sys_error(Error::Kind::host, "recvmsg", "from the door's holder", ECONNRESET);
    // A program in a container of the same user has his uid, too, and may take the name: it must not lead launches of
    // the host into a namespace that it owns.  A holder has never left that of its caller.
    if (!is_in_our_user_namespace(message.sender)) {
        return sys_error(Error::Kind::host, "recvmsg", "from a holder in another user namespace", EPERM);
    }
    Namespaces given;
    given.user = std::move(message.fds[0]);
    if (message.fds.size() > 1) given.mount = std::move(message.fds[1]);
    return given;
}

}  // namespace swrun
