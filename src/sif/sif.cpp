#include "sif/sif.h"

#include <algorithm>

#include "support/byte_reader.h"

namespace swrun {
namespace {

constexpr std::string_view kMagic{"SIF_MAGIC\0", 10};
constexpr std::size_t kMagicOffset = 32;
constexpr std::string_view kVersion = "01";
constexpr std::uint32_t kGroupMask = 0xF0000000;  // marks a group number, in group and link alike

Error damaged(std::string message) { return make_error(Error::Kind::image, std::move(message)); }

SifObject read_object(ByteReader& reader, SifType type) {
    SifObject object;
    object.type = type;
    object.id = reader.u32();
    object.group = reader.u32() & ~kGroupMask;
    const std::uint32_t link = reader.u32();
    object.link = link & ~kGroupMask;
    object.link_is_group = (link & kGroupMask) != 0;
    object.offset = reader.i64();
    object.size = reader.i64();
    object.padded_size = reader.i64();
    object.created = reader.i64();
    object.modified = reader.i64();
    reader.skip(16);  // uid and gid: written by old versions, read by none
    object.name = reader.text(128);
    const std::span<const std::byte> extra = reader.take(384);
    object.extra.assign(reinterpret_cast<const char*>(extra.data()), extra.size());
    if (type == SifType::partition) {
        ByteReader fields(extra);
        SifPartition partition;
        partition.fs = static_cast<SifFs>(fields.i32());
        partition.part = static_cast<SifPart>(fields.i32());
        partition.arch = sif_arch_name(fields.text(3));
        object.partition = partition;
    }
    return object;
}

}  // namespace

bool looks_like_sif(std::span<const std::byte> start) {
    ByteReader reader(start);
    reader.skip(kMagicOffset);
    const std::span<const std::byte> magic = reader.take(kMagic.size());
    return reader.ok() && std::ranges::equal(magic, bytes_of(kMagic));
}

Result<SifHeader> parse_sif_header(std::span<const std::byte> start, std::uint64_t file_size) {
    if (!looks_like_sif(start)) return damaged("not a SIF file");
    ByteReader reader(start);
    SifHeader header;
    header.launch = reader.text(kMagicOffset);
    reader.skip(kMagic.size());
    const std::span<const std::byte> version = reader.take(3);
    if (!std::ranges::equal(version, bytes_of({"01\0", 3}))) return damaged("incompatible SIF version");
    header.version = kVersion;
    header.arch = sif_arch_name(reader.text(3));
    const std::span<const std::byte> id = reader.take(header.id.size());
    std::ranges::copy(id, header.id.begin());
    header.created = reader.i64();
    header.modified = reader.i64();
    header.descriptors_free = reader.i64();
    header.descriptors_total = reader.i64();
    header.descriptors_offset = reader.i64();
    header.descriptors_size = reader.i64();
    header.data_offset = reader.i64();
    header.data_size = reader.i64();
    if (!reader.ok()) return damaged("reading SIF header: unexpected end of file");
    const std::int64_t total = header.descriptors_total;
    if (total < 0 || total > kSifMaxDescriptors) {
        return damaged("reading descriptors: their number, " + std::to_string(total) + ", is not sane");
    }
    if (header.descriptors_offset < 0) return damaged("reading descriptors: negative offset");
    const auto offset = static_cast<std::uint64_t>(header.descriptors_offset);
    const std::uint64_t size = static_cast<std::uint64_t>(total) * kSifDescriptorSize;
    if (offset > file_size || size > file_size - offset) {
        return damaged("reading descriptors: unexpected end of file");
    }
    return header;
}

Result<std::vector<SifObject>> parse_sif_objects(std::span<const std::byte> table) {
    std::vector<SifObject> objects;
    ByteReader reader(table);
    while (reader.left() >= kSifDescriptorSize) {
        ByteReader slot(reader.take(kSifDescriptorSize));
        const auto type = static_cast<SifType>(slot.i32());
        if (slot.u8() == 0) continue;
        objects.push_back(read_object(slot, type));
        if (!slot.ok()) return damaged("reading descriptors: unexpected end of file");
    }
    if (reader.left() != 0) return damaged("reading descriptors: unexpected end of file");
    return objects;
}

Result<SifExtent> sif_extent(const SifObject& object, std::uint64_t file_size) {
    const std::string what = "SIF object " + std::to_string(object.id);
    if (object.offset < 0) return damaged(what + " has a negative offset");
    if (object.size < 0) return damaged(what + " has a negative size");
    const auto offset = static_cast<std::uint64_t>(object.offset);
    if (offset >= file_size) {
        return damaged(what + " starts at offset " + std::to_string(offset) + ", past the end of the file");
    }
    return SifExtent{offset, std::min(static_cast<std::uint64_t>(object.size), file_size - offset)};
}

const SifObject* sif_primary(const Sif& sif) {
    const SifObject* primary = nullptr;
    for (const SifObject& object : sif.objects) {
        if (!object.partition || object.partition->part != SifPart::primary_system) continue;
        if (primary != nullptr) return nullptr;
        primary = &object;
    }
    return primary;
}

const SifObject* sif_find(const Sif& sif, SifType type, std::string_view name) {
    for (const SifObject& object : sif.objects) {
        if (object.type == type && (name.empty() || object.name == name)) return &object;
    }
    return nullptr;
}

}  // namespace swrun
