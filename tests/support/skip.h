// What a test says that this host cannot run: SWRUN_SKIP() << "needs mksquashfs"; in place of GTEST_SKIP().  With
// SWRUN_TESTS_MUST_RUN set, as where CI is, that is a failure: nothing is left out there without somebody seeing it.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace swrun {

class SkipOrFail {
public:
    SkipOrFail(const char* file, int line) : file_(file), line_(line) {}

    void operator=(const testing::Message& why) const {
        const char* const must_run = std::getenv("SWRUN_TESTS_MUST_RUN");
        if (must_run != nullptr && *must_run != '\0') {
            ADD_FAILURE_AT(file_, line_) << "cannot run here: " << why << " (SWRUN_TESTS_MUST_RUN is set)";
            return;
        }
        GTEST_SKIP() << why;
    }

private:
    const char* file_;
    int line_;
};

}  // namespace swrun

#define SWRUN_SKIP() return ::swrun::SkipOrFail(__FILE__, __LINE__) = ::testing::Message()
