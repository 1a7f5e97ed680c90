#include "support/signals.h"

#include <gtest/gtest.h>

#include <csignal>

namespace swrun {
namespace {

TEST(SignalNumber, by_name_and_number) {
    EXPECT_EQ(signal_number("SIGTERM"), SIGTERM);
    EXPECT_EQ(signal_number("term"), SIGTERM);
    EXPECT_EQ(signal_number("15"), SIGTERM);
    EXPECT_EQ(signal_number("SIGCLD"), SIGCHLD);
    for (const char* bad : {"", "0", "-9", "nine", "SIG", "999", "SIGRTMIN"}) {
        EXPECT_EQ(signal_number(bad), std::nullopt) << bad;
    }
}

}  // namespace
}  // namespace swrun
