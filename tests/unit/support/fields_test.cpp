#include "support/fields.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace swrun {
namespace {

struct Inner {
    int a = 0;
    std::string b;
};
struct Round {
    double radius = 0;
};
struct Square {
    std::uint32_t side = 0;
};
struct Outer {
    Inner inner;
    std::vector<Inner> list;
    std::variant<Round, Square> shape;
    std::optional<std::vector<int>> maybe;
    std::optional<std::string> name;
    bool flag = false;
    enum class Kind { one, two } kind = Kind::one;
};

enum class Use { key, none };

}  // namespace

template <> struct FieldsOf<Inner> {
    static constexpr auto list = std::tuple{field("a", &Inner::a, Use::key), field("b", &Inner::b, Use::none)};
};

namespace {

TEST(Fields, AreCountedWhateverTheirTypes) {
    EXPECT_EQ(kFieldCount<Inner>, 2U);
    EXPECT_EQ(kFieldCount<Outer>, 7U);
    EXPECT_EQ(kFieldCount<Round>, 1U);
    struct Nothing {};
    EXPECT_EQ(kFieldCount<Nothing>, 0U);
}

TEST(Fields, AreVisitedInTheirOrderWithWhatIsSaidAboutThem) {
    const Inner inner{7, "seven"};
    std::vector<std::string> seen;
    each_field(inner, [&](const auto& about, const auto& value) {
        std::string text = about.name;
        if constexpr (std::is_same_v<decltype(value), const int&>) text += "=" + std::to_string(value);
        seen.push_back(text + (about.note == Use::key ? " key" : ""));
    });
    EXPECT_EQ(seen, (std::vector<std::string>{"a=7 key", "b"}));
}

TEST(Fields, CanBeWritten) {
    Inner inner;
    each_field(inner, [](const auto&, auto& value) {
        if constexpr (std::is_same_v<decltype(value), std::string&>) value = "set";
    });
    EXPECT_EQ(inner.b, "set");
}

}  // namespace
}  // namespace swrun
