#include "fuse/server_stats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/fuse.h>
#include <sys/stat.h>

#include <cstdlib>

#include "support/image_fixture.h"

namespace swrun {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ServerStats, CountsRequestsByTheirName) {
    ServerStats stats("/unused");
    stats.count(FUSE_LOOKUP);
    stats.count(FUSE_LOOKUP);
    stats.count(FUSE_READDIRPLUS);
    const std::string line = stats.line({}, 0);
    EXPECT_THAT(line, HasSubstr(R"({"requests":{"LOOKUP":2,"READDIRPLUS":1},"requests_total":3,)"));
}

TEST(ServerStats, WhatTheProtocolNamesLaterIsCountedByNumber) {
    ServerStats stats("/unused");
    stats.count(58);
    stats.count(63);
    stats.count(4096);
    EXPECT_THAT(stats.line({}, 0), HasSubstr(R"({"opcode 58":1,"opcode 63":2},"requests_total":3)"));
}

TEST(ServerStats, TellsBlocksDecodedAndDecodedTwice) {
    const std::string line = ServerStats("/unused").line(
        {.decodes = 15, .repeats = 2, .hits = 40, .bytes = 9, .hot = 7}, 18);
    EXPECT_THAT(line, HasSubstr(R"("blocks_decoded":15,"blocks_decoded_twice":2,"block_hits":40,"blocks_hot":7,)"));
    EXPECT_THAT(line, HasSubstr(R"("metadata_blocks_decoded":18,)"));
    EXPECT_EQ(line.back(), '}');
}

TEST(ServerStats, EveryServerAppendsALineThatOnlyItsUserReads) {
    const TempDir dir;
    const std::string file = dir / "stats";
    ServerStats stats(file);
    ASSERT_TRUE(stats.append({}, 1));
    ASSERT_TRUE(stats.append({}, 2));
    const std::string text = slurp(file);
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
    EXPECT_THAT(text, HasSubstr(R"("metadata_blocks_decoded":2,)"));
    struct stat st {};
    ASSERT_EQ(::stat(file.c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 077U, 0U);
}

TEST(ServerStats, WantedOnlyByAnAbsolutePath) {
    ::unsetenv("SWRUN_SERVER_STATS");
    EXPECT_EQ(ServerStats::wanted(), nullptr);
    ::setenv("SWRUN_SERVER_STATS", "relative", 1);
    EXPECT_EQ(ServerStats::wanted(), nullptr) << "the server's directory is /";
    ::setenv("SWRUN_SERVER_STATS", "/tmp/stats", 1);
    EXPECT_NE(ServerStats::wanted(), nullptr);
    ::unsetenv("SWRUN_SERVER_STATS");
}

}  // namespace
}  // namespace swrun
