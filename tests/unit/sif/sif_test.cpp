#include "sif/sif.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <string>

#include "support/byte_reader.h"

namespace swrun {
namespace {

constexpr std::uint64_t kFileSize = 1 << 20;

template <class T> void put(std::string& bytes, std::size_t at, T value) {
    std::memcpy(bytes.data() + at, &value, sizeof value);
}

// A header as builders make it, with two descriptors at 4096.
std::string header_bytes() {
    std::string bytes(2048, '\0');
    bytes.replace(0, 31, "#!/usr/bin/env run-singularity\n");
    bytes.replace(32, 9, "SIF_MAGIC");
    bytes.replace(42, 2, "01");
    bytes.replace(45, 2, "02");
    put<std::int64_t>(bytes, 64, 1700000000);
    put<std::int64_t>(bytes, 72, 1700000001);
    put<std::int64_t>(bytes, 80, 46);
    put<std::int64_t>(bytes, 88, 2);
    put<std::int64_t>(bytes, 96, 4096);
    put<std::int64_t>(bytes, 104, 1170);
    put<std::int64_t>(bytes, 112, 8192);
    put<std::int64_t>(bytes, 120, 4711);
    return bytes;
}

struct Slot {
    std::int32_t type = 0x4004;
    std::uint8_t used = 1;
    std::uint32_t id = 1;
    std::uint32_t group = 0xF0000001;
    std::uint32_t link = 0;
    std::int64_t offset = 8192;
    std::int64_t size = 4096;
    std::string name = "";
    std::int32_t fs = 1;
    std::int32_t part = 2;
    std::string arch = "02";
};

std::string slot_bytes(const Slot& slot) {
    std::string bytes(kSifDescriptorSize, '\0');
    put(bytes, 0, slot.type);
    put(bytes, 4, slot.used);
    put(bytes, 5, slot.id);
    put(bytes, 9, slot.group);
    put(bytes, 13, slot.link);
    put(bytes, 17, slot.offset);
    put(bytes, 25, slot.size);
    bytes.replace(73, slot.name.size(), slot.name);
    put(bytes, 201, slot.fs);
    put(bytes, 205, slot.part);
    bytes.replace(209, slot.arch.size(), slot.arch);
    return bytes;
}

Sif sif_with(std::initializer_list<Slot> slots) {
    std::string table;
    for (const Slot& slot : slots) table += slot_bytes(slot);
    Sif sif;
    sif.objects = parse_sif_objects(bytes_of(table)).value();
    return sif;
}

TEST(SifHeader, ReadsAllFields) {
    const auto header = parse_sif_header(bytes_of(header_bytes()), kFileSize);
    ASSERT_TRUE(header) << header.error().message;
    EXPECT_EQ(header->launch, "#!/usr/bin/env run-singularity\n");
    EXPECT_EQ(header->version, "01");
    EXPECT_EQ(header->arch, "amd64");
    EXPECT_EQ(header->created, 1700000000);
    EXPECT_EQ(header->modified, 1700000001);
    EXPECT_EQ(header->descriptors_free, 46);
    EXPECT_EQ(header->descriptors_total, 2);
    EXPECT_EQ(header->descriptors_offset, 4096);
    EXPECT_EQ(header->descriptors_size, 1170);
    EXPECT_EQ(header->data_offset, 8192);
    EXPECT_EQ(header->data_size, 4711);
}

TEST(SifHeader, LaunchLineMayBeEmpty) {
    std::string bytes = header_bytes();
    std::memset(bytes.data(), 0, 32);
    EXPECT_EQ(parse_sif_header(bytes_of(bytes), kFileSize).value().launch, "");
}

TEST(SifHeader, RefusesOtherVersions) {
    std::string bytes = header_bytes();
    bytes.replace(42, 2, "99");
    const auto header = parse_sif_header(bytes_of(bytes), kFileSize);
    ASSERT_FALSE(header);
    EXPECT_EQ(header.error().message, "incompatible SIF version");
}

TEST(SifHeader, RecognisesOnlyTheMagicInItsPlace) {
    std::string bytes = header_bytes();
    EXPECT_TRUE(looks_like_sif(bytes_of(bytes)));
    EXPECT_FALSE(looks_like_sif(bytes_of(bytes.substr(0, 41))));
    bytes.insert(0, " ");
    EXPECT_FALSE(looks_like_sif(bytes_of(bytes)));
    EXPECT_FALSE(parse_sif_header(bytes_of(bytes), kFileSize));
}

TEST(SifHeader, RefusesEveryCut) {
    const std::string bytes = header_bytes();
    for (std::size_t size = 0; size < kSifHeaderSize; ++size) {
        EXPECT_FALSE(parse_sif_header(bytes_of(bytes.substr(0, size)), kFileSize)) << size;
    }
    EXPECT_TRUE(parse_sif_header(bytes_of(bytes.substr(0, kSifHeaderSize)), kFileSize));
}

TEST(SifHeader, RefusesATableThatIsNotInTheFile) {
    constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
    constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
    struct Case {
        std::int64_t total;
        std::int64_t offset;
        bool good;
    };
    const Case cases[] = {
        {2, 4096, true},
        {0, 4096, true},
        {2, 0, true},
        {-1, 4096, false},
        {kMin, 4096, false},
        {kMax, 4096, false},
        {1 << 30, 0, false},
        {2, -1, false},
        {2, kMin, false},
        {2, kMax, false},
        {2, 1 << 20, false},
        {2, (1 << 20) - 1170, true},
        {0, 1 << 20, true},
        {2, (1 << 20) - 1169, false},
        {kSifMaxDescriptors + 1, 0, false},
    };
    for (const Case& c : cases) {
        std::string bytes = header_bytes();
        put(bytes, 88, c.total);
        put(bytes, 96, c.offset);
        EXPECT_EQ(parse_sif_header(bytes_of(bytes), kFileSize).has_value(), c.good) << c.total << " " << c.offset;
    }
}

TEST(SifObjects, ReadsAPartitionAndSkipsUnusedSlots) {
    const Sif sif = sif_with({{.used = 0}, {.id = 2, .link = 0xF0000003, .name = "root"}});
    ASSERT_EQ(sif.objects.size(), 1U);
    const SifObject& object = sif.objects[0];
    EXPECT_EQ(object.type, SifType::partition);
    EXPECT_EQ(object.id, 2U);
    EXPECT_EQ(object.group, 1U);
    EXPECT_EQ(object.link, 3U);
    EXPECT_TRUE(object.link_is_group);
    EXPECT_EQ(object.name, "root");
    ASSERT_TRUE(object.partition);
    EXPECT_EQ(object.partition->fs, SifFs::squashfs);
    EXPECT_EQ(object.partition->part, SifPart::primary_system);
    EXPECT_EQ(object.partition->arch, "amd64");
}

TEST(SifObjects, NameMayFillItsField) {
    const Sif sif = sif_with({{.name = std::string(128, 'A')}});
    EXPECT_EQ(sif.objects[0].name, std::string(128, 'A'));
    EXPECT_EQ(sif.objects[0].partition->fs, SifFs::squashfs);
}

TEST(SifObjects, RefusesACutTable) {
    const std::string table = slot_bytes({}) + slot_bytes({});
    EXPECT_TRUE(parse_sif_objects(bytes_of(table)));
    EXPECT_FALSE(parse_sif_objects(bytes_of(table.substr(0, table.size() - 1))));
}

TEST(SifObjects, PrimaryIsTheOnlyOne) {
    EXPECT_EQ(sif_primary(sif_with({{.part = 1}, {.part = 3}, {.part = 4}})), nullptr);
    EXPECT_EQ(sif_primary(sif_with({{.id = 1}, {.id = 2}})), nullptr);
    EXPECT_EQ(sif_primary(sif_with({{.type = 0x4006}})), nullptr);
    EXPECT_EQ(sif_primary(sif_with({})), nullptr);
    const Sif sif = sif_with({{.id = 1, .part = 3}, {.id = 2, .part = 2}});
    ASSERT_NE(sif_primary(sif), nullptr);
    EXPECT_EQ(sif_primary(sif)->id, 2U);
}

TEST(SifObjects, FindsByTypeAndName) {
    const Sif sif = sif_with(
        {{.type = 0x4001, .id = 1}, {.type = 0x4006, .id = 2, .name = "a"}, {.type = 0x4006, .id = 3, .name = "b"}});
    EXPECT_EQ(sif_find(sif, SifType::deffile)->id, 1U);
    EXPECT_EQ(sif_find(sif, SifType::generic_json, "b")->id, 3U);
    EXPECT_EQ(sif_find(sif, SifType::generic_json, "c"), nullptr);
}

TEST(SifExtent, ClampsTheEndAndRefusesTheRest) {
    constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
    struct Case {
        std::int64_t offset;
        std::int64_t size;
        bool good;
        std::uint64_t expected;
    };
    const Case cases[] = {
        {0, 10, true, 10},  {90, 10, true, 10}, {90, 11, true, 10}, {90, kMax, true, 10},     {99, 0, true, 0},
        {100, 0, false, 0}, {-8, 10, false, 0}, {10, -1, false, 0}, {kMax - 3, 10, false, 0}, {kMax, kMax, false, 0},
    };
    for (const Case& c : cases) {
        SifObject object;
        object.offset = c.offset;
        object.size = c.size;
        const auto extent = sif_extent(object, 100);
        EXPECT_EQ(extent.has_value(), c.good) << c.offset << " " << c.size;
        if (extent && c.good) {
            EXPECT_EQ(extent->size, c.expected) << c.offset << " " << c.size;
        }
    }
}

TEST(SifNames, Architectures) {
    EXPECT_EQ(sif_arch_name("02"), "amd64");
    EXPECT_EQ(sif_arch_name("04"), "arm64");
    EXPECT_EQ(sif_arch_name("13"), "loong64");
    for (const char* code : {"00", "14", "99", "zz", "", "2", "-1", "002"}) EXPECT_EQ(sif_arch_name(code), "unknown");
}

TEST(SifNames, WordsForPeople) {
    EXPECT_EQ(sif_type_name(SifType::deffile), "Def.FILE");
    EXPECT_EQ(sif_type_name(static_cast<SifType>(77)), "Unknown");
    EXPECT_EQ(sif_fs_name(SifFs::squashfs), "Squashfs");
    EXPECT_EQ(sif_part_name(SifPart::primary_system), "*System");
    std::array<std::byte, 16> id{};
    id[0] = std::byte{0x16};
    id[15] = std::byte{0xea};
    EXPECT_EQ(sif_uuid_text(id), "16000000-0000-0000-0000-0000000000ea");
}

}  // namespace
}  // namespace swrun
