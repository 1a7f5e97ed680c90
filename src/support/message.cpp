#include "support/message.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "support/descriptors.h"

namespace swrun {

Result<std::pair<Fd, Fd>> make_message_socket() {
    int ends[2];
    if (with_room([&] { return ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends); }) != 0) {
        return sys_error(Error::Kind::host, "socketpair", "", errno);
    }
    return std::pair<Fd, Fd>(Fd(ends[0]), Fd(ends[1]));
}

Status send_message(int socket, std::string_view bytes, std::span<const int> fds) {
    if (fds.size() > kMaxMessageFds) return make_error(Error::Kind::internal, "too many descriptors in a message");
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxMessageFds)]{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (!fds.empty()) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(fds.size_bytes());
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(fds.size_bytes());
        std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
    }
    for (;;) {
        if (::sendmsg(socket, &message, MSG_NOSIGNAL) >= 0) return {};
        if (errno != EINTR) return sys_error(Error::Kind::host, "sendmsg", "", errno);
    }
}

Result<Message> receive_message(int socket, std::size_t room) {
    Message received;
    received.bytes.resize(room);
    iovec part{received.bytes.data(), received.bytes.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxMessageFds) + CMSG_SPACE(sizeof(ucred))]{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t got = 0;
    do {
        got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    const int err = errno;
    if (got < 0) return sys_error(Error::Kind::host, "recvmsg", "", err);
    received.bytes.resize(static_cast<std::size_t>(got));
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_CREDENTIALS) {
            ucred sender{};
            std::memcpy(&sender, CMSG_DATA(header), sizeof sender);
            received.sender = sender.pid;
        }
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
            received.fds.emplace_back(fd);
        }
    }
    // There is room for all that anybody sends, so what is missing found no number (unix(7)); it is lost.
    if ((message.msg_flags & MSG_CTRUNC) != 0) {
        return sys_error(Error::Kind::host, "recvmsg", "the descriptors of a message", EMFILE);
    }
    if ((message.msg_flags & MSG_TRUNC) != 0) {
        return make_error(Error::Kind::internal, "a message between processes of the launch was cut");
    }
    return received;
}

}  // namespace swrun
