// What the parts of resolve make mounts of.  Internal to the room.
#pragma once

#include <cstdint>
#include <string>

#include "resolve/resolve_parts.h"

namespace swrun {

[[nodiscard]] Origin builtin(std::string why);
[[nodiscard]] MountOp bind_op(std::string source, std::string target, Origin origin);
[[nodiscard]] MountOp tmpfs_op(std::string target, std::uint32_t mode, Origin origin);
[[nodiscard]] Ghost entry(Ghost::Kind kind, std::string path, std::string content = {}, std::uint32_t mode = 0755);

// /dev, /proc and /sys keep the flags that the host has them mounted with: devices must stay devices.
[[nodiscard]] MountOp bind_unrestricted(const std::string& path, Origin origin);

// Places an op that the user did not ask for: where --writable forbids to make its mount point, the op
// is left out with a warning, as the tools of the field do.
[[nodiscard]] Status place_own(Draft& draft, MountOp op, bool is_dir);

// A generated file: answered with the image where that is possible, else bound.
[[nodiscard]] Status add_generated(Draft& draft, Ghost file, Origin origin);

}  // namespace swrun
