#include "image/squash_metadata.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <string>
#include <utility>

#include "image/byte_reader.h"

// Last: its config.h defines macros of its own (_POSIX_C_SOURCE, HAVE_...).
extern "C" {
#include <squashfuse/squashfuse.h>
}

namespace swrun {
namespace {

// 64 x 8 KiB: the paths of a program start and a large import fit; the library's 8 decode most twice.
constexpr std::size_t kCachedBlocks = 64;
constexpr std::size_t kFragmentSize = 16;

Error damaged(const char* what, std::uint64_t where) {
    return sys_error(Error::Kind::image, "read", std::string(what) + " " + std::to_string(where), EIO);
}

std::atomic<std::uint64_t>& decoded() {
    static std::atomic<std::uint64_t> count = 0;
    return count;
}

template <Decompressor inflate> sqfs_err glue(void* in, std::size_t in_size, void* out, std::size_t* out_size) {
    const auto produced = inflate({static_cast<const std::byte*>(in), in_size},
                                  {static_cast<std::byte*>(out), *out_size});
    if (!produced) return SQFS_ERR;
    *out_size = *produced;
    decoded().fetch_add(1, std::memory_order_relaxed);
    return SQFS_OK;
}

sqfs_decompressor library_decompressor(SquashCompression compression) {
    switch (compression) {
        case SquashCompression::zlib: return glue<inflate_zlib>;
        case SquashCompression::lzma: return glue<inflate_lzma>;
        case SquashCompression::lzo: return glue<inflate_lzo>;
        case SquashCompression::xz: return glue<inflate_xz>;
        case SquashCompression::lz4: return glue<inflate_lz4>;
        case SquashCompression::zstd: return glue<inflate_zstd>;
    }
    return glue<inflate_zlib>;
}

bool kind_of(int type, SquashNode::Kind& kind) {
    switch (type) {
        case SQUASHFS_DIR_TYPE:
        case SQUASHFS_LDIR_TYPE: kind = SquashNode::Kind::directory; return true;
        case SQUASHFS_REG_TYPE:
        case SQUASHFS_LREG_TYPE: kind = SquashNode::Kind::file; return true;
        case SQUASHFS_SYMLINK_TYPE:
        case SQUASHFS_LSYMLINK_TYPE: kind = SquashNode::Kind::symlink; return true;
        case SQUASHFS_BLKDEV_TYPE:
        case SQUASHFS_LBLKDEV_TYPE: kind = SquashNode::Kind::block_device; return true;
        case SQUASHFS_CHRDEV_TYPE:
        case SQUASHFS_LCHRDEV_TYPE: kind = SquashNode::Kind::char_device; return true;
        case SQUASHFS_FIFO_TYPE:
        case SQUASHFS_LFIFO_TYPE: kind = SquashNode::Kind::fifo; return true;
        case SQUASHFS_SOCKET_TYPE:
        case SQUASHFS_LSOCKET_TYPE: kind = SquashNode::Kind::socket; return true;
        default: return false;
    }
}

// The members of the library's union that belong to this kind.
void fill_place(SquashNode& node, const sqfs_inode& inode, std::uint64_t directory_table) {
    switch (node.kind) {
        case SquashNode::Kind::directory:
            node.size = inode.xtra.dir.dir_size;
            node.data = directory_table + inode.xtra.dir.start_block;
            node.offset = inode.xtra.dir.offset;
            node.index_count = inode.xtra.dir.idx_count;
            node.parent = inode.xtra.dir.parent_inode;
            return;
        case SquashNode::Kind::file:
            node.size = inode.xtra.reg.file_size;
            node.data = inode.xtra.reg.start_block;
            node.fragment = inode.xtra.reg.frag_idx;
            node.offset = inode.xtra.reg.frag_off;
            return;
        case SquashNode::Kind::symlink: node.size = inode.xtra.symlink_size; return;
        case SquashNode::Kind::block_device:
        case SquashNode::Kind::char_device:
            node.major = static_cast<std::uint32_t>(inode.xtra.dev.major);
            node.minor = static_cast<std::uint32_t>(inode.xtra.dev.minor);
            return;
        case SquashNode::Kind::fifo:
        case SquashNode::Kind::socket: return;
    }
}

}  // namespace

struct SquashMetadata::Handle {
    sqfs fs{};

    Handle() = default;
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    ~Handle() { sqfs_destroy(&fs); }

    // The library subtracts the cursor's offset from the block's size without looking, and takes block
    // position 0 for "not cached": both must be known to be good before it reads.
    [[nodiscard]] bool cursor_is_good(const MetaCursor& cursor, std::uint64_t limit) {
        if (cursor.block < kSquashSuperSize || cursor.block >= limit) return false;
        auto position = static_cast<sqfs_off_t>(cursor.block);
        sqfs_block* block = nullptr;
        return sqfs_md_cache(&fs, &position, &block) == SQFS_OK && cursor.offset <= block->size;
    }
};

SquashMetadata::SquashMetadata(std::shared_ptr<const SquashSource> source)
    : source_(std::move(source)), handle_(std::make_unique<Handle>()) {}
SquashMetadata::SquashMetadata(SquashMetadata&&) noexcept = default;
SquashMetadata& SquashMetadata::operator=(SquashMetadata&&) noexcept = default;
SquashMetadata::~SquashMetadata() = default;

Result<SquashMetadata> SquashMetadata::open(std::shared_ptr<const SquashSource> source) {
    SquashMetadata metadata(std::move(source));
    const SquashSuper& super = metadata.source_->super();
    // sqfs_init() is not used: it reads the superblock again, unchecked, and loads tables by its numbers.
    sqfs& fs = metadata.handle_->fs;
    fs.fd = metadata.source_->fd();
    fs.offset = metadata.source_->offset();
    fs.sb.s_magic = SQUASHFS_MAGIC;
    fs.sb.block_size = super.block_size;
    fs.sb.inode_table_start = super.inode_table;
    fs.sb.directory_table_start = super.directory_table;
    fs.sb.lookup_table_start = static_cast<std::uint64_t>(SQUASHFS_INVALID_BLK);
    fs.decompressor = library_decompressor(super.compression);
    if (sqfs_block_cache_init(&fs.md_cache, kCachedBlocks) != SQFS_OK) {
        return sys_error(Error::Kind::host, "malloc", "metadata cache", ENOMEM);
    }
    SWRUN_CHECK(metadata.load_tables());
    return metadata;
}

Result<std::vector<std::uint64_t>> SquashMetadata::load_index(std::uint64_t position, std::uint64_t bytes) {
    // check_squash_super() has compared the count with the size of the image.
    std::vector<std::byte> raw((bytes + kSquashMetaBlock - 1) / kSquashMetaBlock * sizeof(std::uint64_t));
    SWRUN_CHECK(source_->read(raw, position));
    std::vector<std::uint64_t> blocks;
    blocks.reserve(raw.size() / sizeof(std::uint64_t));
    ByteReader reader(raw);
    while (reader.left() > 0) blocks.push_back(reader.u64());
    return blocks;
}

Status SquashMetadata::load_tables() {
    const SquashSuper& super = source_->super();
    const std::size_t id_bytes = std::size_t{super.ids} * sizeof(std::uint32_t);
    SWRUN_TRY(const std::vector<std::uint64_t> id_blocks, load_index(super.id_table, id_bytes));
    std::vector<std::byte> raw(id_bytes);
    for (std::size_t i = 0; i < id_blocks.size(); ++i) {
        MetaCursor cursor{id_blocks[i], 0};
        const std::span<std::byte> rest = std::span(raw).subspan(i * kSquashMetaBlock);
        SWRUN_CHECK(read(cursor, rest.first(std::min(rest.size(), kSquashMetaBlock))));
    }
    ByteReader reader(raw);
    ids_.reserve(super.ids);
    while (reader.left() > 0) ids_.push_back(reader.u32());
    if (super.fragments == 0) return Unit{};
    const std::uint64_t fragment_bytes = std::uint64_t{super.fragments} * kFragmentSize;
    SWRUN_TRY(fragment_blocks_, load_index(super.fragment_table, fragment_bytes));
    return Unit{};
}

Status SquashMetadata::read(MetaCursor& cursor, std::span<std::byte> into) {
    if (into.empty()) return Unit{};
    if (!handle_->cursor_is_good(cursor, source_->size())) return damaged("metadata block at", cursor.block);
    sqfs_md_cursor at{static_cast<sqfs_off_t>(cursor.block), cursor.offset};
    if (sqfs_md_read(&handle_->fs, &at, into.data(), into.size()) != SQFS_OK) {
        return damaged("metadata block at", cursor.block);
    }
    cursor.block = static_cast<std::uint64_t>(at.block);
    cursor.offset = static_cast<std::uint32_t>(at.offset);
    return Unit{};
}

std::uint64_t SquashMetadata::decoded_blocks() { return decoded().load(std::memory_order_relaxed); }

Result<SquashNode> SquashMetadata::node(std::uint64_t id) {
    const SquashSuper& super = source_->super();
    const MetaCursor start{super.inode_table + (id >> 16), static_cast<std::uint32_t>(id & 0xffff)};
    if ((id >> 16) >= super.directory_table - super.inode_table ||
        !handle_->cursor_is_good(start, super.directory_table)) {
        return damaged("inode", id);
    }
    sqfs_inode inode{};
    if (sqfs_inode_get(&handle_->fs, &inode, id) != SQFS_OK) return damaged("inode", id);
    SquashNode node;
    if (!kind_of(inode.base.inode_type, node.kind)) {
        return sys_error(Error::Kind::image, "read", "inode " + std::to_string(id), ENOTSUP);
    }
    if (inode.base.uid >= ids_.size() || inode.base.guid >= ids_.size()) return damaged("owner of inode", id);
    node.mode = inode.base.mode & 07777U;
    node.uid = ids_[inode.base.uid];
    node.gid = ids_[inode.base.guid];
    node.mtime = inode.base.mtime;
    node.nlink = static_cast<std::uint32_t>(inode.nlink);
    node.id = id;
    node.number = inode.base.inode_number;
    node.content.block = static_cast<std::uint64_t>(inode.next.block);
    node.content.offset = static_cast<std::uint32_t>(inode.next.offset);
    fill_place(node, inode, super.directory_table);
    return node;
}

Result<BlockKey> SquashMetadata::fragment(std::uint32_t index) {
    if (index >= source_->super().fragments) return damaged("fragment", index);
    constexpr std::size_t kPerBlock = kSquashMetaBlock / kFragmentSize;
    MetaCursor cursor{fragment_blocks_[index / kPerBlock],
                      static_cast<std::uint32_t>(index % kPerBlock * kFragmentSize)};
    std::array<std::byte, kFragmentSize> raw{};
    SWRUN_CHECK(read(cursor, raw));
    ByteReader reader(raw);
    BlockKey key;
    key.position = reader.u64();
    key.header = reader.u32();
    return key;
}

}  // namespace swrun
