#include "support/path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace swrun {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct CleanCase {
    const char* path;
    const char* clean;
};

class CleanPath : public testing::TestWithParam<CleanCase> {};

TEST_P(CleanPath, Gives) { EXPECT_EQ(clean_path(GetParam().path), GetParam().clean); }

TEST_P(CleanPath, IsDoneAfterOneStep) {
    EXPECT_EQ(clean_path(clean_path(GetParam().path)), clean_path(GetParam().path));
}

INSTANTIATE_TEST_SUITE_P(Paths, CleanPath,
                         testing::Values(CleanCase{"/", "/"}, CleanCase{"", "."}, CleanCase{".", "."},
                                         CleanCase{"./", "."}, CleanCase{"//", "/"},
                                         CleanCase{"/a//b/./c/../d/", "/a/b/d"}, CleanCase{"/..", "/"},
                                         CleanCase{"/../a", "/a"}, CleanCase{"/a/../..", "/"}, CleanCase{"a/b", "a/b"},
                                         CleanCase{"a/..", "."}, CleanCase{"a/../..", ".."}, CleanCase{"../a", "../a"},
                                         CleanCase{"../../a/../b", "../../b"}, CleanCase{"./a", "a"},
                                         CleanCase{"/...", "/..."}, CleanCase{"/a b/ä", "/a b/ä"}));

TEST(AbsolutePath, TakesRelativeOnesFromTheBase) {
    EXPECT_EQ(absolute_path("/a/../b", "/base"), "/b");
    EXPECT_EQ(absolute_path("a", "/base"), "/base/a");
    EXPECT_EQ(absolute_path("../a", "/base"), "/a");
    EXPECT_EQ(absolute_path(".", "/base"), "/base");
    EXPECT_EQ(absolute_path("", "/base"), "/base");
    EXPECT_EQ(absolute_path("a", "/"), "/a");
}

TEST(Components, SkipEmptyOnes) {
    EXPECT_THAT(components("/a//b/"), ElementsAre("a", "b"));
    EXPECT_THAT(components("a/./.."), ElementsAre("a", ".", ".."));
    EXPECT_THAT(components("/"), IsEmpty());
    EXPECT_THAT(components(""), IsEmpty());
}

TEST(IsBelow, ByComponent) {
    EXPECT_TRUE(is_below("/a/b", "/a"));
    EXPECT_TRUE(is_below("/a", "/a"));
    EXPECT_TRUE(is_below("/a", "/"));
    EXPECT_TRUE(is_below("/", "/"));
    EXPECT_FALSE(is_below("/ab", "/a"));
    EXPECT_FALSE(is_below("/a", "/a/b"));
    EXPECT_FALSE(is_below("/", "/a"));
    EXPECT_FALSE(is_below("a", "/"));
    EXPECT_FALSE(is_below("", "/"));
}

TEST(ParentPath, OfCleanPaths) {
    EXPECT_EQ(parent_path("/a/b"), "/a");
    EXPECT_EQ(parent_path("/a"), "/");
    EXPECT_EQ(parent_path("/"), "/");
    EXPECT_EQ(parent_path("a"), ".");
}

TEST(BaseName, OfCleanPaths) {
    EXPECT_EQ(base_name("/a/b"), "b");
    EXPECT_EQ(base_name("/a"), "a");
    EXPECT_EQ(base_name("/"), "/");
    EXPECT_EQ(base_name("a"), "a");
}

TEST(JoinPath, ExactlyOneSlash) {
    EXPECT_EQ(join_path("/a", "b"), "/a/b");
    EXPECT_EQ(join_path("/a/", "b"), "/a/b");
    EXPECT_EQ(join_path("/a", "/b"), "/a/b");
    EXPECT_EQ(join_path("/a/", "//b/c"), "/a/b/c");
    EXPECT_EQ(join_path("/", "b"), "/b");
}

}  // namespace
}  // namespace swrun
