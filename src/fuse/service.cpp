#include "fuse/service.h"

#include <sys/sysmacros.h>

namespace swrun {
namespace {

constexpr std::uint64_t kIdShift = 2;

mode_t type_bits(Ghost::Kind kind) {
    switch (kind) {
        case Ghost::Kind::directory: return S_IFDIR;
        case Ghost::Kind::file: return S_IFREG;
        case Ghost::Kind::symlink: return S_IFLNK;
    }
    return S_IFREG;
}

fuse_ino_t to_ino(const ImageService& service, std::uint64_t id) {
    if (id == service.root) return FUSE_ROOT_ID;
    return is_ghost(id) ? id : id + kIdShift;
}

}  // namespace

std::uint64_t to_id(const ImageService& service, fuse_ino_t ino) {
    if (ino == FUSE_ROOT_ID) return service.root;
    return is_ghost(ino) ? ino : ino - kIdShift;
}

mode_t type_bits(SquashNode::Kind kind) {
    switch (kind) {
        case SquashNode::Kind::directory: return S_IFDIR;
        case SquashNode::Kind::file: return S_IFREG;
        case SquashNode::Kind::symlink: return S_IFLNK;
        case SquashNode::Kind::block_device: return S_IFBLK;
        case SquashNode::Kind::char_device: return S_IFCHR;
        case SquashNode::Kind::fifo: return S_IFIFO;
        case SquashNode::Kind::socket: return S_IFSOCK;
    }
    return S_IFREG;
}

struct stat attributes(const ImageService& service, const SquashNode& node) {
    struct stat st {};
    st.st_ino = node.number;
    st.st_mode = type_bits(node.kind) | node.mode;
    st.st_nlink = node.nlink;
    // Who walks a tree takes a directory with two links for one without directories, and goes no further.  One link says
    // that nobody has counted.
    if (node.kind == SquashNode::Kind::directory && node.nlink > 1) {
        st.st_nlink += service.ghosts.subdirectories(node.id);
    }
    st.st_uid = service.owners.as_stored ? node.uid : service.owners.uid;
    st.st_gid = service.owners.as_stored ? node.gid : service.owners.gid;
    st.st_size = static_cast<off_t>(node.size);
    st.st_blocks = static_cast<blkcnt_t>((node.size + 511) / 512);
    st.st_blksize = 131072;
    st.st_rdev = makedev(node.major, node.minor);
    st.st_mtime = st.st_ctime = st.st_atime = node.mtime;
    return st;
}

struct stat attributes(const ImageService& service, const GhostNode& ghost) {
    struct stat st {};
    st.st_ino = ghost.id;
    st.st_mode = type_bits(ghost.kind) | ghost.mode;
    st.st_nlink = ghost.kind == Ghost::Kind::directory ? 2 + service.ghosts.subdirectories(ghost.id) : 1;
    st.st_uid = service.owners.uid;
    st.st_gid = service.owners.gid;
    st.st_size = static_cast<off_t>(ghost.size());
    st.st_blocks = static_cast<blkcnt_t>((ghost.size() + 511) / 512);
    st.st_mtime = st.st_ctime = st.st_atime = service.started;
    return st;
}

fuse_entry_param entry_of(const ImageService& service, std::uint64_t id, const struct stat& st) {
    fuse_entry_param entry{};
    entry.ino = to_ino(service, id);
    entry.attr = st;
    entry.attr_timeout = kForever;
    entry.entry_timeout = kForever;
    return entry;
}

}  // namespace swrun
