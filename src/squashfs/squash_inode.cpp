#include "squashfs/squash_inode.h"

#include <array>

#include "support/byte_reader.h"

namespace swrun {
namespace {

using Kind = SquashNode::Kind;

// Types 1 to 7 in short, 8 to 14 the same in long.
constexpr std::size_t kKinds = 7;
constexpr std::array<Kind, kKinds> kKindOf = {Kind::directory,   Kind::file, Kind::symlink, Kind::block_device,
                                              Kind::char_device, Kind::fifo, Kind::socket};
constexpr std::array<std::size_t, 2 * kKinds> kSizeOf = {32, 32, 24, 24, 24, 20, 20, 40, 56, 24, 28, 28, 24, 24};

void read_directory(SquashNode& node, ByteReader& reader, bool is_long, std::uint64_t directory_table) {
    if (is_long) {
        node.nlink = reader.u32();
        node.size = reader.u32();
        node.data = directory_table + reader.u32();
        node.parent = reader.u32();
        node.index_count = reader.u16();
        node.offset = reader.u16();
        node.xattrs = reader.u32();
        return;
    }
    node.data = directory_table + reader.u32();
    node.nlink = reader.u32();
    node.size = reader.u16();
    node.offset = reader.u16();
    node.parent = reader.u32();
}

void read_file(SquashNode& node, ByteReader& reader, bool is_long) {
    if (is_long) {
        node.data = reader.u64();
        node.size = reader.u64();
        reader.skip(8);  // bytes in holes
        node.nlink = reader.u32();
        node.fragment = reader.u32();
        node.offset = reader.u32();
        node.xattrs = reader.u32();
        return;
    }
    node.data = reader.u32();
    node.fragment = reader.u32();
    node.offset = reader.u32();
    node.size = reader.u32();
}

void read_device(SquashNode& node, ByteReader& reader) {
    node.nlink = reader.u32();
    const std::uint32_t number = reader.u32();  // as in linux/kdev_t.h, new_encode_dev()
    node.major = (number >> 8U) & 0xfffU;
    node.minor = (number & 0xffU) | ((number >> 12U) & 0xfff00U);
}

}  // namespace

std::optional<std::size_t> squash_inode_size(std::span<const std::byte> base) {
    const std::size_t type = ByteReader(base).u16();
    if (type < 1 || type > kSizeOf.size()) return std::nullopt;
    return kSizeOf[type - 1];
}

std::optional<SquashNode> parse_squash_inode(std::span<const std::byte> bytes, std::uint64_t directory_table) {
    ByteReader reader(bytes);
    const std::size_t type = reader.u16();
    if (type < 1 || type > kSizeOf.size()) return std::nullopt;
    const bool is_long = type > kKinds;
    SquashNode node;
    node.kind = kKindOf[(type - 1) % kKinds];
    node.mode = reader.u16() & 07777U;
    node.uid = reader.u16();
    node.gid = reader.u16();
    node.mtime = reader.u32();
    node.number = reader.u32();
    switch (node.kind) {
        case Kind::directory: read_directory(node, reader, is_long, directory_table); break;
        case Kind::file: read_file(node, reader, is_long); break;
        case Kind::symlink:
            node.nlink = reader.u32();
            node.size = reader.u32();
            break;
        case Kind::block_device:
        case Kind::char_device: read_device(node, reader); break;
        case Kind::fifo:
        case Kind::socket: node.nlink = reader.u32(); break;
    }
    if (!reader.ok()) return std::nullopt;
    return node;
}

}  // namespace swrun
