#include "squashfs/reader_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "support/image_fixture.h"

namespace swrun {
namespace {

class ReaderPoolTest : public ::testing::Test {
protected:
    void SetUp() override {
        SWRUN_NEED_TOOL("mksquashfs");
        for (int i = 0; i < 40; ++i) {
            const auto n = static_cast<std::uint64_t>(i);
            contents_.push_back(i % 2 == 0 ? noise(1000 + n * 7919, n) : std::string(50000 + n * 3001, 'z'));
            write_file(dir_ / ("root/f" + std::to_string(i)), contents_.back());
        }
        ASSERT_TRUE(make_squashfs(dir_ / "root", dir_ / "image", "-b 16384"));
        bytes_ = slurp(dir_ / "image");
    }
    std::shared_ptr<const SquashSource> source() const {
        return SquashSource::open(memory_file(bytes_), 0, bytes_.size()).value();
    }

    SquashReader reader(std::shared_ptr<BlockCache> cache = std::make_shared<BlockCache>(1 << 20)) const {
        return SquashReader::open(source(), std::move(cache)).value();
    }

    TempDir dir_;
    std::vector<std::string> contents_;
    std::string bytes_;
};

TEST_F(ReaderPoolTest, OpensLazilyAndLendsTheWarmestAgain) {
    ReaderPool pool(reader(), 3);
    EXPECT_EQ(pool.open_count(), 0U);
    SquashReader* first = nullptr;
    {
        auto lease = pool.borrow();
        first = &*lease;
        EXPECT_EQ(pool.open_count(), 1U);
    }
    auto again = pool.borrow();
    EXPECT_EQ(&*again, first);
    auto second = pool.borrow();
    EXPECT_NE(&*second, first);
    EXPECT_EQ(pool.open_count(), 2U);
}

TEST_F(ReaderPoolTest, AllShareTheMetadataThatOneHasDecoded) {
    SquashReader first = reader();
    ASSERT_TRUE(first.list(first.root().value(), 0, 100));
    const BlockCache& blocks = first.metadata_cache();
    const std::uint64_t once = blocks.counters().decodes;
    EXPECT_GT(once, 0U);
    ReaderPool pool(std::move(first), 2);
    const auto one = pool.borrow();
    const auto other = pool.borrow();
    EXPECT_EQ(one->list(one->root().value(), 0, 100).value().size(), 40U);
    EXPECT_EQ(other->list(other->root().value(), 0, 100).value().size(), 40U);
    EXPECT_EQ(blocks.counters().decodes, once);
}

TEST_F(ReaderPoolTest, WaitsWhenAllAreLent) {
    ReaderPool pool(reader(), 1);
    auto lease = std::make_unique<ReaderPool::Lease>(pool.borrow());
    std::atomic<bool> got = false;
    std::thread other([&] {
        const auto mine = pool.borrow();
        got = true;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_FALSE(got);
    lease.reset();
    other.join();
    EXPECT_TRUE(got);
    EXPECT_EQ(pool.open_count(), 1U);
}

TEST_F(ReaderPoolTest, ManyThreadsReadTheSameBytes) {
    const auto cache = std::make_shared<BlockCache>(256 << 10);  // far too small: blocks come and go
    ReaderPool pool(reader(cache), 3);
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 8; ++t) {
        threads.emplace_back([&, t] {
            for (std::size_t i = 0; i < contents_.size() * 3; ++i) {
                const std::size_t n = (i * 7 + t * 11) % contents_.size();
                auto lease = pool.borrow();
                const auto root = lease->root();
                const auto entry = lease->lookup(*root, "f" + std::to_string(n));
                const auto node = lease->node((*entry)->id);
                std::string text(contents_[n].size(), '\0');
                const auto count = lease->read(*node, 0, std::as_writable_bytes(std::span(text)));
                if (!count || *count != text.size() || text != contents_[n]) ++wrong;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0);
    EXPECT_LE(pool.open_count(), 3U);
    EXPECT_GT(cache->counters().hits, 0U);
}

TEST_F(ReaderPoolTest, ALargeCacheDecodesEachBlockOnce) {
    const auto cache = std::make_shared<BlockCache>(256 << 20);
    ReaderPool pool(reader(cache), 4);
    const auto read_all = [&] {
        std::string text(200000, '\0');
        for (std::size_t n = 0; n < contents_.size(); ++n) {
            auto lease = pool.borrow();
            const SquashNode root = lease->root().value();
            const SquashNode node = lease->node(lease->lookup(root, "f" + std::to_string(n)).value()->id).value();
            (void)lease->read(node, 0, std::as_writable_bytes(std::span(text)));
        }
    };
    read_all();
    const std::uint64_t once = cache->counters().decodes;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) threads.emplace_back(read_all);
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(cache->counters().decodes, once);
    cache->clear();
    threads.clear();
    for (int t = 0; t < 4; ++t) threads.emplace_back(read_all);
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(cache->counters().decodes, 2 * once) << "four threads side by side, each block decoded by one";
}

}  // namespace
}  // namespace swrun
