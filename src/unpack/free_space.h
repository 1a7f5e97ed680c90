// How much room there is, and how people read it: free memory within the limits of the control groups of this
// process, and free disk space.  Called before an image is unpacked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "support/result.h"

namespace swrun {

struct Space {
    std::uint64_t bytes = 0;
    std::uint64_t entries = UINT64_MAX;  // files and directories
};

// What /proc/meminfo calls available, or less where a control group of version 1 or 2 allows less.  `root`:
// where proc and sys are, for tests.  Without any of these files there is no limit.
[[nodiscard]] Space free_memory(const std::string& root = "");

// Of the file system behind a descriptor (fstatvfs(3)), for somebody who is not root.
[[nodiscard]] Result<Space> free_disk(int directory, std::string_view name);

// "3.1 GiB"
[[nodiscard]] std::string size_text(std::uint64_t bytes);

}  // namespace swrun
