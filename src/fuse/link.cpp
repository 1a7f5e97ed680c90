#include "fuse/link.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "support/descriptors.h"
#include "support/message.h"

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
    if (with_room([&] { return ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends); }) != 0) {
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
    const std::array<int, 1> fds = {device};
    SWRUN_CHECK(send_message(link, {reinterpret_cast<const char*>(&size), sizeof size}, fds));
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
    SWRUN_TRY(Message first, receive_message(link, sizeof size));
    if (first.bytes.size() != sizeof size || first.fds.empty()) return truncated();
    std::memcpy(&size, first.bytes.data(), sizeof size);
    DeviceMessage device;
    device.device = std::move(first.fds[0]);
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
