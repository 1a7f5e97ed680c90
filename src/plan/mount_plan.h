// MountOp: one mount below the new root, and what it may show.  Part of LaunchPlan.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "plan/ghost.h"
#include "plan/origin.h"

namespace swrun {

struct MountFlags {
    bool read_only = false;
    bool no_suid = true;
    bool no_dev = true;
    bool no_exec = false;
    bool recursive = true;  // of a bind: mounts below the source come along, and the flags reach them

    friend bool operator==(const MountFlags&, const MountFlags&) = default;
};

// A directory or file of the host.
struct BindMount {
    std::string source;  // absolute host path

    friend bool operator==(const BindMount&, const BindMount&) = default;
};
// A directory of the host that the launch makes if it is not there (--workdir).
struct MadeBind {
    std::string source;
    std::uint32_t mode = 01777;

    friend bool operator==(const MadeBind&, const MadeBind&) = default;
};
// A part of an image.
struct ImageBind {
    std::string source;           // path of the image, for messages
    std::size_t image_mount = 0;  // index into LaunchPlan::image_mounts
    std::string path;             // what of its tree

    friend bool operator==(const ImageBind&, const ImageBind&) = default;
};
struct TmpfsMount {
    std::uint32_t mode = 01777;
    std::vector<Ghost> content;  // what it starts with

    friend bool operator==(const TmpfsMount&, const TmpfsMount&) = default;
};
struct ProcMount {
    friend bool operator==(const ProcMount&, const ProcMount&) = default;
};
struct DevptsMount {
    friend bool operator==(const DevptsMount&, const DevptsMount&) = default;
};
struct MqueueMount {
    friend bool operator==(const MqueueMount&, const MqueueMount&) = default;
};
// One file of ours, where the image cannot take in a ghost.
struct GeneratedFile {
    Ghost file;

    friend bool operator==(const GeneratedFile&, const GeneratedFile&) = default;
};
// What a program of --fusemount serves.
struct ServedByProgram {
    std::size_t fuse_mount = 0;  // index into LaunchPlan::fuse_mounts

    friend bool operator==(const ServedByProgram&, const ServedByProgram&) = default;
};
using MountSource = std::variant<BindMount, MadeBind, ImageBind, TmpfsMount, ProcMount, DevptsMount, MqueueMount,
                                 GeneratedFile, ServedByProgram>;

// Targets are resolved inside the root at apply time, links followed.
struct MountOp {
    MountSource shows;
    std::string target;  // absolute inside the new root
    MountFlags flags;
    bool create_target = false;  // lies below a bound host directory that lacks it: made there, as the user
    bool target_is_dir = true;   // what create_target makes
    bool required = true;        // false: a failure is a note
    bool warned_of = false;      // of one not required: the note is a warning also where the source is at fault
    Origin origin;

    template <class Source> [[nodiscard]] bool is() const { return std::holds_alternative<Source>(shows); }
    template <class Source> [[nodiscard]] const Source* as() const { return std::get_if<Source>(&shows); }
    friend bool operator==(const MountOp&, const MountOp&) = default;
};

// The path that a bind shows, or of the image; empty for other mounts.
[[nodiscard]] inline std::string source_of(const MountOp& op) {
    if (const auto* bind = op.as<BindMount>()) return bind->source;
    if (const auto* made = op.as<MadeBind>()) return made->source;
    if (const auto* image = op.as<ImageBind>()) return image->source;
    return "";
}

}  // namespace swrun
