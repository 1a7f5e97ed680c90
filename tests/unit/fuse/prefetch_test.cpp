// What is decoded ahead of the requests.
#include "fuse/prefetch.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "image/image_view.h"
#include "support/image_fixture.h"

namespace swrun {
namespace {

using namespace std::chrono_literals;

class PrefetchTest : public testing::Test {
protected:
    void SetUp() override {
        SWRUN_NEED_TOOL("mksquashfs");
        std::filesystem::create_directories(dir_ / "root");
        write_file(dir_ / "root/large", noise(131072 * 8, 1));
        ASSERT_TRUE(make_squashfs(dir_ / "root", dir_ / "image", "-b 131072"));
        open_image();
        const ReaderPool::Lease reader = readers_->borrow();
        const auto file = ImageView(*reader).find("/large");
        ASSERT_TRUE(file);
        keys_ = reader->keys_of(*file, 0, file->size).value();
        ASSERT_EQ(keys_.size(), 8U);
    }
    void open_image() {
        const std::string bytes = slurp(dir_ / "image");
        source_ = SquashSource::open(memory_file(bytes), 0, bytes.size()).value();
        cache_ = std::make_shared<BlockCache>(16U << 20U);
        readers_ = std::make_unique<ReaderPool>(SquashReader::open(source_, cache_).value(), 2);
    }

    std::unique_ptr<Prefetch> start(const std::string& program = "/none", PredictedFiles* told = nullptr,
                                    int threads = 1) {
        hint_.programs = {program};
        return std::make_unique<Prefetch>(*source_, *cache_, *readers_, hint_, told, placement_,
                                          Prefetch::Effort{threads});
    }
    void make_program() {
        std::filesystem::create_directories(dir_ / "root/bin");
        std::filesystem::copy_file("/proc/self/exe", dir_ / "root/bin/program");
        write_file(dir_ / "root/etc/ld.so.cache", "cache");
        ASSERT_TRUE(make_squashfs(dir_ / "root", dir_ / "image", "-b 131072"));
        open_image();
    }
    bool arrives(BlockKey key) {
        for (int i = 0; i < 1000; ++i) {
            if (cache_->peek(key)) return true;
            std::this_thread::sleep_for(10ms);
        }
        return false;
    }

    TempDir dir_;
    std::shared_ptr<const SquashSource> source_;
    std::shared_ptr<BlockCache> cache_;
    std::unique_ptr<ReaderPool> readers_;
    std::vector<BlockKey> keys_;
    StartHint hint_;
    Placement placement_;
};

TEST_F(PrefetchTest, BeginsWhatIsWaitedFor) {
    const auto prefetch = start();
    prefetch->begin(std::span(keys_).subspan(2, 2));
    EXPECT_TRUE(arrives(keys_[2]));
    EXPECT_TRUE(arrives(keys_[3]));
    prefetch->end();
    EXPECT_FALSE(cache_->peek(keys_[0]));
    EXPECT_EQ(cache_->counters().decodes, 2U);
}

TEST_F(PrefetchTest, FollowsWhoAsksForMuch) {
    const auto prefetch = start();
    EXPECT_FALSE(prefetch->can_guess()) << "a small program is over soon";
    for (int i = 0; i < 300; ++i) prefetch->note_request();
    EXPECT_TRUE(prefetch->can_guess());
    // Only when all that was predicted has been found, which nobody tells.
    for (int i = 0; i < 1000 && !cache_->peek(keys_[5]); ++i) {
        prefetch->follow(std::span(keys_).subspan(5, 1));
        std::this_thread::sleep_for(10ms);
    }
    EXPECT_TRUE(cache_->peek(keys_[5]));
    prefetch->follow(std::span(keys_).subspan(5, 1));
    prefetch->begin(std::span(keys_).subspan(5, 2));
    EXPECT_TRUE(arrives(keys_[6]));
    prefetch->end();
    EXPECT_EQ(cache_->counters().decodes, 2U) << "none twice";
}

TEST_F(PrefetchTest, TellsOfTheProgramLast) {
    make_program();
    const auto told = PredictedFiles::make(131072);
    ASSERT_TRUE(told);
    const auto prefetch = start("/bin/program", told.get());
    const auto list_has = [&](std::size_t count) {
        for (int i = 0; i < 1000 && told->list().size() < count; ++i) std::this_thread::sleep_for(10ms);
        return told->list().size() >= count;
    };
    ASSERT_TRUE(list_has(2));
    EXPECT_EQ(told->list().back().path, "/bin/program") << "though it was found first";
}

TEST_F(PrefetchTest, WithoutThreadsOnlyFindsOut) {
    make_program();
    const auto told = PredictedFiles::make(131072);
    ASSERT_TRUE(told);
    const auto prefetch = start("/bin/program", told.get(), 0);
    EXPECT_FALSE(prefetch->runs());
    EXPECT_FALSE(prefetch->is_starting());
    EXPECT_FALSE(prefetch->defer([] {}));
    EXPECT_GE(told->list().size(), 2U) << "before the constructor returns";
    const auto decoded = cache_->counters().decodes;
    prefetch->begin(keys_);
    prefetch->follow(keys_);
    EXPECT_EQ(cache_->counters().decodes, decoded);
}

TEST_F(PrefetchTest, BringsNothingBackThatWasLetGo) {
    const auto prefetch = start();
    prefetch->begin(std::span(keys_).first(1));
    ASSERT_TRUE(arrives(keys_[0]));
    cache_->drop(keys_[0]);
    prefetch->begin(std::span(keys_).first(2));
    ASSERT_TRUE(arrives(keys_[1]));
    prefetch->end();
    EXPECT_FALSE(cache_->peek(keys_[0]));
    EXPECT_EQ(cache_->counters().decodes, 2U);
}

TEST_F(PrefetchTest, GuessesNothingWhereItIsTold) {
    const auto prefetch = start();
    prefetch->guess_nothing();
    for (int i = 0; i < 300; ++i) prefetch->note_request();
    EXPECT_FALSE(prefetch->guesses());
    EXPECT_FALSE(prefetch->can_guess());
    prefetch->begin(keys_);
    prefetch->follow(keys_);
    bool done = false;
    if (prefetch->defer([&] { done = true; })) prefetch->end();
    EXPECT_TRUE(done) << "what is asked for is still answered aside";
    EXPECT_EQ(cache_->counters().decodes, 0U);
}

TEST_F(PrefetchTest, DoesNothingAfterTheStart) {
    const auto prefetch = start();
    prefetch->end_start();
    EXPECT_FALSE(prefetch->can_guess());
    prefetch->begin(keys_);
    prefetch->follow(keys_);
    EXPECT_FALSE(prefetch->defer([] {}));
    prefetch->end();
    EXPECT_EQ(cache_->counters().decodes, 0U);
}

}  // namespace
}  // namespace swrun
