// ImageFacts: what the image is, read once from its first bytes (and a SIF's descriptors) by
// image/image_file.  The content of its tree is seen through a TreeView instead.
#pragma once

#include <cstdint>
#include <string>

namespace swrun {

struct ImageFacts {
    enum class Kind { directory, squashfs, ext3 };

    Kind kind = Kind::directory;
    std::string path;          // absolute, lexically clean, links not resolved: what *_CONTAINER shows
    std::string name;          // base name of the argument: what *_NAME shows
    std::string real_path;     // links resolved
    std::uint64_t offset = 0;  // of the file system inside the file, bytes
    std::uint64_t size = 0;    // of the file system, bytes; up to the end of the file
    bool is_sif = false;
    std::string architecture;  // Go's names; empty when the image does not say
    bool writable_by_caller = false;

    friend bool operator==(const ImageFacts&, const ImageFacts&) = default;
};

}  // namespace swrun
