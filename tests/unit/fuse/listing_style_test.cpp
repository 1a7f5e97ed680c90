#include "fuse/listing_style.h"

#include <gtest/gtest.h>

namespace swrun {
namespace {

TEST(ListingStyle, AWalkGetsNamesOnly) {
    ListingStyle style;
    for (std::uint64_t directory = 0; directory < 5000; ++directory) {
        EXPECT_FALSE(style.brings_files(directory));
        style.note_lookup(directory + 100000);  // nobody listed that one
    }
}

TEST(ListingStyle, WhoLooksAtFilesGetsThemWithTheNext) {
    ListingStyle style;
    int without = 0;
    for (std::uint64_t directory = 0; directory < 5000; ++directory) {
        if (style.brings_files(directory)) continue;
        ++without;
        for (int file = 0; file < 10; ++file) style.note_lookup(directory);
    }
    EXPECT_GE(without, 1);
    EXPECT_LE(without, 5000 / 100);
}

TEST(ListingStyle, AWalkAfterwardsGetsNamesAgain) {
    ListingStyle style;
    (void)style.brings_files(0);
    for (int file = 0; file < 100000; ++file) style.note_lookup(0);
    int with = 0;
    for (std::uint64_t directory = 1; directory < 5000; ++directory) with += style.brings_files(directory) ? 1 : 0;
    EXPECT_GT(with, 0);
    EXPECT_LT(with, 2000);
}

}  // namespace
}  // namespace swrun
