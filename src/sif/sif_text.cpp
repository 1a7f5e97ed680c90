#include "sif/sif_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "support/byte_reader.h"
#include "support/text.h"

namespace swrun {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

// Go's zero time, which builders of reproducible images store: no time at all.
constexpr std::int64_t kNoTime = -62135596800;
constexpr std::string_view kRule = "------------------------------------------------------------------------------\n";

std::string padded(std::string text, std::size_t width) {
    if (text.size() < width) text.resize(width, ' ');
    return text;
}

// Values start in one column, `gap` behind the longest name.
std::string aligned(const Fields& fields, std::string_view indent, std::size_t gap) {
    std::size_t longest = 0;
    for (const auto& field : fields) longest = std::max(longest, field.first.size());
    std::string text;
    for (const auto& [name, value] : fields) {
        text.append(indent).append(padded(name, longest + gap)).append(printable(value)).append("\n");
    }
    return text;
}

std::string group_text(std::uint32_t group) { return group == 0 ? "NONE" : std::to_string(group); }

std::string_view hash_name(std::int32_t type) {
    constexpr std::array<std::string_view, 6> kNames = {"Unknown", "SHA-256",     "SHA-384",
                                                        "SHA-512", "BLAKE2s-256", "BLAKE2b-256"};
    return type > 0 && static_cast<std::size_t>(type) < kNames.size() ? kNames[static_cast<std::size_t>(type)]
                                                                      : kNames[0];
}

std::string_view sbom_name(std::int32_t format) {
    constexpr std::array<std::string_view, 9> kNames = {"unknown",        "cyclonedx-json", "cyclonedx-xml",
                                                        "github-json",    "spdx-json",      "spdx-rdf",
                                                        "spdx-tag-value", "spdx-yaml",      "syft-json"};
    return format > 0 && static_cast<std::size_t>(format) < kNames.size() ? kNames[static_cast<std::size_t>(format)]
                                                                          : kNames[0];
}

std::string_view message_format_name(std::int32_t format) {
    return format == 1 ? "OpenPGP" : format == 2 ? "PEM" : "Unknown";
}

std::string_view message_name(std::int32_t message) {
    return message == 0x100 ? "Clear Signature" : message == 0x200 ? "RSA-OAEP" : "Unknown";
}

// The signer's key: 20 bytes, all zero when it was not recorded.
std::string fingerprint(std::span<const std::byte> entity) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    if (std::ranges::all_of(entity, [](std::byte b) { return b == std::byte{0}; })) return "";
    std::string text;
    for (const std::byte b : entity) {
        text += kDigits[std::to_integer<std::size_t>(b >> 4)];
        text += kDigits[std::to_integer<std::size_t>(b & std::byte{15})];
    }
    return text;
}

// What the bytes behind a descriptor's name say: by the type of the object.
Fields extra_fields(const SifObject& object) {
    ByteReader extra(bytes_of(object.extra));
    switch (object.type) {
        case SifType::partition:
            if (!object.partition) return {};
            return {{"Filesystem Type:", std::string(sif_fs_name(object.partition->fs))},
                    {"Partition Type:", std::string(sif_part_name(object.partition->part))},
                    {"Architecture:", object.partition->arch}};
        case SifType::signature: {
            Fields fields = {{"Hash Type:", std::string(hash_name(extra.i32()))}};
            const std::string entity = fingerprint(extra.take(20));
            if (!entity.empty()) fields.emplace_back("Entity:", entity);
            return fields;
        }
        case SifType::crypto_message: {
            const std::int32_t format = extra.i32();
            return {{"Format Type:", std::string(message_format_name(format))},
                    {"Message Type:", std::string(message_name(extra.i32()))}};
        }
        case SifType::sbom: return {{"Format:", std::string(sbom_name(extra.i32()))}};
        case SifType::oci_root_index:
        case SifType::oci_blob: return {{"Digest:", object.extra.substr(0, object.extra.find('\0'))}};
        case SifType::deffile:
        case SifType::env_vars:
        case SifType::labels:
        case SifType::generic_json:
        case SifType::generic: return {};
    }
    return {};
}

// "FS (Squashfs/*System/amd64)", "Signature (SHA-256)", "Def.FILE"
std::string type_text(const SifObject& object) {
    std::string text(sif_type_name(object.type));
    const Fields extra = extra_fields(object);
    switch (object.type) {
        case SifType::partition:
        case SifType::crypto_message: {
            std::string list;
            for (const auto& field : extra) list.append(list.empty() ? "" : "/").append(field.second);
            return text.append(" (").append(list).append(")");
        }
        case SifType::signature:
        case SifType::sbom: return text.append(" (").append(extra[0].second).append(")");
        case SifType::deffile:
        case SifType::env_vars:
        case SifType::labels:
        case SifType::generic_json:
        case SifType::generic:
        case SifType::oci_root_index:
        case SifType::oci_blob: return text;
    }
    return text;
}

// The end is exclusive; numbers are as stored, a sum that would overflow wraps.
std::string position_text(const SifObject& object) {
    const auto end = static_cast<std::uint64_t>(object.offset) + static_cast<std::uint64_t>(object.size);
    return std::to_string(object.offset) + "-" + std::to_string(static_cast<std::int64_t>(end));
}

std::string two_digits(std::int64_t number) { return (number < 10 ? "0" : "") + std::to_string(number); }

void add_times(std::int64_t created, std::int64_t modified, Fields& fields) {
    if (created != kNoTime) fields.emplace_back("Created At:", sif_time_text(created));
    if (modified != kNoTime) fields.emplace_back("Modified At:", sif_time_text(modified));
}

}  // namespace

std::string format_sif_header(const SifHeader& header) {
    Fields fields;
    const std::string_view launch(header.launch);
    if (!launch.empty()) {
        fields.emplace_back("Launch Script:", launch.substr(0, launch.size() - (launch.ends_with('\n') ? 1 : 0)));
    }
    fields.emplace_back("Version:", header.version);
    if (header.arch != "unknown") fields.emplace_back("Primary Architecture:", header.arch);
    if (header.id != std::array<std::byte, 16>{}) fields.emplace_back("ID:", sif_uuid_text(header.id));
    add_times(header.created, header.modified, fields);
    fields.emplace_back("Descriptors Free:", std::to_string(header.descriptors_free));
    fields.emplace_back("Descriptors Total:", std::to_string(header.descriptors_total));
    fields.emplace_back("Descriptors Offset:", std::to_string(header.descriptors_offset));
    fields.emplace_back("Descriptors Size:", sif_size_text(header.descriptors_size));
    fields.emplace_back("Data Offset:", std::to_string(header.data_offset));
    fields.emplace_back("Data Size:", sif_size_text(header.data_size));
    return aligned(fields, "", 1);
}

std::string format_sif_list(const Sif& sif) {
    std::string text(kRule);
    text.append("ID   |GROUP   |LINK    |SIF POSITION (start-end)  |TYPE\n").append(kRule);
    for (const SifObject& object : sif.objects) {
        std::string link = group_text(object.link);
        if (object.link != 0 && object.link_is_group) link = padded(link, 3) + " (G)";
        text.append(padded(std::to_string(object.id), 4)).append(" |");
        text.append(padded(group_text(object.group), 7)).append(" |");
        text.append(padded(link, 7)).append(" |");
        text.append(padded(position_text(object) + " ", 25)).append(" |").append(type_text(object)).append("\n");
    }
    return text;
}

std::string format_sif_info(const SifObject& object) {
    std::string link = group_text(object.link);
    if (object.link != 0 && object.link_is_group) link.append(" (G)");
    Fields fields = {{"Data Type:", std::string(sif_type_name(object.type))},
                     {"ID:", std::to_string(object.id)},
                     {"Group ID:", group_text(object.group)},
                     {"Linked ID:", link},
                     {"Offset:", std::to_string(object.offset)},
                     {"Size:", std::to_string(object.size)}};
    add_times(object.created, object.modified, fields);
    if (!object.name.empty()) fields.emplace_back("Name:", object.name);
    for (auto& field : extra_fields(object)) fields.push_back(std::move(field));
    return aligned(fields, "  ", 2);
}

std::string sif_time_text(std::int64_t seconds) {
    constexpr std::int64_t kDay = 86400;
    std::int64_t day = seconds / kDay;
    std::int64_t second = seconds % kDay;
    if (second < 0) {
        second += kDay;
        --day;
    }
    // The civil calendar by eras of 400 years that begin on the first of March of the year 0.
    day += 719468;
    const std::int64_t era = (day >= 0 ? day : day - 146096) / 146097;
    const std::int64_t of_era = day - era * 146097;
    const std::int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const std::int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t shifted = (5 * of_year + 2) / 153;
    const std::int64_t month = shifted < 10 ? shifted + 3 : shifted - 9;
    const std::int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
    std::string text = std::to_string(year);
    if (year >= 0 && text.size() < 4) text.insert(0, 4 - text.size(), '0');
    text += "-" + two_digits(month) + "-" + two_digits(of_year - (153 * shifted + 2) / 5 + 1) + " ";
    text += two_digits(second / 3600) + ":" + two_digits(second / 60 % 60) + ":" + two_digits(second % 60);
    return text + " +0000 UTC";
}

std::string sif_size_text(std::int64_t bytes) {
    if (-1024 < bytes && bytes < 1024) return std::to_string(bytes) + " B";
    constexpr std::string_view kUnits = "KMGTPE";
    double unit = 1024;
    std::size_t power = 0;
    for (std::int64_t rest = bytes / 1024; rest <= -1024 || rest >= 1024; rest /= 1024) {
        unit *= 1024;
        ++power;
    }
    const auto rounded = static_cast<std::int64_t>(std::llround(static_cast<double>(bytes) / unit));
    return std::to_string(rounded) + " " + kUnits[power] + "iB";
}

}  // namespace swrun
