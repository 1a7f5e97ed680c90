#include "squashfs/squash_reader.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "squashfs/damage.h"
#include "support/byte_reader.h"

namespace swrun {
namespace {

constexpr std::size_t kStep = 512;        // blocks between two checkpoints of a file
constexpr std::size_t kIndexedFiles = 8;  // large files that are being read at once
constexpr std::uint64_t kMaxLink = 65536;
constexpr std::uint32_t kMaxName = 256;

Error failed(const char* call, const SquashNode& node, int err) {
    return sys_error(Error::Kind::image, call, "inode " + std::to_string(node.number), err);
}

Error damaged_inode(const char* what, const SquashNode& node) {
    return image_damaged("inode " + std::to_string(node.number) + " " + what);
}

}  // namespace

Result<SquashReader> SquashReader::open(std::shared_ptr<const SquashSource> source, std::shared_ptr<BlockCache> cache,
                                        const std::shared_ptr<const HotCache>& hot) {
    SWRUN_TRY(SquashMetadata metadata, SquashMetadata::open(std::move(source), hot));
    // Known here, where it can still be said, and not only when the launch has begun.
    SWRUN_TRY(const SquashNode root, metadata.node(metadata.source().super().root_inode));
    if (root.kind != SquashNode::Kind::directory) {
        return image_damaged("its root is not a directory");
    }
    return SquashReader(std::move(metadata), std::move(cache));
}

// --- files ---

// Reads `count` entries of a block list and moves behind them; `last` gets the final one, whose size is
// then not added.
Status SquashReader::add_sizes(Checkpoint& at, std::size_t count, std::uint32_t* last) {
    std::array<std::byte, kStep * sizeof(std::uint32_t)> raw;
    const std::span<std::byte> part = std::span(raw).first(count * sizeof(std::uint32_t));
    SWRUN_CHECK(metadata_.read(at.sizes, part));
    ByteReader reader(part);
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t header = reader.u32();
        if (last != nullptr && i + 1 == count) {
            *last = header;
        } else {
            at.position += SquashSource::stored_size(header);
        }
    }
    return Unit{};
}

// The checkpoint at or before block `number`.
Result<SquashReader::Checkpoint> SquashReader::checkpoint(const SquashNode& file, std::uint64_t number) {
    const Checkpoint first{file.content, file.data};
    const std::uint64_t wanted = number / kStep;
    if (wanted == 0) return first;
    auto found = std::ranges::find(indexes_, file.id, &FileIndex::id);
    if (found == indexes_.end()) {
        if (indexes_.size() == kIndexedFiles) indexes_.erase(indexes_.begin());
        indexes_.push_back({file.id, {first}});
    } else {
        std::rotate(found, found + 1, indexes_.end());
    }
    std::vector<Checkpoint>& points = indexes_.back().points;
    while (points.size() <= wanted) {
        Checkpoint next = points.back();
        SWRUN_CHECK(add_sizes(next, kStep, nullptr));
        points.push_back(next);
    }
    return points[static_cast<std::size_t>(wanted)];
}

Result<BlockKey> SquashReader::locate(const SquashNode& file, std::uint64_t number) {
    SWRUN_TRY(Checkpoint at, checkpoint(file, number));
    BlockKey key;
    SWRUN_CHECK(add_sizes(at, static_cast<std::size_t>(number % kStep) + 1, &key.header));
    key.position = at.position;
    return key;
}

Result<SquashReader::BlockPlace> SquashReader::place_of(const SquashNode& file, std::uint64_t number) {
    BlockPlace place;
    if (file.fragment == kSquashNoFragment || number != file.size / source().super().block_size) {
        SWRUN_TRY(place.key, locate(file, number));
        return place;
    }
    SWRUN_TRY(place.key, metadata_.fragment(file.fragment));
    if (SquashSource::stored_size(place.key.header) == 0) return damaged_inode("has no fragment", file);
    place.offset = file.offset;
    place.fragment = true;
    return place;
}

Result<std::optional<BlockKey>> SquashReader::key_of(const SquashNode& file, std::uint64_t number) {
    const std::uint64_t block_size = source().super().block_size;
    if (file.kind != SquashNode::Kind::file) return failed("read", file, EINVAL);
    std::optional<BlockKey> key;
    if (number >= file.size / block_size + (file.size % block_size != 0 ? 1 : 0)) return key;
    SWRUN_TRY(const BlockPlace place, place_of(file, number));
    if (SquashSource::stored_size(place.key.header) != 0) key = place.key;
    return key;
}

Result<std::vector<BlockKey>> SquashReader::keys_of(const SquashNode& file, std::uint64_t offset, std::uint64_t size) {
    const std::uint64_t block_size = source().super().block_size;
    if (file.kind != SquashNode::Kind::file) return failed("read", file, EINVAL);
    std::vector<BlockKey> keys;
    if (offset >= file.size) return keys;
    const std::uint64_t end = offset + std::min(size, file.size - offset);
    for (std::uint64_t number = offset / block_size; number * block_size < end; ++number) {
        SWRUN_TRY(const std::optional<BlockKey> key, key_of(file, number));
        if (key) keys.push_back(*key);
    }
    return keys;
}

Result<std::vector<BlockKey>> SquashReader::keys_beyond(const SquashNode& file, std::uint64_t offset,
                                                        std::size_t limit) {
    const std::uint64_t block_size = source().super().block_size;
    if (offset < file.size) return keys_of(file, offset, limit * block_size - offset % block_size);
    std::vector<BlockKey> keys;
    if (file.fragment == kSquashNoFragment) return keys;
    for (std::uint64_t next = file.fragment + 1ULL; keys.size() < limit && next < source().super().fragments; ++next) {
        SWRUN_TRY(const BlockKey key, metadata_.fragment(static_cast<std::uint32_t>(next)));
        keys.push_back(key);
    }
    return keys;
}

bool SquashReader::has_cached(const SquashNode& file, std::uint64_t offset, std::uint64_t size) {
    const Result<std::vector<BlockKey>> keys = keys_of(file, offset, size);
    return !keys || std::ranges::all_of(*keys, [this](BlockKey key) { return cache_->peek(key) != nullptr; });
}

Result<FileBlock> SquashReader::block(const SquashNode& file, std::uint64_t number, std::span<std::byte> scratch) {
    if (file.kind != SquashNode::Kind::file) return failed("read", file, EINVAL);
    FileBlock block;
    const std::uint64_t block_size = source().super().block_size;
    if (number >= file.size / block_size + (file.size % block_size != 0 ? 1 : 0)) return block;
    block.size = std::min(block_size, file.size - number * block_size);
    SWRUN_TRY(const BlockPlace place, place_of(file, number));
    if (SquashSource::stored_size(place.key.header) == 0) return block;
    std::span<const std::byte> whole;
    if (place.fragment) {
        SWRUN_TRY(block.held, source().block(place.key, *cache_));
        whole = block.held->view();
    } else {
        SWRUN_TRY(const std::size_t size, source().decode(place.key, scratch));
        whole = scratch.first(size);
    }
    if (place.offset > whole.size() || block.size > whole.size() - place.offset)
        return damaged_inode("is longer than its data", file);
    block.bytes = whole.subspan(place.offset, static_cast<std::size_t>(block.size));
    return block;
}

Result<std::uint64_t> SquashReader::filled_size(const SquashNode& file) {
    const std::uint64_t block_size = source().super().block_size;
    const bool fragment = file.fragment != kSquashNoFragment;
    const std::uint64_t rest = file.size % block_size;
    std::uint64_t left = file.size / block_size + (rest != 0 && !fragment ? 1 : 0);
    std::uint64_t filled = fragment ? rest : 0;
    MetaCursor sizes = file.content;
    std::array<std::byte, kStep * sizeof(std::uint32_t)> raw;
    while (left > 0) {
        const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(left, kStep));
        SWRUN_CHECK(metadata_.read(sizes, std::span(raw).first(count * sizeof(std::uint32_t))));
        ByteReader reader(raw);
        for (std::size_t i = 0; i < count; ++i, --left) {
            const bool last = left == 1 && rest != 0 && !fragment;
            if (SquashSource::stored_size(reader.u32()) != 0) filled += last ? rest : block_size;
        }
    }
    return filled;
}

Result<FileSlice> SquashReader::slice(const SquashNode& file, std::uint64_t offset, std::uint64_t size) {
    if (file.kind != SquashNode::Kind::file) return failed("read", file, EINVAL);
    FileSlice slice;
    if (offset >= file.size || size == 0) return slice;
    const std::uint64_t block_size = source().super().block_size;
    const std::uint64_t number = offset / block_size;
    const std::uint64_t inside = offset % block_size;
    slice.size = static_cast<std::size_t>(std::min({size, file.size - offset, block_size - inside}));
    slice.offset = static_cast<std::size_t>(inside);
    SWRUN_TRY(const BlockPlace place, place_of(file, number));
    if (SquashSource::stored_size(place.key.header) == 0) return slice;
    slice.offset += place.offset;
    slice.key = place.key;
    SWRUN_TRY(slice.block, source().block(place.key, *cache_));
    if (slice.offset > slice.block->size || slice.size > slice.block->size - slice.offset) {
        return damaged_inode("is longer than its data", file);
    }
    return slice;
}

Result<std::size_t> SquashReader::read(const SquashNode& file, std::uint64_t offset, std::span<std::byte> into) {
    std::size_t done = 0;
    while (done < into.size()) {
        SWRUN_TRY(const FileSlice part, slice(file, offset + done, into.size() - done));
        if (part.size == 0) break;
        if (part.block) {
            std::memcpy(into.data() + done, part.view().data(), part.size);
        } else {
            std::memset(into.data() + done, 0, part.size);
        }
        done += part.size;
    }
    return done;
}

Result<std::string> SquashReader::read_link(const SquashNode& link) {
    if (link.kind != SquashNode::Kind::symlink) return failed("readlink", link, EINVAL);
    if (link.size > kMaxLink) return damaged_inode("has a target that is too long", link);
    std::string target(static_cast<std::size_t>(link.size), '\0');
    MetaCursor cursor = link.content;
    SWRUN_CHECK(metadata_.read(cursor, std::as_writable_bytes(std::span(target))));
    return target;
}

// --- directories ---

// A directory is a list of groups: a header (count - 1, inode block, base inode number), then entries.
struct SquashReader::Walk {
    MetaCursor cursor;
    std::uint64_t position = 0;  // in the list
    std::uint64_t total = 0;
    std::uint32_t left = 0;  // entries of this group
    std::uint64_t block = 0;
    std::uint32_t base = 0;
};

Result<SquashReader::Walk> SquashReader::start_walk(const SquashNode& directory) {
    if (directory.kind != SquashNode::Kind::directory) return failed("lookup", directory, ENOTDIR);
    Walk walk;
    walk.cursor = {directory.data, directory.offset};
    walk.total = directory.size <= 3 ? 0 : directory.size - 3;  // the size counts "." and ".." as 3 bytes
    return walk;
}

// Uses the index of a large directory: moves to the last group that begins before `from`, or, with a name, whose first
// name comes before it: the first of two entries of one name may be the last of the group before.
Status SquashReader::skip_ahead(Walk& walk, const SquashNode& directory, std::uint64_t from, std::string_view name) {
    MetaCursor index = directory.content;
    std::array<std::byte, kMaxName> buffer;
    for (std::uint32_t i = 0; i < directory.index_count; ++i) {
        std::array<std::byte, 12> raw;
        SWRUN_CHECK(metadata_.read(index, raw));
        ByteReader reader(raw);
        const std::uint32_t position = reader.u32();
        const std::uint32_t block = reader.u32();
        const std::uint32_t length = reader.u32();
        if (length >= kMaxName) return damaged_inode("has an index that is none", directory);
        const std::span<std::byte> first = std::span(buffer).first(length + 1);
        SWRUN_CHECK(metadata_.read(index, first));
        const std::string_view first_name(reinterpret_cast<const char*>(first.data()), first.size());
        if (name.empty() ? position >= from : first_name >= name) break;
        walk.cursor.block = source().super().directory_table + block;
        walk.cursor.offset = static_cast<std::uint32_t>((directory.offset + position) % kSquashMetaBlock);
        walk.position = position;
    }
    return Unit{};
}

// The next entry; false at the end.
Result<bool> SquashReader::step(Walk& walk, SquashEntry& entry) {
    constexpr std::array kKinds = {SquashNode::Kind::directory,   SquashNode::Kind::file,
                                   SquashNode::Kind::symlink,     SquashNode::Kind::block_device,
                                   SquashNode::Kind::char_device, SquashNode::Kind::fifo,
                                   SquashNode::Kind::socket};
    const auto damaged = [&] {
        return image_damaged("the directory at " + std::to_string(walk.cursor.block) + " has an entry that is none");
    };
    if (walk.position >= walk.total) return false;
    if (walk.left == 0) {
        std::array<std::byte, 12> raw;
        SWRUN_CHECK(metadata_.read(walk.cursor, raw));
        ByteReader reader(raw);
        const std::uint32_t count = reader.u32();
        walk.block = reader.u32();
        walk.base = reader.u32();
        if (count >= 256) return damaged();
        walk.left = count + 1;
        walk.position += raw.size();
    }
    std::array<std::byte, 8> raw;
    SWRUN_CHECK(metadata_.read(walk.cursor, raw));
    ByteReader reader(raw);
    const std::uint64_t offset = reader.u16();
    const auto delta = static_cast<std::int16_t>(reader.u16());
    const std::size_t type = reader.u16();
    const std::size_t length = std::size_t{reader.u16()} + 1;
    if (type < 1 || type > kKinds.size() || length > kMaxName) return damaged();
    entry.name.resize(length);
    SWRUN_CHECK(metadata_.read(walk.cursor, std::as_writable_bytes(std::span(entry.name))));
    // A name that the kernel would read as a path or cut short must not get out of here.
    if (entry.name.find_first_of(std::string_view("/\0", 2)) != std::string::npos || entry.name == "." ||
        entry.name == "..") {
        return damaged();
    }
    --walk.left;
    walk.position += raw.size() + length;
    entry.id = (walk.block << 16) + offset;
    entry.number = walk.base + static_cast<std::uint32_t>(static_cast<std::int32_t>(delta));
    entry.kind = kKinds[type - 1];
    entry.next = walk.position;
    return true;
}

Result<std::optional<SquashEntry>> SquashReader::lookup(const SquashNode& directory, std::string_view name) {
    SWRUN_TRY(Walk walk, start_walk(directory));
    if (name.empty()) return std::optional<SquashEntry>();
    SWRUN_CHECK(skip_ahead(walk, directory, 0, name));
    SquashEntry entry;
    for (;;) {
        SWRUN_TRY(const bool more, step(walk, entry));
        if (!more || entry.name > name) return std::optional<SquashEntry>();
        if (entry.name == name) return std::optional(std::move(entry));
    }
}

Result<std::vector<SquashEntry>> SquashReader::list(const SquashNode& directory, std::uint64_t from,
                                                    std::size_t limit) {
    SWRUN_TRY(Walk walk, start_walk(directory));
    std::vector<SquashEntry> entries;
    if (from != 0) SWRUN_CHECK(skip_ahead(walk, directory, from, {}));
    SquashEntry entry;
    std::string greatest;  // name so far; what comes behind and is not greater, lookup() has passed by
    while (entries.size() < limit) {
        const bool wanted = walk.position >= from;
        SWRUN_TRY(const bool more, step(walk, entry));
        if (!more) break;
        if (entry.name <= greatest) continue;
        greatest = entry.name;
        if (wanted) entries.push_back(entry);
    }
    return entries;
}

}  // namespace swrun
