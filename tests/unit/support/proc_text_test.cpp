// Texts as the kernel writes them, and such as it never would.
#include "support/proc_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace swrun {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string kStat =
    "7 (a) b) (c) S 1 7 7 0 -1 4194304 100 0 0 0 1 2 0 0 20 0 1 0 98765 1000 10 18446744073709551615 0 0 0 0 0 0 0 0 0 "
    "0 0 "
    "0 17 5 0 0 0\n";

TEST(ProcText, FieldsAreCountedBehindTheName) {
    EXPECT_EQ(stat_field(kStat, StatField::state), "S");
    EXPECT_EQ(stat_field(kStat, StatField::start_time), "98765");
    EXPECT_EQ(stat_field(kStat, StatField::processor), "5");
}

TEST(ProcText, AShortStatHasNoSuchField) {
    for (const char* text : {"", ")", ") ", "7", "7 (x)", "7 (x", "7 (x) S 1 2"}) {
        EXPECT_EQ(stat_field(text, StatField::processor), "") << text;
        EXPECT_EQ(stat_field(text, StatField::start_time), "") << text;
    }
    EXPECT_EQ(stat_field("7 (x) S", StatField::state), "S");
}

TEST(ProcText, LinesOfControlGroups) {
    const std::string text = "12:cpu,cpuacct:/a:b\n1:name=systemd:/s\n0::/user.slice/a b\n";
    const auto lines = group_lines(text);
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_EQ(lines[0].path, "/a:b");
    EXPECT_TRUE(lines[0].has("cpu"));
    EXPECT_TRUE(lines[0].has("cpuacct"));
    EXPECT_FALSE(lines[0].has("cpua"));
    EXPECT_FALSE(lines[0].is_unified());
    EXPECT_EQ(lines[1].controllers, "name=systemd");
    EXPECT_TRUE(lines[2].is_unified());
}

TEST(ProcText, OtherLinesAreLeftOut) {
    for (const char* text : {"", "\n\n", "0", "0:", "0::", "0::relative", ":"}) {
        EXPECT_THAT(group_lines(text), IsEmpty()) << text;
    }
}

TEST(ProcText, TheGroupOfVersion2) {
    EXPECT_EQ(unified_group("0::/user.slice/a b\n"), "/user.slice/a b");
    EXPECT_EQ(unified_group("9:name=systemd:/\n8:pids:/x\n0::/\n"), "/");
    EXPECT_EQ(unified_group("8:pids:/x\n"), "");
    EXPECT_EQ(unified_group(""), "");
}

TEST(ProcText, AGroupAndThoseAbove) {
    EXPECT_THAT(group_and_above("/a/b"), ElementsAre("/a/b", "/a", "/"));
    EXPECT_THAT(group_and_above("/"), ElementsAre("/"));
    EXPECT_THAT(group_and_above("/../a"), IsEmpty()) << "of a group outside the namespace";
}

TEST(SignalMask, IsTheFieldsSet) {
    const std::string status = "Name:\tSigIgn: ff\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000081000\nSigCgt:\tzz\n";
    EXPECT_EQ(signal_mask_in(status, "SigBlk"), 0U);
    EXPECT_EQ(signal_mask_in(status, "SigIgn"), 0x81000U);
    EXPECT_EQ(signal_mask_in(status, "SigCgt"), std::nullopt);
    EXPECT_EQ(signal_mask_in(status, "Sig"), std::nullopt);
    EXPECT_EQ(signal_mask_in("", "SigBlk"), std::nullopt);
}

}  // namespace
}  // namespace swrun
