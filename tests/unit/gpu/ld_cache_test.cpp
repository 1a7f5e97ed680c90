#include "gpu/ld_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "support/io.h"
#include "support/skip.h"
#include "unit/gpu/cache_builder.h"

namespace swrun {
namespace {

const std::vector<CacheLine> kLines = {
    {"libcuda.so.1", "/usr/lib64/libcuda.so.1"},
    {"libc.so.6", "/lib64/libc.so.6"},
    {"libc.so.6", "/lib/libc.so.6", 0x0003},
    {"libz.so.1", "/lib64/glibc-hwcaps/x86-64-v3/libz.so.1", 0x0303, std::uint64_t{1} << 62},
};

void expect_lines(const Result<std::vector<LdCacheEntry>>& parsed, const std::vector<CacheLine>& lines) {
    ASSERT_TRUE(parsed) << format_error(parsed.error());
    ASSERT_EQ(parsed->size(), lines.size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
        EXPECT_EQ((*parsed)[i], (LdCacheEntry{lines[i].name, lines[i].path, lines[i].flags, lines[i].hwcap})) << i;
    }
}

void expect_damage(const std::string& bytes, const char* what) {
    const auto parsed = parse_ld_cache(bytes);
    ASSERT_FALSE(parsed) << what;
    EXPECT_EQ(parsed.error().kind, Error::Kind::host);
    EXPECT_THAT(parsed.error().message, testing::HasSubstr(what));
}

TEST(LdCache, EntriesInTheOrderOfTheFile) {
    const std::string bytes = new_cache(kLines);
    expect_lines(parse_ld_cache(bytes), kLines);
}

TEST(LdCache, AnEmptyTableIsNoDamage) {
    const std::string bytes = new_cache({});
    expect_lines(parse_ld_cache(bytes), {});
}

TEST(LdCache, TheNewTableBehindAnOldOne) {
    for (const std::uint32_t count : {0U, 1U, 2U, 3U, 700U}) {
        for (const std::size_t alignment : {std::size_t{8}, std::size_t{4}}) {
            SCOPED_TRACE(count);
            const std::string bytes = compat_cache(kLines, count, alignment);
            expect_lines(parse_ld_cache(bytes), kLines);
        }
    }
}

TEST(LdCache, AnUnsetByteOrderIsTheMachines) {
    std::string bytes = new_cache(kLines);
    bytes[28] = 0;
    expect_lines(parse_ld_cache(bytes), kLines);
}

TEST(LdCache, ForeignByteOrder) {
    std::string bytes = new_cache(kLines);
    bytes[28] = std::endian::native == std::endian::little ? 3 : 2;
    expect_damage(bytes, "byte order");
    bytes[28] = 1;
    expect_damage(bytes, "byte order");
}

TEST(LdCache, UnknownFormats) {
    expect_damage("", "unknown format");
    expect_damage("glibc-ld.so.cache1.2" + new_cache(kLines).substr(20), "unknown format");
    expect_damage(
        "\x7f"
        "ELF",
        "unknown format");
    const std::string bytes = compat_cache(kLines, 2);
    expect_damage(bytes.substr(0, 40), "no part in the new format");
    expect_damage(bytes.substr(0, 14), "cut off in the old header");
}

TEST(LdCache, AHugeOldCountLeadsNowhere) {
    std::string bytes = compat_cache(kLines, 2);
    for (std::size_t i = 12; i < 16; ++i) bytes[i] = '\xff';
    expect_damage(bytes, "no part in the new format");
}

TEST(LdCache, ACountBeyondTheBytes) {
    std::string bytes = new_cache(kLines);
    for (std::size_t i = 20; i < 24; ++i) bytes[i] = '\xff';
    expect_damage(bytes, "more entries than bytes");
}

TEST(LdCache, AnOffsetOutside) {
    for (const std::size_t field : {std::size_t{4}, std::size_t{8}}) {
        std::string bytes = new_cache(kLines);
        const auto outside = static_cast<std::uint32_t>(bytes.size());
        std::memcpy(bytes.data() + 48 + 24 + field, &outside, sizeof outside);
        expect_damage(bytes, "a name lies outside");
    }
}

TEST(LdCache, ANameWithoutItsEnd) {
    std::string bytes = new_cache(kLines);
    bytes.pop_back();
    expect_damage(bytes, "a name lies outside");
}

TEST(LdCache, EveryTruncationIsNoticed) {
    const std::string bytes = compat_cache(kLines, 3);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(parse_ld_cache(std::string_view(bytes).substr(0, size))) << size;
    }
}

// Whatever a damaged file says, the entries lie inside it.
TEST(LdCache, ChangedBytesNeverLeadOutside) {
    const std::string good = compat_cache(kLines, 3);
    std::mt19937 random(42);
    for (int round = 0; round < 20000; ++round) {
        std::string bytes = good;
        for (int i = 0; i < 3; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
        const auto parsed = parse_ld_cache(bytes);
        if (!parsed) continue;
        for (const LdCacheEntry& entry : *parsed) {
            ASSERT_GE(entry.name.data(), bytes.data());
            ASSERT_LT(entry.name.data() + entry.name.size(), bytes.data() + bytes.size());
            ASSERT_GE(entry.path.data(), bytes.data());
            ASSERT_LT(entry.path.data() + entry.path.size(), bytes.data() + bytes.size());
        }
    }
}

TEST(LdCache, TheCacheOfThisHost) {
    const auto bytes = read_file("/etc/ld.so.cache", 64 << 20);
    if (!bytes) SWRUN_SKIP() << "no /etc/ld.so.cache";
    const auto parsed = parse_ld_cache(*bytes);
    ASSERT_TRUE(parsed) << format_error(parsed.error());
    for (const LdCacheEntry& entry : *parsed) {
        EXPECT_THAT(std::string(entry.path), testing::StartsWith("/"));
        EXPECT_FALSE(entry.name.empty());
    }
}

}  // namespace
}  // namespace swrun
