#include "fuse/listing.h"

#include <sys/stat.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <vector>

namespace swrun {
namespace {

// Offsets of entries: "." and ".." are the first, ghosts follow, and those of the image are moved up by so much.
constexpr std::uint64_t kDots = 2;
constexpr std::uint64_t kImageOffset = 1U << 20U;

// One answer to readdir or readdirplus as it fills.
class Listing {
public:
    Listing(fuse_req_t request, std::size_t size, bool plus)
        : request_(request), size_(size), bytes_(std::make_unique_for_overwrite<char[]>(size)), plus_(plus) {}

    // False when the entry does not fit any more.
    bool add(const char* name, const fuse_entry_param& entry, std::uint64_t next) {
        const std::size_t room = size_ - used_;
        const auto offset = static_cast<off_t>(next);
        char* const at = bytes_.get() + used_;
        const std::size_t need = plus_ ? fuse_add_direntry_plus(request_, at, room, name, &entry, offset)
                                       : fuse_add_direntry(request_, at, room, name, &entry.attr, offset);
        if (need > room) return false;
        used_ += need;
        return true;
    }
    void reply() { fuse_reply_buf(request_, bytes_.get(), used_); }

private:
    fuse_req_t request_;
    std::size_t size_;
    std::unique_ptr<char[]> bytes_;
    std::size_t used_ = 0;
    bool plus_;
};

// The inode numbers of a directory and of the one it is in.
struct Dots {
    std::uint64_t own = 0;
    std::uint64_t parent = 0;
};

Result<std::uint64_t> number_of(SquashReader& reader, std::uint64_t id) {
    if (is_ghost(id)) return id;
    SWRUN_TRY(const SquashNode node, reader.node(id));
    return std::uint64_t{node.number};
}

// `node`: of an image's directory.  What is above the root of a mount no file system knows: it names itself.
Result<Dots> find_dots(const ImageService& service, SquashReader& reader, std::uint64_t id,
                       const std::optional<SquashNode>& node) {
    if (node) return Dots{node->number, id == service.root ? node->number : node->parent};
    const GhostNode* const ghost = service.ghosts.find(id);
    if (ghost == nullptr) return sys_error(Error::Kind::internal, "list", "directory", ESTALE);
    SWRUN_TRY(const std::uint64_t parent, number_of(reader, ghost->parent));
    return Dots{id, parent};
}

// The kernel makes no inode of these two (fs/fuse/readdir.c, fuse_direntplus_link): a number and a type is all they need.
bool list_dots(const Dots& dots, Listing& listing, std::uint64_t from) {
    fuse_entry_param entry{};
    entry.attr.st_mode = S_IFDIR;
    entry.attr.st_ino = dots.own;
    if (from < 1 && !listing.add(".", entry, 1)) return false;
    entry.attr.st_ino = dots.parent;
    return from >= kDots || listing.add("..", entry, kDots);
}

bool list_ghosts(const ImageService& service, Listing& listing, std::uint64_t directory, std::uint64_t from) {
    const std::vector<const GhostNode*> ghosts = service.ghosts.children(directory);
    for (std::uint64_t i = from < kDots ? 0 : from - kDots; i < ghosts.size(); ++i) {
        const GhostNode& ghost = *ghosts[i];
        if (!listing.add(ghost.name.c_str(), entry_of(service, ghost.id, attributes(service, ghost)), kDots + i + 1))
            return false;
    }
    return true;
}

Status list_image(ImageService& service, SquashReader& reader, const SquashNode& directory, Listing& listing,
                  std::uint64_t from, bool plus) {
    constexpr std::size_t kBatch = 64;
    const bool with_files = plus && service.listings.brings_files(directory.id);
    for (;;) {
        SWRUN_TRY(const std::vector<SquashEntry> entries, reader.list(directory, from, kBatch));
        for (const SquashEntry& one : entries) {
            from = one.next;
            if (service.ghosts.child(directory.id, one.name) != nullptr) continue;
            struct stat st {};
            st.st_ino = one.number;
            st.st_mode = type_bits(one.kind);
            // An entry without a node id has a name, number and type only (fs/fuse/readdir.c, fuse_direntplus_link).
            const bool whole = plus && (one.kind != SquashNode::Kind::file || with_files);
            if (whole) {
                const Result<SquashNode> node = reader.node(one.id);
                if (!node) return node.error();
                st = attributes(service, *node);
            }
            fuse_entry_param entry = entry_of(service, one.id, st);
            if (!whole) entry.ino = 0;
            if (!listing.add(one.name.c_str(), entry, kImageOffset + one.next)) return {};
        }
        if (entries.size() < kBatch) return {};
    }
}

// From one offset on, until the answer is full.
Status list_from(ImageService& service, SquashReader& reader, std::uint64_t id, std::uint64_t from, Listing& listing,
                 bool plus) {
    std::optional<SquashNode> node;
    if (!is_ghost(id)) {
        SWRUN_TRY(node, reader.node(id));
    }
    if (from < kDots) {
        SWRUN_TRY(const Dots dots, find_dots(service, reader, id, node));
        if (!list_dots(dots, listing, from)) return {};
    }
    if (from < kImageOffset && !list_ghosts(service, listing, id, from)) return {};
    if (!node) return {};
    return list_image(service, reader, *node, listing, from < kImageOffset ? 0 : from - kImageOffset, plus);
}

}  // namespace

void list_directory(fuse_req_t request, fuse_ino_t ino, std::size_t size, off_t offset, bool plus) {
    ImageService& service = service_of(request);
    Listing listing(request, size, plus);
    const ReaderPool::Lease reader = service.readers.borrow();
    const Status done = list_from(service, *reader, to_id(service, ino), static_cast<std::uint64_t>(offset), listing,
                                  plus);
    if (!done) {
        fuse_reply_err(request, errno_of(done.error()));
    } else {
        listing.reply();
    }
}

}  // namespace swrun
