#include "squashfs/block_cache.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <future>
#include <thread>
#include <vector>

namespace swrun {
namespace {

Result<BlockPtr> block_of(std::size_t size, char fill) {
    auto block = std::make_shared<Block>();
    block->bytes = block_memory(size);
    block->size = size;
    std::memset(block->bytes.get(), fill, size);
    return BlockPtr(std::move(block));
}

TEST(BlockCache, DecodesOnceAndThenHits) {
    BlockCache cache(1 << 20);
    const BlockPtr first = cache.get({100, 1}, [] { return block_of(10, 'a'); }).value();
    const BlockPtr second = cache.get({100, 1}, [] { return block_of(10, 'b'); }).value();
    EXPECT_EQ(first, second);
    EXPECT_EQ(cache.counters().decodes, 1U);
    EXPECT_EQ(cache.counters().hits, 1U);
    EXPECT_EQ(cache.counters().bytes, 10U);
    EXPECT_EQ(cache.peek({100, 1}), first);
    EXPECT_EQ(cache.peek({101, 1}), nullptr);
}

TEST(BlockCache, OnePlaceWithTwoHeadersIsTwoBlocks) {
    BlockCache cache(1 << 20);
    (void)cache.get({100, 1}, [] { return block_of(10, 'a'); });
    (void)cache.get({100, 2}, [] { return block_of(20, 'b'); });
    EXPECT_EQ(cache.peek({100, 1})->size, 10U);
    EXPECT_EQ(cache.peek({100, 2})->size, 20U);
}

TEST(BlockCache, DropsOneThatIsThere) {
    BlockCache cache(1 << 20);
    const BlockPtr held = cache.get({100, 1}, [] { return block_of(10, 'a'); }).value();
    (void)cache.get({200, 1}, [] { return block_of(20, 'b'); });
    cache.drop({100, 1});
    cache.drop({300, 1});
    EXPECT_EQ(cache.peek({100, 1}), nullptr);
    EXPECT_EQ(static_cast<char>(held->bytes[9]), 'a') << "who holds it keeps it";
    EXPECT_EQ(cache.counters().bytes, 20U);
    bool inner_dropped = false;
    const auto decode = [&]() -> Result<BlockPtr> {
        cache.drop({400, 1});  // not there yet
        inner_dropped = true;
        return block_of(5, 'c');
    };
    EXPECT_TRUE(cache.get({400, 1}, decode));
    EXPECT_TRUE(inner_dropped);
    EXPECT_NE(cache.peek({400, 1}), nullptr);
}

TEST(BlockCache, FetchesWhatNobodyHasMet) {
    BlockCache cache(1 << 20);
    int decoded = 0;
    const auto decode = [&] {
        ++decoded;
        return block_of(10, 'a');
    };
    EXPECT_FALSE(cache.knows({100, 1}));
    cache.fetch({100, 1}, decode);
    cache.fetch({100, 1}, decode);
    EXPECT_TRUE(cache.knows({100, 1}));
    EXPECT_NE(cache.peek({100, 1}), nullptr);
    EXPECT_TRUE(cache.get({100, 1}, decode));
    EXPECT_EQ(decoded, 1);
    cache.drop({100, 1});
    cache.fetch({100, 1}, decode);
    EXPECT_EQ(decoded, 2) << "drops are not remembered by themselves";
}

TEST(BlockCache, FetchBringsNothingBackThatWasDropped) {
    BlockCache cache(1 << 20);
    int decoded = 0;
    const auto decode = [&] {
        ++decoded;
        return block_of(10, 'a');
    };
    cache.remember_drops(true);
    (void)cache.get({100, 1}, decode);
    cache.drop({100, 1});
    EXPECT_TRUE(cache.knows({100, 1}));
    cache.fetch({100, 1}, decode);
    EXPECT_EQ(decoded, 1);
    EXPECT_TRUE(cache.get({100, 1}, decode)) << "who needs it gets it";
    EXPECT_EQ(decoded, 2);
    cache.drop({100, 1});
    cache.remember_drops(false);
    EXPECT_FALSE(cache.knows({100, 1}));
}

TEST(BlockCache, AFailedFetchLeavesNothing) {
    BlockCache cache(1 << 20);
    cache.fetch({5, 0}, []() -> Result<BlockPtr> { return sys_error(Error::Kind::image, "read", "x", EIO); });
    EXPECT_FALSE(cache.knows({5, 0}));
}

// However long the other is kept from its processor: a host that is busy for a second decodes no block twice for that.
TEST(BlockCache, WaitsForWhoeverFetches) {
    BlockCache cache(1 << 20);
    std::promise<void> begun;
    std::promise<void> go_on;
    std::thread ahead([&] {
        cache.fetch({77, 0}, [&] {
            begun.set_value();
            go_on.get_future().wait();
            return block_of(100, 'a');
        });
    });
    begun.get_future().wait();
    auto asked = std::async(std::launch::async, [&] { return cache.get({77, 0}, [] { return block_of(100, 'b'); }); });
    EXPECT_EQ(asked.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
    go_on.set_value();
    EXPECT_EQ(asked.get().value()->view()[0], std::byte{'a'});
    ahead.join();
    EXPECT_EQ(cache.counters().decodes, 1U);
}

TEST(BlockCache, StaysWithinItsBound) {
    constexpr std::size_t kCapacity = 64 * 1000;
    BlockCache cache(kCapacity);
    for (std::uint64_t i = 0; i < 1000; ++i) (void)cache.get({i * 1000, 0}, [] { return block_of(1000, 'x'); });
    EXPECT_LE(cache.counters().bytes, kCapacity);
    EXPECT_GT(cache.counters().bytes, kCapacity / 2);
    EXPECT_NE(cache.peek({999000, 0}), nullptr) << "the newest is kept";
    EXPECT_EQ(cache.peek({0, 0}), nullptr) << "the oldest went";
}

TEST(BlockCache, ForgetsTheLeastRecentlyUsed) {
    BlockCache cache(8 * 3000);  // three blocks in each part of the cache
    (void)cache.get({0, 0}, [] { return block_of(1000, 'x'); });
    for (std::uint64_t i = 1; i < 200; ++i) {
        (void)cache.get({0, 0}, [] { return block_of(1000, 'y'); });
        (void)cache.get({i * 4096, 0}, [] { return block_of(1000, 'x'); });
    }
    ASSERT_NE(cache.peek({0, 0}), nullptr);
    EXPECT_EQ(cache.peek({0, 0})->view()[0], std::byte{'x'}) << "never decoded again";
}

TEST(BlockCache, CountsDecodesOfWhatWasDecodedBefore) {
    BlockCache cache(8 * 1500);  // one block in each part of the cache
    (void)cache.get({0, 0}, [] { return block_of(1000, 'x'); });
    (void)cache.get({0, 0}, [] { return block_of(1000, 'x'); });
    cache.remember_decodes();
    EXPECT_EQ(cache.counters().repeats, 0U);
    for (std::uint64_t i = 0; i < 200; ++i) (void)cache.get({i * 4096, 0}, [] { return block_of(1000, 'x'); });
    EXPECT_EQ(cache.counters().repeats, 0U) << "the first one was there already";
    ASSERT_EQ(cache.peek({0, 0}), nullptr);
    (void)cache.get({0, 0}, [] { return block_of(1000, 'x'); });
    EXPECT_EQ(cache.counters().repeats, 1U);
    EXPECT_EQ(cache.counters().decodes, 201U);
}

TEST(BlockCache, ABlockInUseOutlivesItsPlace) {
    BlockCache cache(8);
    const BlockPtr kept = cache.get({1, 0}, [] { return block_of(1000, 'k'); }).value();
    cache.clear();
    EXPECT_EQ(cache.counters().bytes, 0U);
    EXPECT_EQ(cache.peek({1, 0}), nullptr);
    EXPECT_EQ(kept->view()[999], std::byte{'k'});
}

TEST(BlockCache, AFailureIsNotRemembered) {
    BlockCache cache(1 << 20);
    const auto failing = []() -> Result<BlockPtr> { return sys_error(Error::Kind::image, "read", "x", EIO); };
    EXPECT_FALSE(cache.get({5, 0}, failing));
    EXPECT_TRUE(cache.get({5, 0}, [] { return block_of(1, 'a'); }));
    EXPECT_EQ(cache.counters().decodes, 2U);
}

TEST(BlockCache, ThreadsThatWantTheSameBlockShareOneDecode) {
    BlockCache cache(1 << 20);
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] {
            const auto slow = [] {
                std::this_thread::sleep_for(std::chrono::milliseconds(50));
                return block_of(100, 's');
            };
            EXPECT_EQ(cache.get({77, 0}, slow).value()->view()[0], std::byte{'s'});
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(cache.counters().decodes, 1U);
    EXPECT_EQ(cache.counters().hits, 7U);
}

TEST(BlockCache, WaitersOfAFailedDecodeTryThemselves) {
    BlockCache cache(1 << 20);
    std::atomic<int> calls = 0;
    std::atomic<int> failures = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            const auto result = cache.get({9, 0}, [&]() -> Result<BlockPtr> {
                std::this_thread::sleep_for(std::chrono::milliseconds(5));
                if (calls++ == 0) return sys_error(Error::Kind::image, "read", "x", EIO);
                return block_of(1, 'a');
            });
            if (!result) ++failures;
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(failures, 1);
    EXPECT_NE(cache.peek({9, 0}), nullptr);
}

TEST(BlockCache, FilledBeforeAForkAndUsedInTheChild) {
    BlockCache cache(1 << 20);
    (void)cache.get({3, 0}, [] { return block_of(100, 'p'); });
    const pid_t child = fork();
    if (child == 0) {
        const auto known = cache.get({3, 0}, [] { return block_of(100, 'c'); });
        const auto fresh = cache.get({4, 0}, [] { return block_of(100, 'c'); });
        const bool good = known && fresh && known.value()->view()[0] == std::byte{'p'};
        _exit(good ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace swrun
