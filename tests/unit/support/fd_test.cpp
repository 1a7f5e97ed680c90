#include "support/fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace swrun {
namespace {

int open_null() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0 || errno != EBADF; }

TEST(Fd, ClosesWhenItGoes) {
    const int raw = open_null();
    ASSERT_GE(raw, 0);
    {
        const Fd fd(raw);
        EXPECT_TRUE(fd);
        EXPECT_EQ(fd.get(), raw);
        EXPECT_TRUE(is_open(raw));
    }
    EXPECT_FALSE(is_open(raw));
}

TEST(Fd, MovingHandsItOver) {
    Fd first(open_null());
    const int raw = first.get();
    Fd second(std::move(first));
    EXPECT_FALSE(first.valid());  // NOLINT(bugprone-use-after-move): the point
    EXPECT_EQ(second.get(), raw);
    Fd third(open_null());
    const int old = third.get();
    third = std::move(second);
    EXPECT_FALSE(is_open(old));
    EXPECT_TRUE(is_open(raw));
    EXPECT_EQ(third.get(), raw);
}

TEST(Fd, AssigningItselfKeepsIt) {
    Fd fd(open_null());
    Fd& same = fd;
    fd = std::move(same);
    ASSERT_TRUE(fd);
    EXPECT_TRUE(is_open(fd.get()));
}

TEST(Fd, ReleaseAndReset) {
    Fd fd(open_null());
    const int raw = fd.release();
    EXPECT_FALSE(fd);
    EXPECT_TRUE(is_open(raw));
    fd.reset(raw);
    fd.reset();
    EXPECT_FALSE(is_open(raw));
    EXPECT_FALSE(Fd().valid());
}

}  // namespace
}  // namespace swrun
