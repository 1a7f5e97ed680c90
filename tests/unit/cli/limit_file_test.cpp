#include "cli/limit_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace swrun {
namespace {

TEST(LimitFile, reads_the_tables_of_the_specification) {
    const auto values = parse_limit_file(R"(
[memory]
limit = 1000
reservation = 500
swap = -1
disableOOMKiller = true
[cpu]
shares = 512
quota = 50000
period = 100000
cpus = "0-1"
mems = "0"
[pids]
limit = 99
[blockIO]
weight = 100
[[blockIO.weightDevice]]
major = 8
minor = 16
weight = 200
[[blockIO.throttleReadBpsDevice]]
major = 8
minor = 0
rate = 1048576
[[hugepageLimits]]
pageSize = "2MB"
limit = 4
[unified]
"memory.high" = "900"
)",
                                         "f.toml");
    ASSERT_TRUE(values) << values.error().message;
    EXPECT_EQ(values->memory, 1000);
    EXPECT_EQ(values->memory_swap, -1);
    EXPECT_TRUE(values->oom_kill_disable);
    EXPECT_EQ(values->cpu_shares, 512U);
    EXPECT_EQ(values->cpu_quota, 50000);
    EXPECT_EQ(values->cpuset_cpus, "0-1");
    EXPECT_EQ(values->pids, 99);
    EXPECT_EQ(values->blkio_weight_device.at(0).number, "8:16");
    EXPECT_EQ(values->throttles.at(0).first, "rbps");
    EXPECT_EQ(values->throttles.at(0).second.value, 1048576U);
    EXPECT_EQ(values->unified.at(0), (std::pair<std::string, std::string>("memory.high", "900")));
    EXPECT_EQ(values->unified.at(1), (std::pair<std::string, std::string>("hugetlb.2MB.max", "4")));
}

TEST(LimitFile, says_what_it_leaves_out) {
    const auto values = parse_limit_file("[[devices]]\nallow = false\n[network]\nclassID = 1\n", "f.toml");
    ASSERT_TRUE(values);
    EXPECT_EQ(values->notes.size(), 2U);
}

TEST(LimitFile, mistakes_have_a_position) {
    for (const char* text : {"[memory]\nlimit = \"x\"\n", "[cpu]\nshares = -1\n", "pids = 3\n",
                             "[blockIO]\nweightDevice = 1\n", "[unified]\n\"pids.max\" = 5\n", "not toml"}) {
        const auto values = parse_limit_file(text, "f.toml");
        ASSERT_FALSE(values) << text;
        EXPECT_THAT(values.error().message, ::testing::StartsWith("f.toml:")) << text;
    }
    EXPECT_TRUE(parse_limit_file("", "f.toml"));
}

}  // namespace
}  // namespace swrun
