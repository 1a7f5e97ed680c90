#include "support/byte_reader.h"

#include <gtest/gtest.h>

#include <string_view>

namespace swrun {
namespace {

using namespace std::string_view_literals;

TEST(ByteReader, ReadsLittleEndianNumbersInOrder) {
    ByteReader reader(bytes_of("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"sv));
    EXPECT_EQ(reader.u8(), 0x01);
    EXPECT_EQ(reader.u16(), 0x0302);
    EXPECT_EQ(reader.u32(), 0x07060504U);
    EXPECT_EQ(reader.u64(), 0x0f0e0d0c0b0a0908U);
    EXPECT_TRUE(reader.ok());
    EXPECT_EQ(reader.left(), 0U);
}

TEST(ByteReader, ReadsNegativeNumbers) {
    ByteReader reader(bytes_of("\xff\xff\xff\xff\xfe\xff\xff\xff\xff\xff\xff\xff"sv));
    EXPECT_EQ(reader.i32(), -1);
    EXPECT_EQ(reader.i64(), -2);
}

TEST(ByteReader, FailsForGoodAtTheEnd) {
    ByteReader reader(bytes_of("abc"sv));
    EXPECT_EQ(reader.u32(), 0U);
    EXPECT_FALSE(reader.ok());
    EXPECT_EQ(reader.u8(), 0);  // though one byte would be there
    EXPECT_TRUE(reader.take(1).empty());
}

TEST(ByteReader, HugeCountDoesNotWrap) {
    ByteReader reader(bytes_of("abc"sv));
    reader.skip(1);
    EXPECT_TRUE(reader.take(static_cast<std::size_t>(-1)).empty());
    EXPECT_FALSE(reader.ok());
}

TEST(ByteReader, TextEndsAtNulOrAtItsWidth) {
    ByteReader reader(bytes_of("ab\0xyzw"sv));
    EXPECT_EQ(reader.text(4), "ab");
    EXPECT_EQ(reader.text(3), "yzw");
    EXPECT_TRUE(reader.ok());
}

}  // namespace
}  // namespace swrun
