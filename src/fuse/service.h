// What the FUSE operations over one image share: ids, attributes, and how a node is found.
#pragma once

#define FUSE_USE_VERSION 314
#include <fuse3/fuse_lowlevel.h>

#include <sys/stat.h>
#include <sys/types.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

#include "fuse/listing_style.h"
#include "fuse/prefetch.h"
#include "image/ghost_tree.h"
#include "squashfs/reader_pool.h"

namespace swrun {

// Whether anything in the image has extended attributes; found out when somebody asks.
enum class Xattrs { unknown, none, some };
using XattrUse = std::atomic<Xattrs>;

// What the operations work on; libfuse hands it back as user data.  Threads share it; what can change is thread-safe.
struct ImageService {
    ReaderPool& readers;
    const GhostTree& ghosts;
    std::uint64_t root = 0;   // the image's root inode
    OwnerView owners;         // ids as the mount's user namespace sees them
    std::time_t started = 0;  // mtime of ghosts
    ListingStyle& listings;
    Prefetch* ahead = nullptr;  // null: nobody works ahead
    XattrUse xattrs{};
};

inline constexpr double kForever = 1e9;  // seconds; the image never changes

inline ImageService& service_of(fuse_req_t request) { return *static_cast<ImageService*>(fuse_req_userdata(request)); }

// The kernel's number of an image's inode is its id moved up, because 1 is the root; a ghost's is its id.
[[nodiscard]] std::uint64_t to_id(const ImageService& service, fuse_ino_t ino);

[[nodiscard]] mode_t type_bits(SquashNode::Kind kind);
[[nodiscard]] struct stat attributes(const ImageService& service, const SquashNode& node);
[[nodiscard]] struct stat attributes(const ImageService& service, const GhostNode& ghost);
[[nodiscard]] fuse_entry_param entry_of(const ImageService& service, std::uint64_t id, const struct stat& st);

inline int errno_of(const Error& error) { return error.sys_errno != 0 ? error.sys_errno : EIO; }

// Gives the node of an image inode to `use`, or answers the request with the error.
template <class Use> void with_node(fuse_req_t request, fuse_ino_t ino, Use use) {
    ImageService& service = service_of(request);
    const ReaderPool::Lease reader = service.readers.borrow();
    const Result<SquashNode> node = reader->node(to_id(service, ino));
    if (!node) {
        fuse_reply_err(request, errno_of(node.error()));
        return;
    }
    use(service, *reader, *node);
}

}  // namespace swrun
