// Extended attributes: those that went into an image, and what hostile tables say.
#include "squashfs/squash_xattrs.h"

#include <gtest/gtest.h>
#include <sys/xattr.h>

#include <cerrno>
#include <cstring>
#include <map>

#include "image/image_view.h"
#include "support/image_fixture.h"

namespace swrun {
namespace {

using Attributes = std::map<std::string, std::string>;

class SquashXattrsTest : public testing::Test {
protected:
    void SetUp() override {
        SWRUN_NEED_TOOL("mksquashfs");
        for (const char* name : {"/plain", "/few", "/many", "/twin", "/other", "/folder/inside"})
            write_file(root_ + name, name);
        if (!set("/few", "user.one", "1")) SWRUN_SKIP() << "this file system takes no extended attributes";
    }
    bool set(const std::string& path, const std::string& name, const std::string& value) {
        return ::lsetxattr((root_ + path).c_str(), name.c_str(), value.data(), value.size(), 0) == 0;
    }
    void set_all() {
        ASSERT_TRUE(set("/few", "user.empty", ""));
        ASSERT_TRUE(set("/few", "user.nul", std::string("a\0b", 3)));
        for (int i = 0; i < 20; ++i) ASSERT_TRUE(set("/many", "user.n" + std::to_string(i), noise(100, 7U + i)));
        // Long values that are the same are stored once, and elsewhere than the names.
        for (const char* path : {"/twin", "/other"}) ASSERT_TRUE(set(path, "user.long", noise(2000, 3)));
        ASSERT_TRUE(set("/other", "user.more", "x"));
        ASSERT_TRUE(set("/folder", "user.of a directory", "yes"));
    }
    std::string image(const std::string& options = "") {
        EXPECT_TRUE(make_squashfs(root_, dir_ / "image", options));
        return slurp(dir_ / "image");
    }
    static SquashNode at(SquashReader& reader, const std::string& path) {
        return ImageView(reader).find(path).value_or(SquashNode{});
    }
    static Attributes all(SquashReader& reader, const std::string& path) {
        const SquashNode node = at(reader, path);
        Attributes attributes;
        const auto names = reader.xattrs().names(node);
        EXPECT_TRUE(names) << names.error().message;
        for (const std::string& name : names.value()) {
            const auto value = reader.xattrs().value(node, name);
            EXPECT_TRUE(value) << value.error().message;
            attributes[name] = value->value_or("absent");
        }
        return attributes;
    }

    TempDir dir_;
    std::string root_ = dir_ / "root";
};

TEST_F(SquashXattrsTest, AreWhatWentIn) {
    set_all();
    for (const char* options : {"-comp gzip", "-noX", "-comp zstd -noI", "-no-exports -nopad"}) {
        SCOPED_TRACE(options);
        auto reader = open_squash_bytes(image(options));
        ASSERT_TRUE(reader);
        EXPECT_TRUE(reader->xattrs().may_exist());
        EXPECT_EQ(all(*reader, "/few"),
                  (Attributes{{"user.one", "1"}, {"user.empty", ""}, {"user.nul", std::string("a\0b", 3)}}));
        EXPECT_EQ(all(*reader, "/many").size(), 20U);
        EXPECT_EQ(all(*reader, "/many")["user.n13"], noise(100, 20));
        EXPECT_EQ(all(*reader, "/twin"), (Attributes{{"user.long", noise(2000, 3)}}));
        EXPECT_EQ(all(*reader, "/other"), (Attributes{{"user.long", noise(2000, 3)}, {"user.more", "x"}}));
        EXPECT_EQ(all(*reader, "/folder"), (Attributes{{"user.of a directory", "yes"}}));
        EXPECT_TRUE(all(*reader, "/plain").empty());
        const SquashNode few = at(*reader, "/few");
        for (const char* absent : {"user.on", "user.one1", "user.", "one", "", "trusted.one", "security.capability"})
            EXPECT_FALSE(reader->xattrs().value(few, absent).value()) << absent;
    }
}

TEST_F(SquashXattrsTest, MoreFilesThanOneBlockOfTheTableHolds) {
    for (int i = 0; i < 1100; ++i) {
        const std::string path = "/files/" + std::to_string(i);
        write_file(root_ + path, "");
        ASSERT_TRUE(set(path, "user.number", std::to_string(i)));
    }
    auto reader = open_squash_bytes(image());
    ASSERT_TRUE(reader);
    for (const int i : {0, 1, 511, 512, 513, 1023, 1024, 1099})
        EXPECT_EQ(all(*reader, "/files/" + std::to_string(i)), (Attributes{{"user.number", std::to_string(i)}})) << i;
}

TEST_F(SquashXattrsTest, AnImageWithoutSaysSo) {
    EXPECT_TRUE(open_squash_bytes(image())->xattrs().may_exist());
    auto none = open_squash_bytes(image("-no-xattrs"));
    ASSERT_TRUE(none);
    EXPECT_FALSE(none->xattrs().may_exist());
    EXPECT_TRUE(all(*none, "/few").empty());
}

TEST_F(SquashXattrsTest, OthersThanTheUsersAreNotShown) {
    ASSERT_EQ(::removexattr((root_ + "/few").c_str(), "user.one"), 0);
    if (!set("/few", "trusted.secret", "x") ||
        !set("/few", "security.capability", std::string("\1\0\0\2", 4) + std::string(16, '\0')))
        SWRUN_SKIP() << "only root may set them";
    auto reader = open_squash_bytes(image());
    ASSERT_TRUE(reader);
    ASSERT_NE(at(*reader, "/few").xattrs, kSquashNoXattrs) << "the image has them";
    EXPECT_FALSE(reader->xattrs().may_exist());
    EXPECT_TRUE(all(*reader, "/few").empty());
    EXPECT_FALSE(reader->xattrs().value(at(*reader, "/few"), "trusted.secret").value());
    ASSERT_TRUE(set("/many", "user.late", "1"));
    EXPECT_TRUE(open_squash_bytes(image())->xattrs().may_exist());
}

// Every number of the attributes takes bad values.  What comes back is an answer or damage, and soon.
TEST_F(SquashXattrsTest, HostileTables) {
    set_all();
    const std::string good = image("-noX -nopad");
    std::uint64_t table = 0;
    std::memcpy(&table, good.data() + 56, sizeof table);  // xattr_id_table_start
    std::uint64_t lists = 0;
    std::memcpy(&lists, good.data() + table, sizeof lists);
    ASSERT_LT(lists, table);
    for (std::size_t at_byte = lists; at_byte < good.size(); ++at_byte) {
        for (const int value : {0x00, 0x01, 0x7f, 0xff}) {
            for (const std::size_t width : {1U, 4U}) {
                std::string bytes = good;
                for (std::size_t i = at_byte; i < std::min(at_byte + width, bytes.size()); ++i)
                    bytes[i] = static_cast<char>(value);
                auto reader = open_squash_bytes(bytes);
                if (!reader) continue;
                (void)reader->xattrs().may_exist();
                for (const char* path : {"/few", "/twin", "/folder"}) {
                    const SquashNode node = at(*reader, path);
                    const auto names = reader->xattrs().names(node);
                    EXPECT_TRUE(names || names.error().sys_errno != 0);
                    (void)reader->xattrs().value(node, "user.long");
                }
            }
        }
        if (HasFailure()) FAIL() << "byte " << at_byte;
        if (at_byte < table && at_byte > lists + 300) at_byte += 10;
    }
}

TEST_F(SquashXattrsTest, DamageIsSaid) {
    std::string bytes = image("-noX -nopad");
    std::uint64_t table = 0;
    std::memcpy(&table, bytes.data() + 56, sizeof table);
    const std::uint32_t none = 0;
    std::memcpy(bytes.data() + table + 8, &none, sizeof none);  // the table has no list
    auto reader = open_squash_bytes(bytes);
    ASSERT_TRUE(reader);
    const auto names = reader->xattrs().names(at(*reader, "/few"));
    ASSERT_FALSE(names);
    EXPECT_EQ(names.error().message, "the image is damaged: extended attributes list 0 does not exist");
    EXPECT_EQ(names.error().sys_errno, EIO);
    EXPECT_TRUE(reader->xattrs().names(at(*reader, "/plain")).value().empty()) << "of other files nothing is";
}

// A list that says it has four thousand million entries, in an image that has as many bytes: the end comes long before.
TEST_F(SquashXattrsTest, WorkForOneFileIsBounded) {
    std::string bytes = image("-noX -nopad");
    // A block that holds one attribute again and again, then zeros, which are an attribute without a name: damage.
    std::uint64_t table = 0;
    std::memcpy(&table, bytes.data() + 56, sizeof table);
    std::uint64_t start = 0;
    std::memcpy(&start, bytes.data() + table, sizeof start);
    const std::uint64_t far = bytes.size();
    std::string block;
    const std::string entry("\0\0\1\0x\0\0\0\0", 9);
    while (block.size() + entry.size() <= 8190) block += entry;
    const auto header = static_cast<std::uint16_t>(0x8000U | block.size());
    for (int i = 0; i < 2500; ++i) {
        bytes.append(reinterpret_cast<const char*>(&header), sizeof header);
        bytes += block;
    }
    const std::uint64_t used = bytes.size();
    std::memcpy(bytes.data() + 40, &used, sizeof used);
    // The first list: where it begins, counted from `start`, and how many it has.
    std::uint64_t list_block = 0;
    std::memcpy(&list_block, bytes.data() + table + 16, sizeof list_block);
    const std::uint64_t reference = (far - start) << 16U;
    const std::uint32_t count = 0xffffffff;
    std::memcpy(bytes.data() + list_block + 2, &reference, sizeof reference);
    std::memcpy(bytes.data() + list_block + 10, &count, sizeof count);
    auto reader = open_squash_bytes(bytes);
    ASSERT_TRUE(reader);
    const SquashNode node = at(*reader, "/few");
    EXPECT_EQ(reader->xattrs().names(node).error().sys_errno, E2BIG);
    const auto value = reader->xattrs().value(node, "user.absent");
    ASSERT_FALSE(value);
    EXPECT_EQ(value.error().message, "the image is damaged: extended attributes are more than a file can have");
    EXPECT_LT(reader->metadata_cache().counters().decodes, 2400U);
}

}  // namespace
}  // namespace swrun
