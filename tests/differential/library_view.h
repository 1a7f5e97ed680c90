// A squashfs as libsquashfuse alone shows it: its own superblock, tables, directory walks, block lists and
// decompressors.  For images that the test has made itself; the library is not safe with others.  Errors are
// exceptions: one is a difference already.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace differential {

struct Node {
    char kind = '?';  // f, d, l, b, c, p, s: as find(1) says it
    std::uint32_t mode = 0;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::uint32_t mtime = 0;
    std::uint32_t nlink = 0;
    std::uint32_t number = 0;
    std::uint64_t size = 0;
    std::uint32_t major = 0;
    std::uint32_t minor = 0;

    friend bool operator==(const Node&, const Node&) = default;
};

// One step of a walk over the whole tree, parents first, in the order of the image.
struct Step {
    std::string path;  // "" at the end of a directory
    std::uint64_t id = 0;
    std::uint32_t number = 0;
    char kind = '?';

    friend bool operator==(const Step&, const Step&) = default;
};

// Where a block is stored and its header, as the image has it; size 0: a hole.
using Place = std::pair<std::uint64_t, std::uint32_t>;

class LibraryView {
public:
    LibraryView(const std::string& path, std::size_t offset);
    ~LibraryView();
    LibraryView(const LibraryView&) = delete;
    LibraryView& operator=(const LibraryView&) = delete;

    std::uint64_t root();
    std::vector<Step> walk();
    Node node(std::uint64_t id);
    // The step's path is the name.
    std::optional<Step> lookup(std::uint64_t directory, const std::string& name);
    std::string target(std::uint64_t link);
    std::vector<std::byte> read(std::uint64_t file, std::uint64_t offset, std::size_t size);
    // Of the blocks of a file; the last one may be its fragment.
    std::vector<Place> places(std::uint64_t file);
    std::vector<std::pair<std::string, std::string>> xattrs(std::uint64_t id);
    // The inode with that number; none where the image has no such table.
    std::optional<std::uint64_t> exported(std::uint32_t number);
    std::uint32_t inodes();

private:
    struct Handle;
    std::unique_ptr<Handle> handle_;
};

}  // namespace differential
