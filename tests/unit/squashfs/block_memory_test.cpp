// Memory for blocks: used again, given back, never in two hands.
#include "squashfs/block_memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include "support/io.h"
#include "support/skip.h"
#include "support/text.h"

namespace swrun {
namespace {

constexpr std::size_t kBlock = 128U << 10U;
constexpr std::size_t kInRegion = (2U << 20U) / kBlock;

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

// Whether there is memory at a place, whatever it holds.
bool is_mapped(const std::byte* at) {
    unsigned char resident = 0;
    const std::uintptr_t page = reinterpret_cast<std::uintptr_t>(at) & ~std::uintptr_t{4095};
    return ::mincore(reinterpret_cast<void*>(page), 1, &resident) == 0;
}

class BlockMemory : public testing::Test {
protected:
    void SetUp() override { free_spare_blocks(); }
    void TearDown() override { free_spare_blocks(); }
};

TEST_F(BlockMemory, IsUsedAgain) {
    std::vector<BlockBytes> all = take(4, kBlock);
    const std::byte* const address = all[2].get();
    all[2].reset();
    EXPECT_NE(block_memory(kBlock / 2).get(), address) << "of another size";
    EXPECT_EQ(block_memory(kBlock).get(), address) << "before any that nobody has touched";
}

TEST_F(BlockMemory, IsGivenBack) {
    std::vector<BlockBytes> all = take(3 * kInRegion, kBlock);
    std::vector<const std::byte*> first;
    for (std::size_t i = 0; i < all.size(); i += kInRegion) first.push_back(all[i].get());
    const auto mapped = [&] { return std::count_if(first.begin(), first.end(), is_mapped); };
    EXPECT_EQ(mapped(), 3);
    all.resize(1);
    EXPECT_EQ(mapped(), 2) << "one in use and one for blocks to come";
    free_spare_blocks();
    EXPECT_EQ(mapped(), 1);
    EXPECT_TRUE(is_mapped(all[0].get()));
    all.clear();
    EXPECT_EQ(mapped(), 1);
    free_spare_blocks();
    EXPECT_EQ(mapped(), 0);
}

// Sizes of all kinds, each filled with a number of its own: what two had in common would hold the wrong one.
TEST_F(BlockMemory, BelongsToOne) {
    const std::vector<std::size_t> sizes = {1,          8192,   32769,     40000,          65536,
                                            kBlock - 1, kBlock, 1U << 20U, (1U << 20U) + 1};
    struct Held {
        BlockBytes bytes;
        std::size_t size = 0;
        int value = 0;
    };
    std::vector<Held> all;
    int next = 0;
    for (int round = 0; round < 40; ++round) {
        for (const std::size_t size : sizes) {
            all.push_back({block_memory(size), size, next++ % 251});
            std::memset(all.back().bytes.get(), all.back().value, size);
        }
        if (round % 3 == 0) all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2));
    }
    for (const Held& held : all) {
        const auto is_own = [&](std::byte byte) { return byte == static_cast<std::byte>(held.value); };
        ASSERT_TRUE(std::all_of(held.bytes.get(), held.bytes.get() + held.size, is_own)) << held.size;
    }
}

// Brought in together: with a fault for each page there would be 32 for each block.
TEST_F(BlockMemory, CostsFewFaults) {
    constexpr int kPopulateWrite = 23;  // of a kernel without it: EINVAL
    alignas(4096) static std::byte page[4096];
    if (::madvise(page, sizeof page, kPopulateWrite) != 0) SWRUN_SKIP() << "a kernel without MADV_POPULATE_WRITE";
    constexpr long kCount = 64;
    std::vector<BlockBytes> all = take(kCount, kBlock);
    const long before = page_faults();
    for (const BlockBytes& one : all) std::memset(one.get(), 1, kBlock);
    EXPECT_LT(page_faults() - before, kCount) << "pages came in when they were touched";
}

TEST_F(BlockMemory, IsTakenByManyAtOnce) {
    std::vector<std::thread> threads;
    for (int number = 0; number < 4; ++number) {
        threads.emplace_back([number] {
            for (int round = 0; round < 50; ++round) {
                const std::vector<BlockBytes> mine = take(20, kBlock);
                int value = number * 60;
                for (const BlockBytes& one : mine) std::memset(one.get(), value++, kBlock);
                value = number * 60;
                for (const BlockBytes& one : mine) {
                    const auto expected = static_cast<std::byte>(value++);
                    ASSERT_EQ(one[0], expected);
                    ASSERT_EQ(std::memcmp(one.get(), one.get() + 1, kBlock - 1), 0);
                }
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
}

#if !defined(__SANITIZE_ADDRESS__)  // has mapped more than any limit allows
// Where the address space is limited (ulimit -v), there may be no room for a region but some for a block.
TEST_F(BlockMemory, WithoutARegionComesFromMalloc) {
    const pid_t child = ::fork();
    if (child == 0) {
        const std::string sizes = read_file("/proc/self/statm", 4096).value_or(std::string());
        const std::uint64_t pages = parse_decimal(sizes.substr(0, sizes.find(' '))).value_or(0);
        const rlimit limit{pages * 4096 + (1U << 20U), RLIM_INFINITY};
        if (pages == 0 || ::setrlimit(RLIMIT_AS, &limit) != 0) ::_exit(2);
        BlockBytes block = block_memory(kBlock);
        std::memset(block.get(), 1, kBlock);
        block.reset();
        ::_exit(0);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}
#endif

}  // namespace
}  // namespace swrun
