// One message with descriptors over a SOCK_SEQPACKET socket, whole or not at all.  Used between processes of
// one launch.  Source: unix(7), "Ancillary messages".
#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/fd.h"
#include "support/result.h"

namespace swrun {

inline constexpr std::size_t kMaxMessageBytes = 64U << 10U;
inline constexpr std::size_t kMaxMessageFds = 8;

struct Message {
    std::string bytes;
    std::vector<Fd> fds;
    pid_t sender = 0;  // where the socket asks for it (SO_PASSCRED): as the kernel says, not the peer
};

// Both ends are close-on-exec.
[[nodiscard]] Result<std::pair<Fd, Fd>> make_message_socket();

// A peer that has gone is EPIPE, never a signal.
[[nodiscard]] Status send_message(int socket, std::string_view bytes, std::span<const int> fds);

// Waits.  An empty message without descriptors is the end: the peer has closed its end.  What is longer than `room`
// bytes is cut off.
[[nodiscard]] Result<Message> receive_message(int socket, std::size_t room = kMaxMessageBytes);

}  // namespace swrun
