// How much room a tree of an image takes once it is unpacked, by its inodes alone: no data is read.
#pragma once

#include <cstdint>

#include "squashfs/squash_reader.h"
#include "support/result.h"
#include "unpack/free_space.h"

namespace swrun {

struct Survey {
    std::uint64_t bytes = 0;    // of all files, each rounded up to whole pages, hard links once, holes not at all
    std::uint64_t entries = 0;  // files and directories
    bool complete = true;       // false: it is more, far more than there is room
};

// What an entry takes beside its content: of a tmpfs an inode and a name in memory, of a disk about as much.
inline constexpr std::uint64_t kEntryBytes = 1024;

[[nodiscard]] Result<Survey> survey_tree(SquashReader& reader, const SquashNode& start, const Space& room);

// An error that names what is needed and what there is; `where`: "of memory", "in /DIR".
[[nodiscard]] Status check_room(const Survey& survey, const Space& room, const std::string& where);

}  // namespace swrun
