// Decoded blocks are given back when nobody asks.
#include "fuse/caretaker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>

#include "squashfs/block_cache.h"
#include "support/fake_clock.h"

namespace swrun {
namespace {

using namespace std::chrono_literals;

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
    [[nodiscard]] bool is_empty() const { return cache.counters().bytes == 0; }

    BlockCache cache{1U << 20U};
    FakeClock clock;
    const Duties duties{.trim = [this] {
        ++trims;
        cache.clear();
    }};
    std::atomic<int> trims = 0;
};

TEST_F(Idle, TrimsAgainAfterEveryPause) {
    Caretaker caretaker(duties, Holder(Fd(), Doors()), 2s, clock);
    clock.settle();
    EXPECT_FALSE(is_empty());
    clock.advance(1999ms);
    EXPECT_FALSE(is_empty());
    clock.advance(1ms);
    EXPECT_TRUE(is_empty());
    clock.advance(1h);
    EXPECT_EQ(trims, 1) << "while nobody asks there is nothing to give back";
    fill(2);
    caretaker.note_request();
    clock.settle();
    EXPECT_FALSE(is_empty());
    clock.advance(2s);
    EXPECT_FALSE(is_empty()) << "somebody has asked in the meantime";
    clock.advance(2s);
    EXPECT_TRUE(is_empty());
    EXPECT_EQ(trims, 2);
}

TEST_F(Idle, KeepsWhatIsInUse) {
    Caretaker caretaker(duties, Holder(Fd(), Doors()), 200ms, clock);
    for (int i = 0; i < 50; ++i) {
        caretaker.note_request();
        clock.advance(150ms);
        EXPECT_FALSE(is_empty()) << i;
    }
    for (int i = 0; i < 2; ++i) clock.advance(200ms);
    EXPECT_TRUE(is_empty());
}

TEST_F(Idle, IsYoungOnce) {
    std::atomic<int> begun = 0;
    std::atomic<int> settled = 0;
    Caretaker caretaker({.trim = [] {}, .settled = [&] { ++settled; }, .begun = [&] { ++begun; }},
                        Holder(Fd(), Doors()), 2s, clock);
    clock.settle();
    EXPECT_EQ(begun, 1);
    EXPECT_EQ(settled, 0);
    for (int i = 0; i < 5; ++i) {
        caretaker.note_request();
        clock.advance(2s);
        EXPECT_EQ(settled, 1) << "though somebody asks";
    }
    EXPECT_EQ(begun, 1);
}

TEST_F(Idle, EndsAtOnceWhileItSleeps) {
    { const Caretaker caretaker(duties, Holder(Fd(), Doors()), 1h, clock); }
    EXPECT_EQ(trims, 0);
}

}  // namespace
}  // namespace swrun
