#include "unpack/task_queue.h"

#include <gtest/gtest.h>

#include <barrier>
#include <set>

namespace swrun {
namespace {

TaskQueue::MakeWorker plain() {
    return [] { return Result<std::unique_ptr<Worker>>(std::make_unique<Worker>()); };
}

TEST(TaskQueue, RunsAll) {
    for (const std::size_t threads : {1U, 2U, 7U}) {
        std::atomic<int> sum = 0;
        int calls = 0;
        {
            TaskQueue queue(threads, plain());
            for (int i = 1; i <= 1000; ++i) {
                ASSERT_TRUE(queue.submit([&sum, i](Worker&) {
                    sum += i;
                    return Status();
                }));
            }
            ASSERT_TRUE(queue.finish([&] { ++calls; }));
        }
        EXPECT_EQ(sum, 500500) << threads;
        if (threads == 1) {
            EXPECT_GT(calls, 0);
        }
    }
}

TEST(TaskQueue, UsesItsThreads) {
    // Nobody goes on before three are at work at once: with fewer threads than that the test does not end.
    std::barrier three(3);
    std::mutex mutex;
    std::set<std::thread::id> seen;
    TaskQueue queue(3, plain());
    for (int i = 0; i < 60; ++i) {
        ASSERT_TRUE(queue.submit([&](Worker&) {
            three.arrive_and_wait();
            const std::lock_guard lock(mutex);
            seen.insert(std::this_thread::get_id());
            return Status();
        }));
    }
    ASSERT_TRUE(queue.finish([] {}));
    EXPECT_EQ(seen.size(), 3U);
}

TEST(TaskQueue, TheFirstFailureEndsIt) {
    std::atomic<int> ran = 0;
    TaskQueue queue(2, plain());
    Status last;
    for (int i = 0; i < 100000 && last; ++i) {
        last = queue.submit([&ran, i](Worker&) {
            ++ran;
            return i == 10 ? Status(make_error(Error::Kind::host, "ten")) : Status();
        });
    }
    const Status done = queue.finish([] {});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().message, "ten");
    EXPECT_LT(ran, 100000);
}

TEST(TaskQueue, NoWorkerIsAFailure) {
    TaskQueue queue(2, [] { return Result<std::unique_ptr<Worker>>(make_error(Error::Kind::host, "no hands")); });
    EXPECT_FALSE(queue.submit([](Worker&) { return Status(); }));
    EXPECT_FALSE(queue.finish([] {}));
}

TEST(TaskQueue, NothingToDo) {
    TaskQueue queue(4, plain());
    EXPECT_TRUE(queue.finish([] {}));
}

}  // namespace
}  // namespace swrun
