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

// A mount that nobody asked for: where it cannot be, it is left out with a warning.
void want_own(Draft& draft, MountOp op, bool is_dir);

// One that an option brings along: likewise, and it is said when something asked for covers it.
void want_brought(Draft& draft, MountOp op, bool is_dir);

// One that somebody asked for.  `context` says what is being done, for the error.
void want_asked(Draft& draft, MountOp op, bool is_dir, std::string context);

// A generated file: answered with the image where that is possible, else bound.
void add_generated(Draft& draft, Ghost file, Origin origin);

}  // namespace swrun
