#include "commands/instance_stats.h"

#include <gtest/gtest.h>

namespace swrun {
namespace {

TEST(InstanceStats, numbers_of_a_group) {
    const GroupTexts texts{
        "usage_usec 3000000\nuser_usec 2000000\nsystem_usec 1000000\n",      "1048576\n", "2097152\n",
        "8:0 rbytes=100 wbytes=200 rios=1 wios=2\n8:16 rbytes=1 wbytes=2\n", "3\n",       "max\n"};
    const GroupNumbers numbers = numbers_in(texts);
    EXPECT_EQ(numbers.cpu_usec, 3000000U);
    EXPECT_EQ(numbers.memory, 1048576U);
    EXPECT_EQ(numbers.memory_limit, 2097152U);
    EXPECT_EQ(numbers.read_bytes, 101U);
    EXPECT_EQ(numbers.written_bytes, 202U);
    EXPECT_EQ(numbers.pids, 3U);
    EXPECT_EQ(numbers.pids_limit, 0U);
    EXPECT_EQ(numbers_in({}), GroupNumbers{});
}

TEST(InstanceStats, table) {
    GroupNumbers before;
    GroupNumbers now;
    now.cpu_usec = 500000;
    now.memory = 1048576;
    now.memory_limit = 2097152;
    now.pids = 3;
    EXPECT_EQ(stats_table("web", before, now, 1.0),
              "INSTANCE NAME    CPU USAGE    MEM USAGE / LIMIT    MEM %     BLOCK I/O    PIDS\n"
              "web              50.00%       1MiB / 2MiB          50.00%    0B / 0B      3\n");
}

TEST(InstanceStats, sizes) {
    EXPECT_EQ(bytes_text(0), "0B");
    EXPECT_EQ(bytes_text(1023), "1023B");
    EXPECT_EQ(bytes_text(1536), "1.5KiB");
    EXPECT_EQ(bytes_text(std::uint64_t{3} << 29U), "1.5GiB");
}

}  // namespace
}  // namespace swrun
