// Decoded blocks are given back when nobody asks.
#include "fuse/idle.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <thread>

#include "support/fd.h"

namespace swrun {
namespace {

using std::chrono::milliseconds;

struct Idle : testing::Test {
    void SetUp() override {
        std::array<int, 2> ends{};
        ASSERT_EQ(::pipe(ends.data()), 0);
        device = Fd(ends[0]);
        kernel = Fd(ends[1]);
        fill(1);
    }
    void fill(std::uint64_t position) {
        const auto made = cache.get({position, 8}, [] {
            auto block = std::make_shared<Block>();
            block->bytes = std::make_unique<std::byte[]>(8);
            block->size = 8;
            return Result<BlockPtr>(BlockPtr(std::move(block)));
        });
        ASSERT_TRUE(made);
    }
    bool empties() {
        for (int i = 0; i < 400 && cache.counters().bytes != 0; ++i) std::this_thread::sleep_for(milliseconds(5));
        return cache.counters().bytes == 0;
    }

    Fd device;
    Fd kernel;
    BlockCache cache{1U << 20U};
};

TEST_F(Idle, TrimsAgainAfterEveryPause) {
    IdleTrimmer trimmer(device.get(), cache, milliseconds(20));
    EXPECT_TRUE(empties());
    fill(2);
    ASSERT_EQ(::write(kernel.get(), "r", 1), 1);  // a request, which a thread of the server takes
    char byte = 0;
    std::this_thread::sleep_for(milliseconds(30));
    ASSERT_EQ(::read(device.get(), &byte, 1), 1);
    trimmer.note_request();
    EXPECT_TRUE(empties());
}

TEST_F(Idle, KeepsWhatIsInUse) {
    IdleTrimmer trimmer(device.get(), cache, milliseconds(200));
    for (int i = 0; i < 50; ++i) {
        trimmer.note_request();
        std::this_thread::sleep_for(milliseconds(10));
    }
    EXPECT_NE(cache.counters().bytes, 0U);
}

TEST_F(Idle, EndsAtOnceWhileItSleeps) {
    const auto begin = std::chrono::steady_clock::now();
    { const IdleTrimmer trimmer(device.get(), cache, std::chrono::hours(1)); }
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
}

TEST_F(Idle, EndsWithTheMount) {
    IdleTrimmer trimmer(device.get(), cache, milliseconds(1));
    EXPECT_TRUE(empties());
    kernel.reset();  // POLLHUP
}

}  // namespace
}  // namespace swrun
