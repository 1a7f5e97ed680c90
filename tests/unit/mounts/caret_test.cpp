#include "mounts/caret.h"

#include <gtest/gtest.h>

namespace swrun {
namespace {

TEST(Caret, MarksThePart) {
    EXPECT_EQ(point_at("/a:/b,ro", 6, 2), "\n    /a:/b,ro\n          ^~");
    EXPECT_EQ(point_at("x", 0, 1), "\n    x\n    ^");
}

TEST(Caret, AnEmptyPartHasOneColumn) {
    EXPECT_EQ(point_at(":/b", 0, 0), "\n    :/b\n    ^");
    EXPECT_EQ(point_at("/a:", 3, 0), "\n    /a:\n       ^");
}

TEST(Caret, CountsColumnsNotBytes) {
    EXPECT_EQ(point_at("/ää,ro", 6, 2), "\n    /ää,ro\n        ^~");
    EXPECT_EQ(point_at("/ää", 0, 5), "\n    /ää\n    ^~~");
}

TEST(Caret, CountsWhatUnprintableBytesBecome) {
    EXPECT_EQ(point_at("a\tb", 2, 1), "\n    a\\x09b\n         ^");
    EXPECT_EQ(point_at("a\tb", 1, 1), "\n    a\\x09b\n     ^~~~");
}

TEST(Caret, CutsALongValueAroundThePart) {
    const std::string value = std::string(200, 'a') + "MARK" + std::string(200, 'b');
    EXPECT_EQ(point_at(value, 200, 4), "\n    ..." + std::string(50, 'a') + "MARK" + std::string(36, 'b') +
                                           "...\n    " + std::string(53, ' ') + "^~~~");
}

TEST(Caret, DoesNotCutInsideACharacter) {
    std::string value;
    for (int i = 0; i < 100; ++i) value += "€";  // three bytes each
    const std::string shown = point_at(value, 150, 3);
    const std::string expected_line = shown.substr(5, shown.find('\n', 5) - 5);
    EXPECT_EQ(expected_line.substr(0, 6), "...€");
    EXPECT_EQ(expected_line.substr(expected_line.size() - 6), "€...");
}

TEST(Caret, APositionOutsideIsTheEnd) { EXPECT_EQ(point_at("ab", 99, 5), "\n    ab\n      ^"); }

}  // namespace
}  // namespace swrun
