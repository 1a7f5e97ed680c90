// ImageFacts: what the image is, read once from its first bytes (and a SIF's descriptors) by
// image/image_file.  The content of its tree is seen through a TreeView instead.
#pragma once

#include <cstdint>
#include <string>

namespace swrun {

// Tells one file system in one state of one file from all others, as far as the kernel can (stat(2)).
struct ImageId {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t changed = 0;  // mtime, nanoseconds
    std::uint64_t offset = 0;  // bytes, as are sizes
    std::uint64_t size = 0;

    friend bool operator==(const ImageId&, const ImageId&) = default;
};

struct ImageFacts {
    enum class Kind { directory, squashfs, ext3 };

    Kind kind = Kind::directory;
    std::string path;          // absolute, lexically clean, links not resolved: what *_CONTAINER shows
    std::string name;          // base name of the argument: what *_NAME shows
    std::string real_path;     // links resolved
    std::uint64_t offset = 0;  // of the file system inside the file, bytes
    std::uint64_t size = 0;    // of the file system, bytes; up to the end of the file
    std::uint64_t device = 0;  // of the file or directory; with the next two, which one in which state
    std::uint64_t inode = 0;
    std::int64_t changed = 0;  // mtime, nanoseconds
    bool is_sif = false;
    std::string architecture;  // Go's names; empty when the image does not say
    bool writable_by_caller = false;

    [[nodiscard]] ImageId id() const { return {device, inode, changed, offset, size}; }
    friend bool operator==(const ImageFacts&, const ImageFacts&) = default;
};

}  // namespace swrun
