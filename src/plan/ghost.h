// Ghost: what the launch adds to the image's tree.  Part of LaunchPlan.
#pragma once

#include <cstdint>
#include <string>

namespace swrun {

// Something that the image's tree lacks and the launch adds: a mount point, a link, a generated file.
// In an image file it is answered by our server, in one that was unpacked for this launch it is written into
// the tree; in a directory image it lies in a layer of its own.
struct Ghost {
    enum class Kind { directory, file, symlink };
    // Of a file whose content is made of the image's own text and the caller's lines (resolve's complete_files).
    enum class Merge { none, passwd, group };

    Kind kind = Kind::directory;
    std::string path;     // absolute below the root, or relative to the tmpfs that holds it
    std::string content;  // of a file; target of a link; of one that is still to be merged: the caller's lines
    std::uint32_t mode = 0755;
    Merge merge = Merge::none;
    std::string merge_with{};  // where in the image that text is

    friend bool operator==(const Ghost&, const Ghost&) = default;
};

}  // namespace swrun
