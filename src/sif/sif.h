// SIF (Singularity Image Format) as data: header, descriptors, and which partition is the root.  Pure:
// image_file hands in bytes and gets structs.  Called by image_file and by inspect.  Every number in a
// SIF comes from a stranger; nothing here trusts one before it has been compared with the file's size.
// Format: github.com/sylabs/sif, pkg/sif (sif.go, descriptor.go): little-endian, packed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace swrun {

inline constexpr std::size_t kSifHeaderSize = 128;
inline constexpr std::size_t kSifDescriptorSize = 585;
inline constexpr std::int64_t kSifMaxDescriptors = 4096;  // builders make 48; the format sets no limit

enum class SifType : std::int32_t {
    deffile = 0x4001,
    env_vars,
    labels,
    partition,
    signature,
    generic_json,
    generic,
    crypto_message,
    sbom,
    oci_root_index,
    oci_blob,
};
enum class SifFs : std::int32_t { squashfs = 1, ext3, archive, raw, encrypted_squashfs, gocryptfs };
enum class SifPart : std::int32_t { system = 1, primary_system, data, overlay };

struct SifHeader {
    std::string launch;   // "#!/usr/bin/env run-singularity\n"; may be empty
    std::string version;  // "01"
    std::string arch;     // Go's name, or "unknown"
    std::array<std::byte, 16> id{};
    std::int64_t created = 0;  // seconds since 1970
    std::int64_t modified = 0;
    std::int64_t descriptors_free = 0;
    std::int64_t descriptors_total = 0;   // 0 <= total <= kSifMaxDescriptors
    std::int64_t descriptors_offset = 0;  // table lies inside the file
    std::int64_t descriptors_size = 0;    // as stored; not used
    std::int64_t data_offset = 0;         // as stored; not used
    std::int64_t data_size = 0;           // as stored; not used
};

struct SifPartition {
    SifFs fs{};        // may be a value that the enum lacks
    SifPart part{};    // likewise
    std::string arch;  // Go's name, or "unknown"
};

// One used descriptor.  Offset and size are as stored: go through sif_extent() before using them.
struct SifObject {
    SifType type{};  // may be a value that the enum lacks
    std::uint32_t id = 0;
    std::uint32_t group = 0;  // 0: none
    std::uint32_t link = 0;   // 0: none
    bool link_is_group = false;
    std::int64_t offset = 0;
    std::int64_t size = 0;
    std::int64_t padded_size = 0;
    std::int64_t created = 0;
    std::int64_t modified = 0;
    std::string name;
    std::optional<SifPartition> partition;  // of SifType::partition
    std::string extra;                      // 384 raw bytes, for types that inspect explains further
};

struct Sif {
    SifHeader header;
    std::vector<SifObject> objects;
};

struct SifExtent {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
};

// True when the magic stands where a header has it.
[[nodiscard]] bool looks_like_sif(std::span<const std::byte> start);

// `start`: at least the first 128 bytes.  Errors: "incompatible SIF version", a bad descriptor table.
[[nodiscard]] Result<SifHeader> parse_sif_header(std::span<const std::byte> start, std::uint64_t file_size);

// `table`: descriptors_total x 585 bytes from descriptors_offset.  Unused slots are skipped.
[[nodiscard]] Result<std::vector<SifObject>> parse_sif_objects(std::span<const std::byte> table);

// Where an object's bytes are.  An end past the file's end is moved there (a cut file then fails where
// its content is checked); negative numbers and a start outside the file are errors.
[[nodiscard]] Result<SifExtent> sif_extent(const SifObject& object, std::uint64_t file_size);

// The single partition of type primary system; null when there is none or more than one.
[[nodiscard]] const SifObject* sif_primary(const Sif& sif);

// The first object of that type (and name, unless it is empty); null when there is none.
[[nodiscard]] const SifObject* sif_find(const Sif& sif, SifType type, std::string_view name = {});

// Words for people: "Def.FILE", "FS", "Squashfs", "*System", ...; "Unknown" for other values.
[[nodiscard]] std::string_view sif_type_name(SifType type);
[[nodiscard]] std::string_view sif_fs_name(SifFs fs);
[[nodiscard]] std::string_view sif_part_name(SifPart part);
// "04" -> "arm64"; "unknown" for any other pair of bytes.
[[nodiscard]] std::string_view sif_arch_name(std::string_view code);
// "16ca9fbb-e54f-4cb0-a9e2-bcf6d3fc88ea"
[[nodiscard]] std::string sif_uuid_text(const std::array<std::byte, 16>& id);

}  // namespace swrun
