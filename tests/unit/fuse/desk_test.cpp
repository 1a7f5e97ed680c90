// When the thread that answers looks for the next request instead of sleeping.
#include "fuse/desk.h"

#include <gtest/gtest.h>

namespace swrun {
namespace {

using namespace std::chrono_literals;

TEST(Eagerness, BeginsAndEndsAsleep) {
    Eagerness eagerness;
    EXPECT_FALSE(eagerness.spins());
    for (int i = 0; i < 100; ++i) eagerness.note(1ms, false);
    EXPECT_FALSE(eagerness.spins()) << "requests that come now and then";
}

TEST(Eagerness, ComesWithRequestsBackToBack) {
    Eagerness eagerness;
    int sleeps = 0;
    while (!eagerness.spins() && sleeps < 100) {
        eagerness.note(100us, false);
        ++sleeps;
    }
    EXPECT_GT(sleeps, 3) << "one after the other is not yet a row";
    EXPECT_LT(sleeps, 20);
    for (int i = 0; i < 1000; ++i) eagerness.note(5us, true);
    EXPECT_TRUE(eagerness.spins());
}

TEST(Eagerness, GoesAfterAFewLooksInVain) {
    Eagerness eagerness;
    for (int i = 0; i < 1000; ++i) eagerness.note(5us, true);
    int looks = 0;
    while (eagerness.spins() && looks < 100) {
        eagerness.note(Eagerness::kSpin * 2, true);
        ++looks;
    }
    EXPECT_LE(looks, 4) << "time of a processor that somebody else could use";
}

}  // namespace
}  // namespace swrun
