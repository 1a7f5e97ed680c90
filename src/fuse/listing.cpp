#include "fuse/listing.h"

#include <memory>
#include <vector>

namespace swrun {
namespace {

// Offsets of entries: those of the image follow the ghosts', moved up by this much.
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

bool list_ghosts(const ImageService& service, Listing& listing, std::uint64_t directory, std::uint64_t from) {
    const std::vector<const GhostNode*> ghosts = service.ghosts.children(directory);
    for (std::uint64_t i = from; i < ghosts.size(); ++i) {
        const GhostNode& ghost = *ghosts[i];
        if (!listing.add(ghost.name.c_str(), entry_of(service, ghost.id, attributes(service, ghost)), i + 1))
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

}  // namespace

void list_directory(fuse_req_t request, fuse_ino_t ino, std::size_t size, off_t offset, bool plus) {
    ImageService& service = service_of(request);
    Listing listing(request, size, plus);
    const auto from = static_cast<std::uint64_t>(offset);
    const std::uint64_t id = to_id(service, ino);
    if (from < kImageOffset && !list_ghosts(service, listing, id, from)) {
        listing.reply();
        return;
    }
    if (is_ghost(id)) {
        listing.reply();
        return;
    }
    with_node(request, ino, [&](ImageService&, SquashReader& reader, const SquashNode& node) {
        const Status done = list_image(service, reader, node, listing, from < kImageOffset ? 0 : from - kImageOffset,
                                       plus);
        if (!done) {
            fuse_reply_err(request, errno_of(done.error()));
        } else {
            listing.reply();
        }
    });
}

}  // namespace swrun
