// The bytes of an ext file system: blocks and inodes, read by pread(2) from where it lies in a file.  Trusts nothing
// that it reads.  Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "ext/ext_super.h"

namespace swrun {

struct ExtInode {
    enum class Kind { directory, file, symlink, other };

    std::uint32_t number = 0;
    std::uint16_t mode = 0;
    std::uint32_t flags = 0;
    std::uint64_t size = 0;               // bytes
    std::array<std::byte, 60> content{};  // i_block: numbers of blocks, the root of a tree of extents, or data
    std::vector<std::byte> more;          // inline_data: what lies behind the inode

    [[nodiscard]] Kind kind() const;
    [[nodiscard]] bool has_extents() const { return (flags & 0x80000) != 0; }
    [[nodiscard]] bool is_inline() const { return (flags & 0x10000000) != 0; }
};

class ExtSource {
public:
    using Block = std::shared_ptr<const std::vector<std::byte>>;

    // `fd` is borrowed and outlives the source; the file system is `size` bytes from `offset` on.
    [[nodiscard]] static Result<ExtSource> open(int fd, std::uint64_t offset, std::uint64_t size);

    [[nodiscard]] const ExtSuper& super() const { return super_; }

    // What one operation may read is limited, so that no image keeps a launch busy.  This begins the next one.
    void begin() { left_ = kMostBytes; }

    // One block of metadata; the last ones are kept.
    [[nodiscard]] Result<Block> block(std::uint64_t number);
    // The start of a block of a file, as much as `into` takes: at most a block.
    [[nodiscard]] Status read(std::uint64_t number, std::span<std::byte> into) const;
    [[nodiscard]] Result<ExtInode> inode(std::uint32_t number);

    // The block of the file system that holds a block of a file; 0: none, it reads as zeros.
    [[nodiscard]] Result<std::uint64_t> place(const ExtInode& inode, std::uint64_t index);

    static constexpr std::uint64_t kMostBytes = 64U << 20U;

private:
    struct Slot {
        std::uint64_t number = 0;
        Block block;
    };

    ExtSource(int fd, std::uint64_t offset, std::uint64_t size) : fd_(fd), offset_(offset), size_(size) {}
    [[nodiscard]] Status read_bytes(std::uint64_t position, std::span<std::byte> into) const;
    [[nodiscard]] Result<std::uint64_t> inode_table(std::uint32_t group);
    [[nodiscard]] Result<std::uint64_t> place_in_map(const ExtInode& inode, std::uint64_t index);
    [[nodiscard]] Result<std::uint64_t> place_in_extents(const ExtInode& inode, std::uint64_t index);

    int fd_;
    std::uint64_t offset_;
    std::uint64_t size_;
    std::uint64_t left_ = kMostBytes;
    ExtSuper super_;
    std::array<Slot, 32> slots_;
};

}  // namespace swrun
