#include "squashfs/squash_xattrs.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "squashfs/damage.h"
#include "support/byte_reader.h"

namespace swrun {
namespace {

constexpr std::string_view kPrefix = "user.";
constexpr std::uint16_t kUser = 0;  // trusted.* is 1, security.* is 2
constexpr std::uint16_t kNamespaceMask = 0xff;
constexpr std::uint16_t kElsewhere = 0x100;  // a position stands in place of the value

constexpr std::uint64_t kNoTable = ~std::uint64_t{0};
constexpr std::size_t kTableHeader = 16;
constexpr std::size_t kListEntry = 16;
constexpr std::size_t kListsPerBlock = kSquashMetaBlock / kListEntry;

// linux/limits.h: what the kernel passes on at most.
constexpr std::size_t kMostName = 255;
constexpr std::size_t kMostNames = 65536;
constexpr std::uint32_t kMostValue = 65536;

// Bytes looked through for one inode: more than any file system stores for one.
constexpr std::uint64_t kMostBytes = 16U << 20U;
// And to find out whether there are any; beyond it, there may be.
constexpr std::uint64_t kMostSearched = 1U << 20U;

constexpr std::uint64_t kHead = 8;  // of an attribute: type, two lengths

Error damaged(const std::string& what) { return image_damaged("extended attributes " + what); }

bool has_list(const SquashNode& node, const SquashSuper& super) {
    return node.xattrs != kSquashNoXattrs && super.xattr_table != kNoTable;
}

}  // namespace

// The positions of the metadata blocks that hold the lists follow the header.
Result<SquashXattrs::Table> SquashXattrs::table() {
    std::array<std::byte, kTableHeader> raw;
    SWRUN_CHECK(metadata_.source().read(raw, metadata_.source().super().xattr_table));
    ByteReader reader(raw);
    Table table;
    table.start = reader.u64();
    table.lists = reader.u32();
    return table;
}

Status SquashXattrs::skip(MetaCursor& cursor, std::uint64_t bytes, std::uint64_t& budget) {
    if (bytes > budget) return damaged("are more than a file can have");
    budget -= bytes;
    std::array<std::byte, 4096> unused;
    while (bytes > 0) {
        const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, unused.size()));
        SWRUN_CHECK(metadata_.read(cursor, std::span(unused).first(count)));
        bytes -= count;
    }
    return {};
}

Result<MetaCursor> SquashXattrs::find_list(const Table& table, std::uint32_t list, std::uint32_t& count) {
    if (list >= table.lists) return damaged("list " + std::to_string(list) + " does not exist");
    std::array<std::byte, sizeof(std::uint64_t)> position;
    const std::uint64_t index = metadata_.source().super().xattr_table + kTableHeader;
    SWRUN_CHECK(metadata_.source().read(position, index + list / kListsPerBlock * position.size()));
    std::array<std::byte, kListEntry> raw;
    MetaCursor cursor{ByteReader(position).u64(), static_cast<std::uint32_t>(list % kListsPerBlock * raw.size())};
    SWRUN_CHECK(metadata_.read(cursor, raw));
    ByteReader reader(raw);
    const std::uint64_t first = reader.u64();
    count = reader.u32();
    return MetaCursor{table.start + (first >> 16U), static_cast<std::uint32_t>(first & 0xffffU)};
}

// A list is a row of names, each with a length and its value, or with where both are.
Status SquashXattrs::walk(const Table& table, std::uint32_t list, std::uint64_t& budget, const Use& use) {
    std::uint32_t count = 0;
    SWRUN_TRY(MetaCursor cursor, find_list(table, list, count));
    std::string name;
    for (std::uint32_t i = 0; i < count; ++i) {
        std::array<std::byte, 4> raw;
        SWRUN_CHECK(metadata_.read(cursor, raw));
        ByteReader head(raw);
        const std::uint16_t type = head.u16();
        name.assign(kPrefix);
        name.resize(kPrefix.size() + head.u16());
        if (name.size() == kPrefix.size() || name.size() > kMostName) return damaged("have a name that is none");
        const std::span<char> rest = std::span(name).subspan(kPrefix.size());
        SWRUN_CHECK(metadata_.read(cursor, std::as_writable_bytes(rest)));
        if (name.find('\0') != std::string::npos) return damaged("have a name that is none");
        const MetaCursor value = cursor;
        SWRUN_CHECK(metadata_.read(cursor, raw));
        const std::uint64_t length = ByteReader(raw).u32();
        SWRUN_CHECK(skip(cursor, length, budget));
        if (kHead + name.size() > budget) return damaged("are more than a file can have");
        budget -= kHead + name.size();
        if ((type & kNamespaceMask) != kUser) continue;
        SWRUN_TRY(const bool more, use(name, {value, (type & kElsewhere) != 0}));
        if (!more) break;
    }
    return {};
}

Result<std::string> SquashXattrs::read(const Table& table, Place place) {
    std::array<std::byte, sizeof(std::uint64_t)> raw;
    const std::span<std::byte> length = std::span(raw).first(sizeof(std::uint32_t));
    SWRUN_CHECK(metadata_.read(place.cursor, length));
    if (place.elsewhere) {
        if (ByteReader(length).u32() != raw.size()) return damaged("have a value that is none");
        SWRUN_CHECK(metadata_.read(place.cursor, raw));
        const std::uint64_t at = ByteReader(raw).u64();
        place.cursor = {table.start + (at >> 16U), static_cast<std::uint32_t>(at & 0xffffU)};
        SWRUN_CHECK(metadata_.read(place.cursor, length));
    }
    const std::uint32_t size = ByteReader(length).u32();
    if (size > kMostValue) return damaged("have a value that is too long");
    std::string value(size, '\0');
    SWRUN_CHECK(metadata_.read(place.cursor, std::as_writable_bytes(std::span(value))));
    return value;
}

bool SquashXattrs::may_exist() {
    if (metadata_.source().super().xattr_table == kNoTable) return false;
    const Result<Table> shared = table();
    std::uint64_t budget = kMostSearched;
    bool found = !shared;
    for (std::uint32_t list = 0; !found && list < shared->lists; ++list) {
        const Status done = walk(*shared, list, budget, [&](const std::string&, Place) {
            found = true;
            return Result<bool>(false);
        });
        found = found || !done;
    }
    return found;
}

Result<std::vector<std::string>> SquashXattrs::names(const SquashNode& node) {
    std::vector<std::string> names;
    if (!has_list(node, metadata_.source().super())) return names;
    SWRUN_TRY(const Table shared, table());
    std::uint64_t budget = kMostBytes;
    std::size_t total = 0;
    SWRUN_CHECK(walk(shared, node.xattrs, budget, [&](const std::string& name, Place) -> Result<bool> {
        total += name.size() + 1;
        if (total > kMostNames) return sys_error(Error::Kind::image, "list", "extended attributes", E2BIG);
        names.push_back(name);
        return true;
    }));
    return names;
}

Result<std::optional<std::string>> SquashXattrs::value(const SquashNode& node, std::string_view name) {
    std::optional<std::string> value;
    if (!name.starts_with(kPrefix) || !has_list(node, metadata_.source().super())) return value;
    SWRUN_TRY(const Table shared, table());
    std::uint64_t budget = kMostBytes;
    SWRUN_CHECK(walk(shared, node.xattrs, budget, [&](const std::string& one, Place place) -> Result<bool> {
        if (one != name) return true;
        SWRUN_TRY(value, read(shared, place));
        return false;
    }));
    return value;
}

}  // namespace swrun
