#include "ext/ext_records.h"

#include "ext/ext_super.h"
#include "support/byte_reader.h"

namespace swrun {
namespace {

constexpr std::size_t kFixedInode = 128;
constexpr std::uint32_t kAttributeMagic = 0xEA020000;
constexpr std::uint8_t kSystemPrefix = 7;
constexpr std::size_t kEntryHead = 8;
constexpr std::size_t kLargestBlock = 65536;

// 64 KiB do not fit into the field of 16 bits: there it says 0 or 65535.
std::size_t record_length(std::uint16_t field, std::size_t area) {
    return area == kLargestBlock && (field == 0 || field == 0xffff) ? kLargestBlock : field;
}

}  // namespace

std::span<const std::byte> ext_inline_rest(std::span<const std::byte> record) {
    if (record.size() <= kFixedInode) return {};
    ByteReader inode(record.subspan(kFixedInode));
    const std::uint16_t extra = inode.u16();
    if (extra > record.size() - kFixedInode) return {};
    ByteReader reader(record.subspan(kFixedInode + extra));
    if (reader.u32() != kAttributeMagic || !reader.ok()) return {};
    // Offsets of values are counted from the first entry on.  The list ends with four zeros.
    const std::span<const std::byte> all = record.subspan(record.size() - reader.left());
    while (true) {
        const std::uint8_t name_size = reader.u8();
        const std::uint8_t prefix = reader.u8();
        const std::uint16_t offset = reader.u16();
        if (name_size == 0 && prefix == 0 && offset == 0) return {};
        const std::uint32_t other_inode = reader.u32();
        const std::uint32_t size = reader.u32();
        reader.skip(4);
        const std::string_view name = reader.text(name_size);
        reader.skip((4 - name_size % 4U) % 4U);
        if (!reader.ok()) return {};
        if (prefix != kSystemPrefix || name != "data") continue;
        if (other_inode != 0 || offset > all.size() || size > all.size() - offset) return {};
        return all.subspan(offset, size);
    }
}

Result<std::vector<ExtName>> parse_ext_names(std::span<const std::byte> area) {
    std::vector<ExtName> names;
    for (std::size_t at = 0; at < area.size();) {
        ByteReader reader(area.subspan(at));
        const std::uint32_t inode = reader.u32();
        const std::size_t length = record_length(reader.u16(), area.size());
        const std::uint8_t name_size = reader.u8();
        reader.skip(1);  // the file's type, or the upper byte of the name's size, which is zero then
        const std::string_view name = reader.text(name_size);
        if (!reader.ok() || length % 4 != 0 || length < kEntryHead + name_size || length > area.size() - at) {
            return ext_damaged("an entry of a directory does not fit into it");
        }
        at += length;
        if (inode == 0 || name == "." || name == "..") continue;
        if (name.empty() || name.size() < name_size || name.find('/') != std::string_view::npos) {
            return ext_damaged("a directory has a name that no file can have");
        }
        names.push_back({inode, name});
    }
    return names;
}

}  // namespace swrun
