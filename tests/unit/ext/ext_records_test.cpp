// Entries of directories, and where descriptors are.
#include "ext/ext_records.h"

#include <gtest/gtest.h>

#include <string>

#include "ext/ext_super.h"
#include "support/byte_reader.h"

namespace swrun {
namespace {

std::string number(std::uint64_t value, int size) {
    std::string bytes;
    for (int i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i));
    return bytes;
}

std::string entry(std::uint32_t inode, std::size_t length, const std::string& name, std::size_t claimed = 0) {
    std::string bytes = number(inode, 4) + number(length, 2) + number(claimed != 0 ? claimed : name.size(), 1) +
                        '\x01' + name;
    if (bytes.size() < length) bytes.resize(length, '\0');
    return bytes;
}

std::string names_in(const std::string& area) {
    const auto names = parse_ext_names(bytes_of(area));
    if (!names) return "damaged";
    std::string text;
    for (const ExtName& name : *names) text += std::to_string(name.inode) + "=" + std::string(name.name) + " ";
    return text;
}

TEST(ExtNames, AreThoseInUse) {
    EXPECT_EQ(names_in(""), "");
    EXPECT_EQ(names_in(entry(2, 12, ".") + entry(2, 12, "..") + entry(11, 1000, "one")), "11=one ");
    EXPECT_EQ(names_in(entry(0, 16, "deleted") + entry(12, 996, "two") + entry(0, 12, "", 0)), "12=two ")
        << "with a checksum";
    EXPECT_EQ(names_in(entry(0, 1024, "")), "") << "a node of a hash tree";
    EXPECT_EQ(names_in(entry(5, 12, "four") + entry(6, 264, std::string(255, 'n'))),
              "5=four 6=" + std::string(255, 'n') + " ");
}

TEST(ExtNames, OfTheLargestBlocks) {
    for (const std::size_t field : {0U, 0xffffU}) {
        std::string area = entry(7, field, "one");
        area.resize(65536, '\0');
        EXPECT_EQ(names_in(area), "7=one ") << field;
        area.resize(32768);
        EXPECT_EQ(names_in(area), "damaged") << field;
    }
}

TEST(ExtNames, ThatAreDamaged) {
    for (const std::string& area :
         {entry(9, 12, "x") + "1234567", entry(9, 8, "x"), entry(9, 0, "x"), entry(9, 4, "x"), entry(9, 14, "x") + "..",
          entry(9, 16, "x").substr(0, 12), entry(9, 12, "name", 200), entry(9, 12, "a/b"),
          entry(9, 12, std::string("a\0b", 3)), entry(9, 12, ""), entry(0, 0, ""), entry(0, 6, "")}) {
        EXPECT_EQ(names_in(area), "damaged") << area.size();
    }
}

TEST(ExtInline, IsTheAttributeSystemData) {
    const auto rest = [](const std::string& behind) {
        std::string record(128, '\0');
        record += number(32, 2) + std::string(30, '\0') + behind;
        record.resize(256, '\0');
        const auto value = ext_inline_rest(bytes_of(record));
        return std::string(reinterpret_cast<const char*>(value.data()), value.size());
    };
    const auto attribute = [](int prefix, const std::string& name, std::size_t offset, std::size_t size,
                              std::uint32_t other = 0) {
        std::string bytes = number(name.size(), 1) + number(static_cast<std::uint64_t>(prefix), 1) + number(offset, 2) +
                            number(other, 4) + number(size, 4) + number(0, 4) + name;
        return bytes + std::string((4 - bytes.size() % 4) % 4, '\0');
    };
    const std::string magic = number(0xEA020000, 4);
    std::string good = magic + attribute(1, "other", 88, 4) + attribute(7, "data", 80, 5);
    good.resize(4 + 80, '\0');
    EXPECT_EQ(rest(good + "value"), "value");
    EXPECT_EQ(rest(magic + attribute(1, "data", 80, 5)), "");
    EXPECT_EQ(rest(magic + attribute(7, "data", 80, 50)), "") << "it ends behind the inode";
    EXPECT_EQ(rest(magic + attribute(7, "data", 65535, 1)), "");
    EXPECT_EQ(rest(magic + attribute(7, "data", 80, 0xffffffff)), "");
    EXPECT_EQ(rest(magic + attribute(7, "data", 80, 4, 12)), "") << "in another inode";
    EXPECT_EQ(rest(number(0xEA020001, 4) + attribute(7, "data", 80, 4)), "");
    EXPECT_TRUE(ext_inline_rest(bytes_of(std::string(128, 'x'))).empty());
    EXPECT_TRUE(ext_inline_rest(bytes_of(std::string(256, '\xff'))).empty());
}

TEST(ExtDescriptors, AreWhereTheLayoutPutsThem) {
    ExtSuper super;
    super.block_size = 1024;
    super.first_block = 1;
    super.blocks_per_group = 8192;
    super.descriptor_size = 32;
    super.read_only = 1;
    super.first_meta_block = 0xffffffff;
    EXPECT_EQ(ext_descriptor_position(super, 0), 2048U);
    EXPECT_EQ(ext_descriptor_position(super, 33), 2048U + 33 * 32);
    super.first_meta_block = 1;  // 32 groups to a block
    EXPECT_EQ(ext_descriptor_position(super, 31), 2048U + 31 * 32);
    EXPECT_EQ(ext_descriptor_position(super, 33), (1U + 32 * 8192) * 1024 + 32)
        << "no copy of the superblock in group 32";
    super.descriptor_size = 64;
    super.first_meta_block = 0;
    EXPECT_EQ(ext_descriptor_position(super, 0), 2048U);
    super.read_only = 0;
    EXPECT_EQ(ext_descriptor_position(super, 16), (1U + 16 * 8192 + 1) * 1024) << "a copy in each group";
    super.compat = 0x200;
    super.backup_groups = {1, 32};
    EXPECT_EQ(ext_descriptor_position(super, 16), (1U + 16 * 8192) * 1024);
    EXPECT_EQ(ext_descriptor_position(super, 32), (1U + 32 * 8192 + 1) * 1024);
    super.block_size = 4096;
    super.first_block = 0;
    EXPECT_EQ(ext_descriptor_position(super, 1), 4096U + 64);
}

}  // namespace
}  // namespace swrun
