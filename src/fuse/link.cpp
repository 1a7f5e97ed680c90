#include "fuse/link.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "support/io.h"

namespace swrun {
namespace {

constexpr std::uint32_t kMaxMessage = 256U << 20U;

void put_number(std::string& bytes, std::uint32_t value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_text(std::string& bytes, const std::string& text) {
    put_number(bytes, static_cast<std::uint32_t>(text.size()));
    bytes.append(text);
}

bool take_number(std::string_view& bytes, std::uint32_t& value) {
    if (bytes.size() < sizeof value) return false;
    std::memcpy(&value, bytes.data(), sizeof value);
    bytes.remove_prefix(sizeof value);
    return true;
}

bool take_text(std::string_view& bytes, std::string& text) {
    std::uint32_t size = 0;
    if (!take_number(bytes, size) || size > bytes.size()) return false;
    text = bytes.substr(0, size);
    bytes.remove_prefix(size);
    return true;
}

Error truncated() { return make_error(Error::Kind::internal, "the launcher sent a truncated message"); }

}  // namespace

Result<std::pair<Fd, Fd>> make_link() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return sys_error(Error::Kind::host, "socketpair", "", errno);
    }
    return std::pair<Fd, Fd>(Fd(ends[0]), Fd(ends[1]));
}

std::string encode_ghosts(const std::vector<Ghost>& ghosts) {
    std::string bytes;
    put_number(bytes, static_cast<std::uint32_t>(ghosts.size()));
    for (const Ghost& ghost : ghosts) {
        put_number(bytes, static_cast<std::uint32_t>(ghost.kind));
        put_number(bytes, ghost.mode);
        put_text(bytes, ghost.path);
        put_text(bytes, ghost.content);
    }
    return bytes;
}

Result<std::vector<Ghost>> decode_ghosts(std::string_view bytes) {
    std::uint32_t count = 0;
    if (!take_number(bytes, count)) return truncated();
    std::vector<Ghost> ghosts;
    for (std::uint32_t i = 0; i < count; ++i) {
        Ghost ghost;
        std::uint32_t kind = 0;
        if (!take_number(bytes, kind) || kind > static_cast<std::uint32_t>(Ghost::Kind::symlink)) return truncated();
        ghost.kind = static_cast<Ghost::Kind>(kind);
        if (!take_number(bytes, ghost.mode) || !take_text(bytes, ghost.path) || !take_text(bytes, ghost.content))
            return truncated();
        ghosts.push_back(std::move(ghost));
    }
    if (!bytes.empty()) return truncated();
    return ghosts;
}

Status send_device(int link, int device, const OwnerView& owners, const std::string& root,
                   const std::vector<Ghost>& ghosts) {
    std::string body;
    for (const std::uint32_t number : {owners.as_stored ? 1U : 0U, owners.uid, owners.gid}) put_number(body, number);
    put_text(body, root);
    body.append(encode_ghosts(ghosts));
    if (body.size() > kMaxMessage)
        return make_error(Error::Kind::request, "too many generated files for the image server");
    std::uint32_t size = static_cast<std::uint32_t>(body.size());
    iovec part{&size, sizeof size};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &device, sizeof device);
    // MSG_NOSIGNAL: a server that has died is an error here, not a SIGPIPE for the user's program.
    if (::sendmsg(link, &message, MSG_NOSIGNAL) != static_cast<ssize_t>(sizeof size)) {
        return sys_error(Error::Kind::host, "sendmsg", "to the image server", errno);
    }
    std::string_view rest = body;
    while (!rest.empty()) {
        const ssize_t sent = ::send(link, rest.data(), rest.size(), MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EINTR) continue;
            return sys_error(Error::Kind::host, "send", "to the image server", errno);
        }
        rest.remove_prefix(static_cast<std::size_t>(sent));
    }
    return {};
}

Result<DeviceMessage> receive_device(int link) {
    std::uint32_t size = 0;
    iovec part{&size, sizeof size};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t got = 0;
    do {
        got = ::recvmsg(link, &message, MSG_CMSG_CLOEXEC | MSG_WAITALL);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return sys_error(Error::Kind::internal, "recvmsg", "from the launcher", errno);
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (got != static_cast<ssize_t>(sizeof size) || header == nullptr || header->cmsg_type != SCM_RIGHTS)
        return truncated();
    DeviceMessage device;
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
    device.device = Fd(fd);
    if (size > kMaxMessage) return truncated();
    std::string body(size, '\0');
    for (std::size_t done = 0; done < size;) {
        const ssize_t count = ::read(link, body.data() + done, size - done);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return truncated();
        done += static_cast<std::size_t>(count);
    }
    std::string_view rest = body;
    std::uint32_t as_stored = 0;
    if (!take_number(rest, as_stored) || !take_number(rest, device.owners.uid) ||
        !take_number(rest, device.owners.gid)) {
        return truncated();
    }
    device.owners.as_stored = as_stored != 0;
    if (!take_text(rest, device.root)) return truncated();
    SWRUN_TRY(device.ghosts, decode_ghosts(rest));
    return device;
}

}  // namespace swrun
