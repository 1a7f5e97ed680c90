// Decoded blocks are given back when nobody asks.
#include "fuse/caretaker.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "squashfs/block_cache.h"

namespace swrun {
namespace {

using std::chrono::milliseconds;

struct Idle : testing::Test {
    void SetUp() override { fill(1); }
    void fill(std::uint64_t position) {
        const auto made = cache.get({position, 8}, [] {
            auto block = std::make_shared<Block>();
            block->bytes = block_memory(8);
            block->size = 8;
            return Result<BlockPtr>(BlockPtr(std::move(block)));
        });
        ASSERT_TRUE(made);
    }
    bool empties() {
        for (int i = 0; i < 400 && cache.counters().bytes != 0; ++i) std::this_thread::sleep_for(milliseconds(5));
        return cache.counters().bytes == 0;
    }

    BlockCache cache{1U << 20U};
};

TEST_F(Idle, TrimsAgainAfterEveryPause) {
    Caretaker caretaker({.trim = [this] { cache.clear(); }}, Holder(Fd(), Doors()), milliseconds(20));
    EXPECT_TRUE(empties());
    std::this_thread::sleep_for(milliseconds(30));
    fill(2);
    caretaker.note_request();
    EXPECT_TRUE(empties());
}

TEST_F(Idle, KeepsWhatIsInUse) {
    Caretaker caretaker({.trim = [this] { cache.clear(); }}, Holder(Fd(), Doors()), milliseconds(200));
    for (int i = 0; i < 50; ++i) {
        caretaker.note_request();
        std::this_thread::sleep_for(milliseconds(10));
    }
    EXPECT_NE(cache.counters().bytes, 0U);
}

TEST_F(Idle, EndsAtOnceWhileItSleeps) {
    const auto begin = std::chrono::steady_clock::now();
    {
        const Caretaker caretaker({.trim = [this] { cache.clear(); }}, Holder(Fd(), Doors()), std::chrono::hours(1));
    }
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
}

}  // namespace
}  // namespace swrun
