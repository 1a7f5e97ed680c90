// The layout that scripts cut into columns.
#include "sif/sif_text.h"

#include <gtest/gtest.h>

#include <limits>

namespace swrun {
namespace {

constexpr std::int64_t kWhen = 1593475316;  // 2020-06-30 00:01:56
constexpr std::int64_t kNever = -62135596800;

constexpr const char* kHeading =
    "------------------------------------------------------------------------------\n"
    "ID   |GROUP   |LINK    |SIF POSITION (start-end)  |TYPE\n"
    "------------------------------------------------------------------------------\n";

SifObject object_of(SifType type, std::int64_t offset, std::int64_t size) {
    SifObject object;
    object.type = type;
    object.id = 1;
    object.group = 1;
    object.offset = offset;
    object.size = size;
    object.created = kNever;
    object.modified = kNever;
    object.extra.assign(384, '\0');
    return object;
}

std::string number_bytes(std::uint32_t number) {
    std::string bytes;
    for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<char>((number >> (8 * i)) & 255U));
    return bytes;
}

SifObject with_extra(SifType type, const std::string& start) {
    SifObject object = object_of(type, 32176, 4);
    object.extra.replace(0, start.size(), start);
    return object;
}

TEST(SifText, Time) {
    EXPECT_EQ(sif_time_text(kWhen), "2020-06-30 00:01:56 +0000 UTC");
    EXPECT_EQ(sif_time_text(0), "1970-01-01 00:00:00 +0000 UTC");
    EXPECT_EQ(sif_time_text(-1), "1969-12-31 23:59:59 +0000 UTC");
    EXPECT_EQ(sif_time_text(951782400), "2000-02-29 00:00:00 +0000 UTC");
    EXPECT_EQ(sif_time_text(4107542399), "2100-02-28 23:59:59 +0000 UTC");
    EXPECT_EQ(sif_time_text(4107542400), "2100-03-01 00:00:00 +0000 UTC");
    EXPECT_EQ(sif_time_text(253402300800), "10000-01-01 00:00:00 +0000 UTC");
    EXPECT_EQ(sif_time_text(kNever), "0001-01-01 00:00:00 +0000 UTC");
    EXPECT_FALSE(sif_time_text(std::numeric_limits<std::int64_t>::max()).empty());
    EXPECT_FALSE(sif_time_text(std::numeric_limits<std::int64_t>::min()).empty());
}

TEST(SifText, Size) {
    EXPECT_EQ(sif_size_text(0), "0 B");
    EXPECT_EQ(sif_size_text(1023), "1023 B");
    EXPECT_EQ(sif_size_text(28080), "27 KiB");
    EXPECT_EQ(sif_size_text(1536), "2 KiB");
    EXPECT_EQ(sif_size_text(1048575), "1024 KiB");
    EXPECT_EQ(sif_size_text(1048576), "1 MiB");
    EXPECT_EQ(sif_size_text(std::int64_t{304} << 20), "304 MiB");
    EXPECT_EQ(sif_size_text(-28080), "-27 KiB");
    EXPECT_EQ(sif_size_text(std::numeric_limits<std::int64_t>::max()), "8 EiB");
}

TEST(SifText, FullHeader) {
    SifHeader header;
    header.launch = "#!/usr/bin/env run-singularity\n";
    header.version = "01";
    header.arch = "amd64";
    for (std::size_t i = 0; i < header.id.size(); ++i) header.id[i] = static_cast<std::byte>(i);
    header.created = kWhen;
    header.modified = kWhen + 1;
    header.descriptors_free = 45;
    header.descriptors_total = 48;
    header.descriptors_offset = 4096;
    header.descriptors_size = 28080;
    header.data_offset = 32176;
    header.data_size = std::int64_t{304} << 20;
    EXPECT_EQ(format_sif_header(header),
              "Launch Script:        #!/usr/bin/env run-singularity\n"
              "Version:              01\n"
              "Primary Architecture: amd64\n"
              "ID:                   00010203-0405-0607-0809-0a0b0c0d0e0f\n"
              "Created At:           2020-06-30 00:01:56 +0000 UTC\n"
              "Modified At:          2020-06-30 00:01:57 +0000 UTC\n"
              "Descriptors Free:     45\n"
              "Descriptors Total:    48\n"
              "Descriptors Offset:   4096\n"
              "Descriptors Size:     27 KiB\n"
              "Data Offset:          32176\n"
              "Data Size:            304 MiB\n");
}

TEST(SifText, WhatIsNotSetIsNotThere) {
    SifHeader header;
    header.version = "01";
    header.arch = "unknown";
    header.created = kNever;
    header.modified = kNever;
    EXPECT_EQ(format_sif_header(header),
              "Version:            01\n"
              "Descriptors Free:   0\n"
              "Descriptors Total:  0\n"
              "Descriptors Offset: 0\n"
              "Descriptors Size:   0 B\n"
              "Data Offset:        0\n"
              "Data Size:          0 B\n");
}

TEST(SifText, List) {
    Sif sif;
    EXPECT_EQ(format_sif_list(sif), kHeading);
    sif.objects.push_back(object_of(SifType::deffile, 32176, 221));
    SifObject root = object_of(SifType::partition, 36864, 318799872);
    root.id = 3;
    root.partition = SifPartition{SifFs::squashfs, SifPart::primary_system, "amd64"};
    sif.objects.push_back(root);
    SifObject signature = with_extra(SifType::signature, number_bytes(1));
    signature.id = 4;
    signature.group = 0;
    signature.link = 1;
    signature.link_is_group = true;
    sif.objects.push_back(signature);
    SifObject linked = object_of(static_cast<SifType>(0x7777), 1, 1);
    linked.id = 12345;
    linked.link = 2;
    sif.objects.push_back(linked);
    EXPECT_EQ(format_sif_list(sif),
              std::string(kHeading) +
                  "1    |1       |NONE    |32176-32397               |Def.FILE\n"
                  "3    |1       |NONE    |36864-318836736           |FS (Squashfs/*System/amd64)\n"
                  "4    |NONE    |1   (G) |32176-32180               |Signature (SHA-256)\n"
                  "12345 |1       |2       |1-2                       |Unknown\n");
}

TEST(SifText, TypesWithDetails) {
    const struct {
        SifObject object;
        std::string listed;
        std::string last;  // line of the info
    } cases[] = {
        {with_extra(SifType::crypto_message, number_bytes(1) + number_bytes(0x100)),
         "|Cryptographic Message (OpenPGP/Clear Signature)\n", "  Message Type:  Clear Signature\n"},
        {with_extra(SifType::sbom, number_bytes(1)), "|SBOM (cyclonedx-json)\n", "  Format:     cyclonedx-json\n"},
        {with_extra(SifType::sbom, number_bytes(99)), "|SBOM (unknown)\n", "  Format:     unknown\n"},
        {with_extra(SifType::oci_blob, "sha256:abc"), "|OCI.Blob\n", "  Digest:     sha256:abc\n"},
        {with_extra(SifType::signature, number_bytes(0xFFFFFFFF)), "|Signature (Unknown)\n", "  Hash Type:  Unknown\n"},
        {with_extra(SifType::signature, number_bytes(3) + "\x12\x04\xAB"), "|Signature (SHA-512)\n",
         "  Entity:     1204AB0000000000000000000000000000000000\n"},
    };
    for (const auto& one : cases) {
        EXPECT_TRUE(format_sif_list({{}, {one.object}}).ends_with(one.listed)) << one.listed;
        EXPECT_TRUE(format_sif_info(one.object).ends_with(one.last)) << format_sif_info(one.object);
    }
}

TEST(SifText, Info) {
    SifObject object = object_of(SifType::generic_json, 32176, 2);
    object.created = kWhen;
    object.modified = kWhen;
    object.name = "data.json";
    EXPECT_EQ(format_sif_info(object),
              "  Data Type:    JSON.Generic\n"
              "  ID:           1\n"
              "  Group ID:     1\n"
              "  Linked ID:    NONE\n"
              "  Offset:       32176\n"
              "  Size:         2\n"
              "  Created At:   2020-06-30 00:01:56 +0000 UTC\n"
              "  Modified At:  2020-06-30 00:01:56 +0000 UTC\n"
              "  Name:         data.json\n");
    SifObject root = object_of(SifType::partition, 36864, 4);
    root.link = 7;
    root.link_is_group = true;
    root.partition = SifPartition{SifFs::ext3, SifPart::overlay, "386"};
    EXPECT_EQ(format_sif_info(root),
              "  Data Type:        FS\n"
              "  ID:               1\n"
              "  Group ID:         1\n"
              "  Linked ID:        7 (G)\n"
              "  Offset:           36864\n"
              "  Size:             4\n"
              "  Filesystem Type:  Ext3\n"
              "  Partition Type:   Overlay\n"
              "  Architecture:     386\n");
}

TEST(SifText, AHostileFileCannotPaint) {
    SifObject object = object_of(SifType::generic, std::numeric_limits<std::int64_t>::max(),
                                 std::numeric_limits<std::int64_t>::max());
    object.name = "a\x1b[31m\nID: 9";
    EXPECT_NE(format_sif_info(object).find("  Name:       a\\x1b[31m\\x0aID: 9\n"), std::string::npos);
    EXPECT_NE(format_sif_list({{}, {object}}).find("|9223372036854775807--2 "), std::string::npos);
}

}  // namespace
}  // namespace swrun
