// When the thread that answers looks for the next request instead of sleeping.
#include "fuse/desk.h"

#include <gtest/gtest.h>

namespace swrun {
namespace {

using namespace std::chrono_literals;

TEST(Eagerness, BeginsAndEndsAsleep) {
    Eagerness eagerness;
    EXPECT_FALSE(eagerness.spins());
    for (int i = 0; i < 100; ++i) eagerness.note(1ms, Eagerness::Wait::asleep_elsewhere);
    EXPECT_FALSE(eagerness.spins()) << "requests that come now and then";
}

TEST(Eagerness, ComesWithRequestsBackToBack) {
    Eagerness eagerness;
    int sleeps = 0;
    while (!eagerness.spins() && sleeps < 1000) {
        eagerness.note(100us, Eagerness::Wait::asleep_elsewhere);
        ++sleeps;
    }
    EXPECT_GT(sleeps, 100) << "one after the other is not yet a row";
    EXPECT_LT(sleeps, 300);
    for (int i = 0; i < 1000; ++i) eagerness.note(5us, Eagerness::Wait::looking);
    EXPECT_TRUE(eagerness.spins());
}

TEST(Eagerness, KnowsWhatAWaitHasInIt) {
    Eagerness here;
    Eagerness elsewhere;
    for (int i = 0; i < 1000; ++i) {
        here.note(150us, Eagerness::Wait::asleep_here);
        elsewhere.note(150us, Eagerness::Wait::asleep_elsewhere);
    }
    EXPECT_FALSE(here.spins()) << "the program itself takes that long";
    EXPECT_TRUE(elsewhere.spins());
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

}  // namespace
}  // namespace swrun
