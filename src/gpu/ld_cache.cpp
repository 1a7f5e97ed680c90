#include "gpu/ld_cache.h"

#include <bit>
#include <cstring>
#include <optional>

namespace swrun {
namespace {

constexpr std::string_view kNewMagic = "glibc-ld.so.cache1.1";
constexpr std::string_view kOldMagic = "ld.so-1.7.0";
constexpr std::size_t kOldHeader = 16;  // magic, one byte of padding, u32 count
constexpr std::size_t kOldEntry = 12;   // i32 flags, u32 key, u32 value
constexpr std::size_t kNewHeader =
    48;                                // magic, u32 count, u32 string bytes, u8 flags, 3 bytes, u32 extension, 12 bytes
constexpr std::size_t kNewEntry = 24;  // i32 flags, u32 key, u32 value, u32 unused, u64 hwcap
constexpr std::size_t kCountOffset = 20;
constexpr std::size_t kFlagsOffset = 28;
constexpr unsigned kEndianMask = 3;
constexpr unsigned kEndianUnset = 0;  // written before glibc 2.33, always in the order of the machine
constexpr unsigned kEndianNative = std::endian::native == std::endian::little ? 2 : 3;

Error damaged(const char* what) {
    return make_error(Error::Kind::host, std::string("/etc/ld.so.cache is damaged: ") + what);
}

// The caller has checked that the value lies inside.
template <class T> T read_number(std::string_view bytes, std::size_t at) {
    T value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
}

// The text from `at` up to its NUL; nullopt when either lies outside.
std::optional<std::string_view> read_text(std::string_view bytes, std::size_t at) {
    if (at >= bytes.size()) return std::nullopt;
    const std::size_t end = bytes.find('\0', at);
    if (end == std::string_view::npos) return std::nullopt;
    return bytes.substr(at, end - at);
}

// Where the new table begins, from which its offsets count.  The writer aligns it to its 64-bit field,
// whose alignment is 4 on some 32-bit machines.
Result<std::string_view> find_new_table(std::string_view bytes) {
    if (bytes.starts_with(kNewMagic)) return bytes;
    if (!bytes.starts_with(kOldMagic)) return damaged("unknown format");
    if (bytes.size() < kOldHeader) return damaged("cut off in the old header");
    const std::size_t count = read_number<std::uint32_t>(bytes, kOldHeader - 4);
    const std::size_t end = kOldHeader + count * kOldEntry;  // below 2^36: no overflow
    for (const std::size_t alignment : {std::size_t{8}, std::size_t{4}}) {
        const std::size_t start = (end + alignment - 1) / alignment * alignment;
        if (start < bytes.size() && bytes.substr(start).starts_with(kNewMagic)) return bytes.substr(start);
    }
    return make_error(Error::Kind::host, "/etc/ld.so.cache has no part in the new format")
        .with_hint("run ldconfig on the host");
}

}  // namespace

Result<std::vector<LdCacheEntry>> parse_ld_cache(std::string_view bytes) {
    static_assert(sizeof(std::size_t) >= 8, "entry counts are multiplied without overflow checks");
    SWRUN_TRY(const std::string_view table, find_new_table(bytes));
    if (table.size() < kNewHeader) return damaged("cut off in the header");
    const unsigned endian = static_cast<unsigned char>(table[kFlagsOffset]) & kEndianMask;
    if (endian != kEndianUnset && endian != kEndianNative) return damaged("byte order of another machine");
    const std::size_t count = read_number<std::uint32_t>(table, kCountOffset);
    if (count > (table.size() - kNewHeader) / kNewEntry) return damaged("more entries than bytes");

    std::vector<LdCacheEntry> entries;
    entries.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t at = kNewHeader + i * kNewEntry;
        const auto name = read_text(table, read_number<std::uint32_t>(table, at + 4));
        const auto path = read_text(table, read_number<std::uint32_t>(table, at + 8));
        if (!name || !path) return damaged("a name lies outside");
        entries.push_back(
            {*name, *path, read_number<std::uint32_t>(table, at), read_number<std::uint64_t>(table, at + 16)});
    }
    return entries;
}

}  // namespace swrun
