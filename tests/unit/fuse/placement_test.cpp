// Where the threads of a server are put.
#include "fuse/placement.h"
#include "support/skip.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <thread>

namespace swrun {
namespace {

// A thread that sleeps on one processor until the test is over.
class Sleeper {
public:
    explicit Sleeper(int cpu) : thread_([this, cpu] { sleep_on(cpu); }) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return id_ != 0; });
    }
    ~Sleeper() {
        {
            const std::lock_guard lock(mutex_);
            ended_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }
    Sleeper(const Sleeper&) = delete;
    Sleeper& operator=(const Sleeper&) = delete;

    [[nodiscard]] pid_t id() const { return id_; }

private:
    void sleep_on(int cpu) {
        cpu_set_t only;
        CPU_ZERO(&only);
        CPU_SET(cpu, &only);
        ::sched_setaffinity(0, sizeof only, &only);
        std::unique_lock lock(mutex_);
        id_ = ::gettid();
        changed_.notify_all();
        changed_.wait(lock, [this] { return ended_; });
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    pid_t id_ = 0;
    bool ended_ = false;
    std::thread thread_;  // last: it uses all of the above
};

cpu_set_t allowed(pid_t thread = 0) {
    cpu_set_t set;
    CPU_ZERO(&set);
    ::sched_getaffinity(thread, sizeof set, &set);
    return set;
}

// Two of the processors that the test may use, and only these, while it lives.
class Beside : public ::testing::Test {
protected:
    Beside() : before_(allowed()) {
        CPU_ZERO(&two_);
        for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&two_) < 2; ++cpu) {
            if (!CPU_ISSET(cpu, &before_)) continue;
            CPU_SET(cpu, &two_);
            (CPU_COUNT(&two_) == 1 ? first_ : second_) = cpu;
        }
    }
    ~Beside() override { ::sched_setaffinity(0, sizeof before_, &before_); }

    void SetUp() override {
        if (CPU_COUNT(&two_) < 2) SWRUN_SKIP() << "one processor only";
        ASSERT_EQ(::sched_setaffinity(0, sizeof two_, &two_), 0);
    }

    cpu_set_t before_;
    cpu_set_t two_{};
    int first_ = 0;
    int second_ = 0;
};

TEST_F(Beside, FollowsToTheOtherProcessorAndBack) {
    const Sleeper one(first_);
    const Sleeper two(second_);
    const Placement start = Placement::here();
    ASSERT_EQ(start.others(), 1);
    // The caller is on one of them.
    const auto to_one = start.beside(one.id());
    const auto to_two = start.beside(two.id());
    ASSERT_NE(to_one.has_value(), to_two.has_value());
    const Placement moved = to_one ? *to_one : *to_two;
    const pid_t there = to_one ? one.id() : two.id();
    EXPECT_FALSE(moved.beside(there)) << "it is there";
    EXPECT_TRUE(moved.beside(to_one ? two.id() : one.id()));

    moved.keep_here();
    const cpu_set_t kept = allowed();
    EXPECT_EQ(CPU_COUNT(&kept), 1);
    EXPECT_TRUE(CPU_ISSET(to_one ? first_ : second_, &kept));
    moved.push_away();
    const cpu_set_t away = allowed();
    EXPECT_EQ(CPU_COUNT(&away), 1);
    EXPECT_TRUE(CPU_ISSET(to_one ? second_ : first_, &away));
}

TEST_F(Beside, KnowsNothingOfWhoIsGone) {
    EXPECT_FALSE(Placement::here().beside(0));
    EXPECT_FALSE(Placement::here().beside(-1));
    constexpr pid_t kNobody = 1 << 30;  // above what pid_max may be (proc_sys_kernel(5))
    EXPECT_FALSE(Placement::here().beside(kNobody));
}

}  // namespace
}  // namespace swrun
