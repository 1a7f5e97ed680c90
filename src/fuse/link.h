// The socket between the launcher and its image server.  One message from the launcher, Device: the
// FUSE device of the mounted image and what the image lacks.  End of file without it tells the server
// that the launch has failed and that it shall go.  Both ends are close-on-exec.
#pragma once

#include <utility>
#include <vector>

#include "plan/launch_plan.h"
#include "support/fd.h"
#include "support/result.h"

namespace swrun {

struct DeviceMessage {
    Fd device;
    OwnerView owners;
    std::string root = "/";  // which part of the image becomes the mount's root
    std::vector<Ghost> ghosts;
};

// {launcher's end, server's end}
[[nodiscard]] Result<std::pair<Fd, Fd>> make_link();

[[nodiscard]] Status send_device(int link, int device, const OwnerView& owners, const std::string& root,
                                 const std::vector<Ghost>& ghosts);

// Waits for the message.  The launcher is trusted (it is this program), its lengths are checked anyway.
[[nodiscard]] Result<DeviceMessage> receive_device(int link);

// The bytes of the ghosts on the wire; exposed for tests.
[[nodiscard]] std::string encode_ghosts(const std::vector<Ghost>& ghosts);
[[nodiscard]] Result<std::vector<Ghost>> decode_ghosts(std::string_view bytes);

}  // namespace swrun
