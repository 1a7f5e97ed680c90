#include "support/log.h"

#include <gtest/gtest.h>

#include <string>

namespace swrun {
namespace {

std::string logged(Level level, std::string_view message) {
    testing::internal::CaptureStderr();
    log(level, message);
    return testing::internal::GetCapturedStderr();
}

class Log : public testing::Test {
protected:
    void TearDown() override {
        set_log_level(Level::info);
        set_log_style(LogStyle::own, false);
    }
};

TEST_F(Log, OwnStyle) {
    EXPECT_EQ(logged(Level::warning, "m"), "swrun: warning: m\n");
    EXPECT_EQ(logged(Level::info, "m"), "swrun: m\n");
    EXPECT_EQ(logged(Level::fatal, "m"), "swrun: m\n");
}

TEST_F(Log, DropInLabelsAreNineColumnsWide) {
    set_log_style(LogStyle::dropin, false);
    EXPECT_EQ(logged(Level::fatal, "m"), "FATAL:   m\n");
    EXPECT_EQ(logged(Level::error, "m"), "ERROR:   m\n");
    EXPECT_EQ(logged(Level::warning, "m"), "WARNING: m\n");
    EXPECT_EQ(logged(Level::info, "m"), "INFO:    m\n");
}

TEST_F(Log, ColorEndsBeforeTheMessage) {
    set_log_style(LogStyle::dropin, true);
    EXPECT_EQ(logged(Level::fatal, "m"), "\033[31mFATAL:  \033[0m m\n");
}

TEST_F(Log, LevelsBelowTheLowestAreDropped) {
    EXPECT_EQ(logged(Level::verbose, "m"), "");
    set_log_level(Level::quiet);
    EXPECT_EQ(logged(Level::info, "m"), "");
    EXPECT_NE(logged(Level::warning, "m"), "");
    set_log_level(Level::error);
    EXPECT_EQ(logged(Level::warning, "m"), "");
    EXPECT_NE(logged(Level::fatal, "m"), "");
    set_log_level(Level::debug);
    EXPECT_NE(logged(Level::debug, "m"), "");
}

}  // namespace
}  // namespace swrun
