// Memory for blocks: used again, given back, never in two hands.
#include "image/block_memory.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstring>
#include <set>
#include <thread>
#include <vector>

namespace swrun {
namespace {

constexpr std::size_t kBlock = 128U << 10U;

long page_faults() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
}

std::vector<BlockBytes> take(std::size_t count, std::size_t size) {
    std::vector<BlockBytes> all;
    for (std::size_t i = 0; i < count; ++i) all.push_back(block_memory(size));
    return all;
}

class BlockMemory : public testing::Test {
protected:
    void SetUp() override { free_spare_blocks(); }
    void TearDown() override { free_spare_blocks(); }
};

TEST_F(BlockMemory, IsUsedAgain) {
    BlockBytes first = block_memory(kBlock);
    const std::byte* const address = first.get();
    const BlockBytes second = block_memory(kBlock);
    EXPECT_NE(second.get(), address);
    first.reset();
    EXPECT_NE(block_memory(kBlock / 2).get(), address) << "of another size";
    EXPECT_EQ(block_memory(kBlock).get(), address) << "before any that nobody has touched";
}

// Sizes of all kinds, each filled to its end: what two had in common would be overwritten.
TEST_F(BlockMemory, BelongsToOne) {
    const std::vector<std::size_t> sizes = {1,          8192,   32769,     40000,          65536,
                                            kBlock - 1, kBlock, 1U << 20U, (1U << 20U) + 1};
    std::vector<std::pair<BlockBytes, std::size_t>> all;
    for (unsigned round = 0; round < 40; ++round) {
        for (const std::size_t size : sizes) {
            all.emplace_back(block_memory(size), size);
            std::memset(all.back().first.get(), static_cast<int>(all.size() % 251), size);
        }
        if (round % 3 == 0) all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2));
        if (round % 3 == 0) {
            for (std::size_t i = 0; i < all.size(); ++i)
                std::memset(all[i].first.get(), static_cast<int>((i + 1) % 251), all[i].second);
        }
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto expected = all[i].first[0];
        const auto* const bytes = all[i].first.get();
        for (std::size_t at = 0; at < all[i].second; ++at) ASSERT_EQ(bytes[at], expected) << i << " at " << at;
    }
    std::set<const std::byte*> addresses;
    for (const auto& one : all) EXPECT_TRUE(addresses.insert(one.first.get()).second);
}

// Brought in together: with a fault for each page there would be 32 for each block.
TEST_F(BlockMemory, CostsFewFaults) {
    constexpr std::size_t kCount = 64;
    const long before = page_faults();
    std::vector<BlockBytes> all = take(kCount, kBlock);
    const long taken = page_faults();
    for (const BlockBytes& one : all) std::memset(one.get(), 1, kBlock);
    const long touched = page_faults() - taken;
    if (taken - before == 0 && touched > static_cast<long>(kCount))
        GTEST_SKIP() << "a kernel without MADV_POPULATE_WRITE";
    EXPECT_LT(touched, static_cast<long>(kCount)) << "pages came in when they were touched";
}

TEST_F(BlockMemory, IsTakenByManyAtOnce) {
    std::vector<std::thread> threads;
    for (int number = 0; number < 4; ++number) {
        threads.emplace_back([number] {
            for (int round = 0; round < 50; ++round) {
                const std::vector<BlockBytes> mine = take(20, kBlock);
                for (const BlockBytes& one : mine) std::memset(one.get(), number, kBlock);
                for (const BlockBytes& one : mine) ASSERT_EQ(std::memcmp(one.get(), one.get() + 1, kBlock - 1), 0);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace swrun
