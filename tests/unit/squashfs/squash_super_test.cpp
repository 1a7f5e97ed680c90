#include "squashfs/squash_super.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <string>

#include "support/byte_reader.h"

namespace swrun {
namespace {

constexpr std::uint64_t kSize = 100000;

SquashSuper good() {
    SquashSuper super;
    super.inodes = 10;
    super.block_size = 131072;
    super.block_log = 17;
    super.fragments = 1;
    super.compression = SquashCompression::zlib;
    super.ids = 1;
    super.root_inode = (100 << 16) + 20;
    super.bytes_used = kSize - 10;
    super.inode_table = 50000;
    super.directory_table = 60000;
    super.fragment_table = 70000;
    super.export_table = ~std::uint64_t{0};
    super.xattr_table = ~std::uint64_t{0};
    super.id_table = 80000;
    return super;
}

TEST(SquashSuper, AcceptsAGoodOne) {
    const auto super = check_squash_super(good(), kSize);
    ASSERT_TRUE(super) << super.error().message;
    EXPECT_EQ(super->block_size, 131072U);
}

TEST(SquashSuper, OneWrongBlockSizeFieldIsRepaired) {
    SquashSuper super = good();
    super.block_log = 63;
    EXPECT_EQ(check_squash_super(super, kSize).value().block_size, 131072U);
    super = good();
    super.block_size = 0xffffffff;
    super.block_log = 16;
    EXPECT_EQ(check_squash_super(super, kSize).value().block_size, 65536U);
    super.block_log = 30;
    EXPECT_FALSE(check_squash_super(super, kSize));
}

TEST(SquashSuper, RefusesWhatIsNotSane) {
    struct Case {
        const char* what;
        std::function<void(SquashSuper&)> change;
    };
    constexpr std::uint64_t kHuge = ~std::uint64_t{0};
    const Case cases[] = {
        {"cut short", [](SquashSuper& s) { s.bytes_used = kSize + 1; }},
        {"inode table in the superblock", [](SquashSuper& s) { s.inode_table = 10; }},
        {"inode table outside", [](SquashSuper& s) { s.inode_table = kHuge; }},
        {"directory table outside", [](SquashSuper& s) { s.directory_table = kHuge; }},
        {"tables swapped", [](SquashSuper& s) { s.directory_table = 40000; }},
        {"no ids", [](SquashSuper& s) { s.ids = 0; }},
        {"id table outside", [](SquashSuper& s) { s.id_table = kHuge - 15; }},
        {"id list over the end", [](SquashSuper& s) { s.id_table = s.bytes_used - 7; }},
        {"fragment table outside", [](SquashSuper& s) { s.fragment_table = kHuge - 3; }},
        {"four thousand million fragments", [](SquashSuper& s) { s.fragments = 0xffffffff; }},
        {"root outside", [](SquashSuper& s) { s.root_inode = 0xffffffffffffff; }},
        {"root past its block", [](SquashSuper& s) { s.root_inode = 9000; }},
        {"block size 3000",
         [](SquashSuper& s) {
             s.block_size = 3000;
             s.block_log = 5;
         }},
    };
    for (const Case& c : cases) {
        SquashSuper super = good();
        c.change(super);
        EXPECT_FALSE(check_squash_super(super, kSize)) << c.what;
    }
}

TEST(SquashSuper, FieldsThatNobodyUsesMayBeWrong) {
    SquashSuper super = good();
    super.inodes = 0xffffffff;
    super.export_table = 12;
    super.xattr_table = 3;
    super.fragments = 0;
    super.fragment_table = ~std::uint64_t{0};
    EXPECT_TRUE(check_squash_super(super, kSize));
}

TEST(SquashSuper, ParseSaysWhatIsWrong) {
    std::string bytes(96, '\0');
    EXPECT_EQ(parse_squash_super(bytes_of(bytes)).error().message, "not a valid squashfs image");
    bytes.replace(0, 4, "hsqs");
    bytes[28] = 4;
    bytes[20] = 99;
    EXPECT_EQ(parse_squash_super(bytes_of(bytes)).error().message,
              "corrupted image: unknown compression algorithm value 99");
    bytes[20] = 0;
    EXPECT_FALSE(parse_squash_super(bytes_of(bytes)));
    bytes[20] = 6;
    ASSERT_TRUE(parse_squash_super(bytes_of(bytes)));
    EXPECT_EQ(parse_squash_super(bytes_of(bytes)).value().compression, SquashCompression::zstd);
    EXPECT_FALSE(parse_squash_super(bytes_of(bytes.substr(0, 95))));
}

// Whatever else their bytes are: the other fields lie elsewhere.
TEST(SquashSuper, OtherVersionsAreNamed) {
    struct Case {
        std::string magic;
        std::string version;  // at 28
        std::string said;
    };
    const Case cases[] = {
        {"hsqs", std::string("\1\0\0\0", 4), "1.0"},
        {"hsqs", std::string("\2\0\1\0", 4), "2.1"},
        {"hsqs", std::string("\3\0\0\0", 4), "3.0"},
        {"hsqs", std::string("\3\0\1\0", 4), "3.1"},
        {"hsqs", std::string("\4\0\1\0", 4), "4.1"},
        {"hsqs", std::string("\5\0\0\0", 4), "5.0"},
        {"sqsh", std::string("\0\3\0\1", 4), "3.1 in big-endian byte order"},
        {"sqsh", std::string("\0\1\0\0", 4), "1.0 in big-endian byte order"},
        {"sqsh", std::string("\0\4\0\0", 4), "4.0 in big-endian byte order"},
    };
    for (const Case& one : cases) {
        for (const char filling : {'\0', '\1', '\xff'}) {
            std::string bytes(96, filling);
            bytes.replace(0, 4, one.magic);
            bytes.replace(28, 4, one.version);
            EXPECT_TRUE(looks_like_squashfs(bytes_of(bytes)));
            const auto super = parse_squash_super(bytes_of(bytes));
            ASSERT_FALSE(super) << one.said;
            EXPECT_EQ(super.error().message, "squashfs version " + one.said + ": only version 4.0 is supported");
            EXPECT_NE(super.error().hint.find("make it again with mksquashfs"), std::string::npos);
        }
    }
}

}  // namespace
}  // namespace swrun
