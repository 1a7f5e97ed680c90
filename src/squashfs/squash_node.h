// SquashNode: one inode of a squashfs as plain data, and where its content is.  Made by squash_metadata,
// passed around by readers and the FUSE server.  A node is valid for every reader of the same image.
#pragma once

#include <cstdint>
#include <string>

namespace swrun {

// Where the next byte of metadata is: the image position of a metadata block, and the place in it once it
// is decompressed.
struct MetaCursor {
    std::uint64_t block = 0;
    std::uint32_t offset = 0;

    friend bool operator==(const MetaCursor&, const MetaCursor&) = default;
};

inline constexpr std::uint32_t kSquashNoXattrs = 0xffffffff;

struct SquashNode {
    enum class Kind { directory, file, symlink, block_device, char_device, fifo, socket };

    Kind kind = Kind::directory;
    std::uint32_t mode = 0;  // permission, setuid, setgid and sticky bits
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::uint32_t mtime = 0;  // seconds since 1970
    std::uint64_t size = 0;   // bytes; of a symlink: of its target
    std::uint32_t nlink = 1;
    std::uint32_t major = 0;  // of a device
    std::uint32_t minor = 0;
    std::uint64_t id = 0;      // names the inode to a reader: below 2^48
    std::uint32_t number = 0;  // st_ino; hard links share it

    // For readers only.
    MetaCursor content;                      // block list, directory index or link target
    std::uint64_t data = 0;                  // file: position of the first block; directory: of its first list block
    std::uint32_t fragment = 0;              // file: index of the fragment, or kSquashNoFragment
    std::uint32_t offset = 0;                // file: in the fragment; directory: in its first list block
    std::uint32_t index_count = 0;           // directory: entries of the index at `content`
    std::uint32_t parent = 0;                // directory: inode number of the parent
    std::uint32_t xattrs = kSquashNoXattrs;  // list of extended attributes

    friend bool operator==(const SquashNode&, const SquashNode&) = default;
};

struct SquashEntry {
    std::string name;
    std::uint64_t id = 0;  // for SquashReader::node()
    std::uint32_t number = 0;
    SquashNode::Kind kind = SquashNode::Kind::file;
    std::uint64_t next = 0;  // list() goes on after this entry when given this number

    friend bool operator==(const SquashEntry&, const SquashEntry&) = default;
};

}  // namespace swrun
