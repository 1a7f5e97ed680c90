#include "support/result.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace swrun {
namespace {

Result<int> half(int value) {
    if (value % 2 != 0) return make_error(Error::Kind::request, std::to_string(value) + " is odd");
    return value / 2;
}

Result<int> quarter(int value) {
    SWRUN_TRY(const int once, half(value));
    SWRUN_TRY(const int twice, half(once));
    return twice;
}

Status check_all(std::initializer_list<int> values, int& checked) {
    for (const int value : values) {
        SWRUN_CHECK(half(value));
        ++checked;
    }
    return {};
}

TEST(Result, HoldsAValueOrAnError) {
    const Result<int> good = half(4);
    ASSERT_TRUE(good);
    EXPECT_TRUE(good.has_value());
    EXPECT_EQ(*good, 2);
    EXPECT_EQ(good.value(), 2);
    const Result<int> bad = half(3);
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().message, "3 is odd");
}

TEST(Result, ValueOr) {
    EXPECT_EQ(half(4).value_or(9), 2);
    EXPECT_EQ(half(3).value_or(9), 9);
}

TEST(Result, ArrowReachesMembers) {
    Result<std::string> text = std::string("abc");
    EXPECT_EQ(text->size(), 3U);
    text->push_back('d');
    EXPECT_EQ(*text, "abcd");
}

TEST(Result, MovesWhatCannotBeCopied) {
    Result<std::unique_ptr<int>> made = std::make_unique<int>(5);
    const std::unique_ptr<int> taken = std::move(made).value();
    ASSERT_NE(taken, nullptr);
    EXPECT_EQ(*taken, 5);
}

TEST(Result, TryReturnsTheFirstError) {
    EXPECT_EQ(*quarter(8), 2);
    EXPECT_EQ(quarter(7).error().message, "7 is odd");
    EXPECT_EQ(quarter(6).error().message, "3 is odd");
}

TEST(Result, TryAssignsToWhatExists) {
    const auto sum = []() -> Result<int> {
        int value = 0;
        SWRUN_TRY(value, half(10));
        return value + 1;
    };
    EXPECT_EQ(*sum(), 6);
}

TEST(Result, CheckStopsAtTheFirstError) {
    int checked = 0;
    EXPECT_TRUE(check_all({2, 4, 6}, checked));
    EXPECT_EQ(checked, 3);
    checked = 0;
    const Status status = check_all({2, 5, 6}, checked);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().message, "5 is odd");
    EXPECT_EQ(checked, 1);
}

TEST(Result, ContextOnlyOnFailure) {
    EXPECT_EQ(*with_context(half(4), "halving"), 2);
    EXPECT_THAT(with_context(half(3), "halving").error().context, testing::ElementsAre("halving"));
}

}  // namespace
}  // namespace swrun
