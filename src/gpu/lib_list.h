// The list of what belongs to a driver (share/nvliblist.conf and its like), and the rule by which its
// names pick libraries of the loader cache.  Called by gpu/host/nvidia.  Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gpu/ld_cache.h"

namespace swrun {

struct LibList {
    std::vector<std::string> libraries;  // bare names and absolute paths, in the order of the list
    std::vector<std::string> programs;   // bare names
    std::vector<std::string> files;      // absolute paths

    friend bool operator==(const LibList&, const LibList&) = default;
};

// One entry per line, blanks trimmed, '#' opens a comment line.  ".so" anywhere makes a library, else a
// leading '/' a file, else it is a program.  Relative paths with a '/' mean nothing and are ignored.
[[nodiscard]] LibList parse_lib_list(std::string_view text);

// The list built into the program: the text of share/nvliblist.conf.
[[nodiscard]] std::string_view default_nv_lib_list();

// A name of the cache and the files that may serve it, best first.
struct LibraryChoice {
    std::string_view name;
    std::vector<std::string_view> paths;

    friend bool operator==(const LibraryChoice&, const LibraryChoice&) = default;
};

// Every name of the cache that begins with `entry`, each once, in the order of the cache.  Files for all
// processors come before those for some, whose needs nobody checks here.  Points into what `cache`
// points into.
[[nodiscard]] std::vector<LibraryChoice> matching_libraries(std::string_view entry,
                                                            std::span<const LdCacheEntry> cache);

}  // namespace swrun
