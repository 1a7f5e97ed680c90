// Ranges of ids from subuid(5).
#include <gtest/gtest.h>

#include "runtime/id_ranges.h"

namespace swrun {
namespace {

UserFacts user() { return {1234, 1234, "u", "", "/home/u", "/bin/sh", true}; }

struct Case {
    const char* text;
    std::uint32_t start;
    std::uint32_t count;
};

TEST(IdRanges, TheUsualSizeElseTheLargest) {
    const Case cases[] = {
        {"", 0, 0},
        {"u:100000:65536\n", 100000, 65536},
        {"1234:100000:65536", 100000, 65536},
        {"v:1:65536\nu:5:65536\n", 5, 65536},
        {"u:100000:1000\n", 0, 0},
        {"u:100000:70000\nu:300000:90000\n", 300000, 90000},
        {"u:100000:90000\nu:300000:65536\n", 300000, 65536},
        {"!u:100000:65536\n", 0, 0},
        {"u:4294967000:65536\n", 0, 0},
        {"u:0:65536\nu:-5:65536\nu:x:65536\nu:5\n", 0, 0},
    };
    for (const Case& one : cases) {
        const IdRange range = range_in_subid(one.text, user());
        EXPECT_EQ(range.start, one.start) << one.text;
        EXPECT_EQ(range.count, one.count) << one.text;
    }
}

}  // namespace
}  // namespace swrun
