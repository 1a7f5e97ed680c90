// Directories that no builder makes: a name twice, names out of order.  A listing shows what a look-up finds.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "image/image_view.h"
#include "support/image_fixture.h"

namespace swrun {
namespace {

class SquashNames : public testing::Test {
protected:
    void SetUp() override { SWRUN_NEED_TOOL("mksquashfs"); }

    // In an image of these files, each with its name as content, some entries are given other names of the same length.
    void make(const std::vector<std::string>& names, const std::vector<std::pair<std::string, std::string>>& renamed) {
        for (const std::string& name : names) write_file(dir_ / ("root/" + name), name);
        ASSERT_TRUE(make_squashfs(dir_ / "root", dir_ / "image", "-noI -nopad -no-fragments"));
        std::string bytes = slurp(dir_ / "image");
        std::uint64_t directories = 0;
        std::memcpy(&directories, bytes.data() + 72, sizeof directories);
        for (const auto& [from, to] : renamed) {
            const std::size_t entry = bytes.find(from, directories);
            ASSERT_NE(entry, std::string::npos) << from.substr(from.size() - 3);
            bytes.replace(entry, from.size(), to);
        }
        auto reader = open_squash_bytes(bytes);
        ASSERT_TRUE(reader) << reader.error().message;
        reader_ = std::make_unique<SquashReader>(std::move(reader).value());
    }
    std::vector<std::string> listed(std::size_t piece) {
        const SquashNode root = reader_->root().value();
        std::vector<std::string> names;
        std::uint64_t from = 0;
        for (;;) {
            const auto part = reader_->list(root, from, piece).value();
            for (const SquashEntry& entry : part) {
                names.push_back(entry.name);
                // What is listed is what is found.
                const auto found = reader_->lookup(root, entry.name).value();
                EXPECT_TRUE(found.has_value()) << entry.name;
                if (found) {
                    EXPECT_EQ(found->id, entry.id) << entry.name;
                }
            }
            if (part.size() < piece) return names;
            from = part.back().next;
        }
    }
    std::string content(const std::string& name) {
        return ImageView(*reader_).read_text("/" + name, 1000).value_or("cannot be read");
    }

    TempDir dir_;
    std::unique_ptr<SquashReader> reader_;
};

using Names = std::vector<std::string>;

TEST_F(SquashNames, TheFirstOfTwoCounts) {
    make({"aa", "ab", "ac", "ad"}, {{"ac", "ab"}});
    for (const std::size_t piece : {1U, 2U, 3U, 100U}) EXPECT_EQ(listed(piece), (Names{"aa", "ab", "ad"})) << piece;
    EXPECT_EQ(content("ab"), "ab");
    EXPECT_EQ(ImageView(*reader_).list("/").value(), (Names{"aa", "ab", "ad"}));
}

TEST_F(SquashNames, OfThreeAndAtBothEnds) {
    make({"a1", "a2", "a3", "b1", "b2"}, {{"a2", "a1"}, {"a3", "a1"}, {"b2", "b1"}});
    for (const std::size_t piece : {1U, 2U, 100U}) EXPECT_EQ(listed(piece), (Names{"a1", "b1"})) << piece;
    EXPECT_EQ(content("a1"), "a1");
    EXPECT_EQ(content("b1"), "b1");
}

TEST_F(SquashNames, AFileAndADirectory) {
    make({"aa", "ab/inside", "ac"}, {{"ab", "aa"}});
    EXPECT_EQ(listed(100), (Names{"aa", "ac"}));
    EXPECT_EQ(content("aa"), "aa");
    make({"aa", "ab/inside", "ac"}, {{"ac", "ab"}});
    EXPECT_EQ(listed(100), (Names{"aa", "ab"}));
    EXPECT_EQ(content("ab/inside"), "ab/inside");
}

TEST_F(SquashNames, OutOfOrder) {
    make({"aa", "ab", "ac", "ad"}, {{"ac", "aa"}});
    for (const std::size_t piece : {1U, 3U, 100U}) EXPECT_EQ(listed(piece), (Names{"aa", "ab", "ad"})) << piece;
    EXPECT_EQ(content("aa"), "aa");
    make({"aa", "ab", "ac", "ad"}, {{"aa", "zz"}});
    EXPECT_EQ(listed(100), (Names{"zz"})) << "a look-up of the others ends before it gets there";
}

// A large directory has an index, which names the first entry of each block: here the 39th name begins in the first block
// and ends in the second.
TEST_F(SquashNames, OnBothSidesOfABlock) {
    Names names;
    const std::string prefix(200, 'n');
    for (int i = 100; i < 200; ++i) names.push_back(prefix + std::to_string(i));
    for (std::size_t i = 30; i < 50; ++i) {
        if (i == 37) continue;  // the bytes of the next do not lie in a row
        make(names, {{names[i + 1], names[i]}});
        Names wanted = names;
        wanted.erase(wanted.begin() + static_cast<std::ptrdiff_t>(i + 1));
        for (const std::size_t piece : {1U, 16U, 1000U}) EXPECT_TRUE(listed(piece) == wanted) << i << " " << piece;
        EXPECT_TRUE(content(names[i]) == names[i]) << i;
        if (HasFailure()) return;
    }
}

}  // namespace
}  // namespace swrun
