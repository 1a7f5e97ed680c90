// Unpacks an image into an empty directory: the way without FUSE.  Called by runtime, either inside a launch's
// own namespaces or before, as the caller.  Everything is made below the given descriptor by name, nothing is
// followed, so a hostile image can spoil its own tree only.  Uses all processors; the threads have ended when
// it returns.  Memory: a few blocks per thread, and a little per directory.  Leaves what it has made behind when
// it fails: the caller owns the directory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "plan/launch_plan.h"
#include "squashfs/squash_reader.h"
#include "support/result.h"
#include "unpack/free_space.h"

namespace swrun {

struct UnpackSource {
    std::string name;  // for messages
    std::shared_ptr<const SquashSource> source;
    std::shared_ptr<BlockCache> cache;
    SquashReader& reader;
    std::string part = "/";  // of the image: what is unpacked
};

// The name that a part gets which is no directory.
inline constexpr const char* kUnpackedFile = "file";

struct UnpackTarget {
    int directory = -1;  // empty; gets the attributes of the part
    OwnerView owners;
    std::span<const Ghost> ghosts;  // added, or put in place of files of the image
    Space room;                     // what there is
    std::string where;              // for messages: "of memory"
};

// Errors: ENOSPC before anything is made when there is not enough room.
[[nodiscard]] Status unpack_image(const UnpackSource& source, const UnpackTarget& target);

// How many threads: the processors that this process may use, within reason.
[[nodiscard]] std::size_t unpack_threads();

}  // namespace swrun
