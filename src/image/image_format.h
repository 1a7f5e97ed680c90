// Which kind of image do these first bytes begin?  Pure; called by image_file.  A file shorter than
// kProbeSize is none: Singularity and Apptainer read that many bytes or give up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace swrun {

inline constexpr std::size_t kProbeSize = 2048;

// Singularity 2.4-2.6 put a line "#!/usr/bin/env run-singularity\n" before the file system, which starts
// right after it.  0 without such a line; may lie outside `start`.
[[nodiscard]] std::size_t launch_line_size(std::span<const std::byte> start);

enum class ExtKind { none, unsupported, ext3 };

// `start`: the first kProbeSize bytes of the file system.  unsupported: the magic is right, but features
// are missing (a journal) or there that the old tools do not know.
[[nodiscard]] ExtKind ext_kind(std::span<const std::byte> start);

}  // namespace swrun
