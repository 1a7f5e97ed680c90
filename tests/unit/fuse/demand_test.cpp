// When the thread that answers looks for the next request instead of sleeping, and when it calls for help.
#include "fuse/demand.h"

#include <gtest/gtest.h>

namespace swrun {
namespace {

using namespace std::chrono_literals;

TEST(Eagerness, BeginsAndEndsAsleep) {
    Eagerness eagerness;
    EXPECT_FALSE(eagerness.spins());
    for (int i = 0; i < 100; ++i) eagerness.note(1ms, Eagerness::Wait::asleep);
    EXPECT_FALSE(eagerness.spins()) << "requests that come now and then";
}

TEST(Eagerness, ComesWithRequestsBackToBack) {
    Eagerness eagerness;
    int sleeps = 0;
    while (!eagerness.spins() && sleeps < 1000) {
        eagerness.note(100us, Eagerness::Wait::asleep);
        ++sleeps;
    }
    EXPECT_GT(sleeps, 100) << "one after the other is not yet a row";
    EXPECT_LT(sleeps, 300);
    for (int i = 0; i < 1000; ++i) eagerness.note(5us, Eagerness::Wait::looking);
    EXPECT_TRUE(eagerness.spins());
}

TEST(Eagerness, KnowsWhatAWaitHasInIt) {
    Eagerness asleep;
    Eagerness looking;
    for (int i = 0; i < 1000; ++i) {
        asleep.note(150us, Eagerness::Wait::asleep);
        looking.note(150us, Eagerness::Wait::looking);
    }
    EXPECT_TRUE(asleep.spins()) << "much of it was the time to wake up";
    EXPECT_FALSE(looking.spins()) << "the program itself takes that long";
}

TEST(Eagerness, GoesAfterAFewLooksInVain) {
    Eagerness eagerness;
    for (int i = 0; i < 1000; ++i) eagerness.note(5us, Eagerness::Wait::looking);
    int looks = 0;
    while (eagerness.spins() && looks < 100) {
        eagerness.note(Eagerness::kSpin * 2, Eagerness::Wait::looking);
        ++looks;
    }
    EXPECT_LE(looks, 4) << "time of a processor that somebody else could use";
}

constexpr SeenRequest kLookup{.asker = 7, .was_there = true};
constexpr SeenRequest kRead{.asker = 7, .reads = true, .was_there = true};

TEST(Backlog, IsNotOneAskerWhoIsQuick) {
    Backlog backlog;
    for (int i = 0; i < 100; ++i) backlog.note(kLookup);
    EXPECT_FALSE(backlog.wants_help());
    EXPECT_TRUE(backlog.is_over());
}

TEST(Backlog, ComesOfTwoAskers) {
    Backlog backlog;
    for (std::uint32_t i = 0; i < 10; ++i) backlog.note({.asker = i % 2, .was_there = true});
    EXPECT_TRUE(backlog.wants_help());
    backlog.note({.asker = 3, .was_there = false});
    EXPECT_TRUE(backlog.is_over());
}

TEST(Backlog, ComesOfPagesAskedAhead) {
    Backlog backlog;
    for (int i = 0; i < 4; ++i) {
        backlog.note(kRead);
        backlog.note(kLookup);  // of the next file, while the pages are on their way
    }
    EXPECT_TRUE(backlog.wants_help());
    backlog.note(kLookup);
    EXPECT_TRUE(backlog.is_over());
}

}  // namespace
}  // namespace swrun
