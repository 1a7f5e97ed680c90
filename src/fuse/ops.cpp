#include "fuse/ops.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <vector>

#include "fuse/listing.h"
#include "fuse/xattrs.h"

namespace swrun {
namespace {

void op_init(void*, fuse_conn_info* connection) {
    // No request for open and opendir, all attributes with a directory's names, links kept by the
    // kernel, several look-ups of one directory at a time.
    connection->want |= connection->capable &
                        (FUSE_CAP_NO_OPEN_SUPPORT | FUSE_CAP_NO_OPENDIR_SUPPORT | FUSE_CAP_READDIRPLUS |
                         FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_ASYNC_READ);
    connection->want &= ~(FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE |
                          FUSE_CAP_SPLICE_MOVE);
}

void op_lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
    ImageService& service = service_of(request);
    const GhostNode* ghost = service.ghosts.child(to_id(service, parent), name);
    if (ghost != nullptr) {
        const fuse_entry_param entry = entry_of(service, ghost->id, attributes(service, *ghost));
        fuse_reply_entry(request, &entry);
        return;
    }
    fuse_entry_param nothing{};
    nothing.entry_timeout = kForever;
    if (is_ghost(parent)) {
        fuse_reply_entry(request, &nothing);
        return;
    }
    with_node(request, parent, [&](ImageService&, SquashReader& reader, const SquashNode& directory) {
        const Result<std::optional<SquashEntry>> found = reader.lookup(directory, name);
        if (!found) {
            fuse_reply_err(request, errno_of(found.error()));
        } else if (!*found) {
            fuse_reply_entry(request, &nothing);
        } else {
            const Result<SquashNode> node = reader.node((*found)->id);
            if (!node) {
                fuse_reply_err(request, errno_of(node.error()));
                return;
            }
            if (node->kind == SquashNode::Kind::file) service.listings.note_lookup(directory.id);
            const fuse_entry_param entry = entry_of(service, node->id, attributes(service, *node));
            fuse_reply_entry(request, &entry);
        }
    });
}

void op_getattr(fuse_req_t request, fuse_ino_t ino, fuse_file_info*) {
    const ImageService& service = service_of(request);
    if (is_ghost(ino)) {
        const GhostNode* ghost = service.ghosts.find(ino);
        if (ghost == nullptr) {
            fuse_reply_err(request, ESTALE);
            return;
        }
        const struct stat st = attributes(service, *ghost);
        fuse_reply_attr(request, &st, kForever);
        return;
    }
    with_node(request, ino, [&](ImageService& s, SquashReader&, const SquashNode& node) {
        const struct stat st = attributes(s, node);
        fuse_reply_attr(request, &st, kForever);
    });
}

void op_readlink(fuse_req_t request, fuse_ino_t ino) {
    if (is_ghost(ino)) {
        const GhostNode* ghost = service_of(request).ghosts.find(ino);
        if (ghost == nullptr) {
            fuse_reply_err(request, ESTALE);
        } else {
            fuse_reply_readlink(request, ghost->content.c_str());
        }
        return;
    }
    with_node(request, ino, [&](ImageService&, SquashReader& reader, const SquashNode& node) {
        const Result<std::string> target = reader.read_link(node);
        if (!target) {
            fuse_reply_err(request, errno_of(target.error()));
        } else {
            fuse_reply_readlink(request, target->c_str());
        }
    });
}

void read_ghost(fuse_req_t request, const GhostNode* ghost, std::size_t size, off_t offset) {
    if (ghost == nullptr) {
        fuse_reply_err(request, ESTALE);
        return;
    }
    const std::size_t start = std::min(static_cast<std::size_t>(offset), ghost->content.size());
    fuse_reply_buf(request, ghost->content.data() + start, std::min(size, ghost->content.size() - start));
}

// The blocks behind what has been read: faults in a library bring in most of it sooner or later, as does who reads on, and
// who has read a small file will want others of that directory.
void look_beyond(SquashReader& reader, const SquashNode& node, std::uint64_t from, Prefetch& ahead) {
    constexpr std::size_t kBlocks = 4;
    if (from >= node.size && !ahead.can_guess()) return;
    const Result<std::vector<BlockKey>> blocks = reader.keys_beyond(node, from, kBlocks);
    if (blocks) ahead.follow(*blocks);
}

// A fault may lie in two blocks: while this thread decodes the first, somebody else does the other.  And who loads a library
// asks for its beginning, then for the data at its end.  Not for a small program: on a busy host the other may be kept from
// its processor in the middle, and this thread then waits for longer than it would have decoded.
void share_out(SquashReader& reader, const SquashNode& node, std::uint64_t from, std::size_t size, Prefetch& ahead) {
    Result<std::vector<BlockKey>> blocks = reader.keys_of(node, from, size);
    if (!blocks) return;
    std::erase_if(*blocks, [&](BlockKey key) { return reader.cache().peek(key) != nullptr; });
    if (!blocks->empty()) blocks->erase(blocks->begin());
    if (from == 0 && size < node.size) {
        const Result<std::vector<BlockKey>> last = reader.keys_of(node, node.size - 1, 1);
        if (last) blocks->insert(blocks->end(), last->begin(), last->end());
    }
    if (!blocks->empty()) ahead.begin(*blocks);
}

// The kernel takes a short answer for the end of the file, so all pieces are collected first.  They are
// sent from where they are cached: no copy.
void read_image(fuse_req_t request, SquashReader& reader, const SquashNode& node, std::size_t size,
                std::uint64_t offset) {
    static const std::byte kZeros[65536]{};
    Prefetch* const ahead = service_of(request).ahead;
    if (ahead != nullptr && ahead->can_guess()) share_out(reader, node, offset, size, *ahead);
    std::vector<FileSlice> held;
    std::vector<iovec> pieces;
    while (size > 0) {
        Result<FileSlice> slice = reader.slice(node, offset, size);
        if (!slice) {
            fuse_reply_err(request, errno_of(slice.error()));
            return;
        }
        if (slice->size == 0) break;
        const void* bytes = slice->block ? static_cast<const void*>(slice->view().data()) : kZeros;
        const std::size_t length = slice->block ? slice->size : std::min(slice->size, sizeof kZeros);
        pieces.push_back({const_cast<void*>(bytes), length});
        if (slice->block) held.push_back(*std::move(slice));
        offset += length;
        size -= length;
    }
    fuse_reply_iov(request, pieces.data(), static_cast<int>(pieces.size()));
    if (ahead != nullptr && ahead->guesses()) look_beyond(reader, node, offset, *ahead);
    for (const FileSlice& slice : held) {
        if (slice.is_whole()) reader.drop(slice);
    }
}

// No fault asks for more than the kernel's read-ahead window of 128 KiB (VM_READAHEAD_PAGES), but runtime/read_ahead does,
// and for that nobody waits yet: while the blocks are decoded somewhere else, look-ups and faults are answered here.
constexpr std::size_t kLargestFault = 128U << 10U;

void op_read(fuse_req_t request, fuse_ino_t ino, std::size_t size, off_t offset, fuse_file_info*) {
    if (is_ghost(ino)) {
        read_ghost(request, service_of(request).ghosts.find(ino), size, offset);
        return;
    }
    const auto from = static_cast<std::uint64_t>(offset);
    with_node(request, ino, [&](ImageService& service, SquashReader& reader, const SquashNode& node) {
        if (size > kLargestFault && service.ahead != nullptr && service.ahead->is_starting() &&
            !reader.has_cached(node, from, size)) {
            const auto later = [request, ino, size, from] {
                with_node(request, ino, [&](ImageService&, SquashReader& other, const SquashNode& same) {
                    read_image(request, other, same, size, from);
                });
            };
            if (service.ahead->defer(later)) return;
        }
        read_image(request, reader, node, size, from);
    });
}

void op_readdir(fuse_req_t request, fuse_ino_t ino, std::size_t size, off_t offset, fuse_file_info*) {
    list_directory(request, ino, size, offset, false);
}

void op_readdirplus(fuse_req_t request, fuse_ino_t ino, std::size_t size, off_t offset, fuse_file_info*) {
    list_directory(request, ino, size, offset, true);
}

// ENOSYS tells the kernel, once and for all, to do without (FUSE_NO_OPEN_SUPPORT, FUSE_NO_OPENDIR_SUPPORT).
void op_open(fuse_req_t request, fuse_ino_t, fuse_file_info*) { fuse_reply_err(request, ENOSYS); }

void op_statfs(fuse_req_t request, fuse_ino_t) {
    ImageService& service = service_of(request);
    struct statvfs fs {};
    fs.f_bsize = fs.f_frsize = 4096;
    fs.f_namemax = 256;
    const SquashSuper& super = service.readers.borrow()->source().super();
    fs.f_blocks = (super.bytes_used + 4095) / 4096;
    fs.f_files = super.inodes;
    fuse_reply_statfs(request, &fs);
}

}  // namespace

const fuse_lowlevel_ops& image_operations() {
    static const fuse_lowlevel_ops kOps = [] {
        fuse_lowlevel_ops ops{};
        ops.init = op_init;
        ops.lookup = op_lookup;
        ops.getattr = op_getattr;
        ops.readlink = op_readlink;
        ops.open = op_open;
        ops.read = op_read;
        ops.opendir = op_open;
        ops.readdir = op_readdir;
        ops.readdirplus = op_readdirplus;
        ops.statfs = op_statfs;
        ops.getxattr = get_xattr;
        ops.listxattr = list_xattrs;
        return ops;
    }();
    return kOps;
}

}  // namespace swrun
