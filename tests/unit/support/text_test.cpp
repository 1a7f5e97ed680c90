#include "support/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>

namespace swrun {
namespace {

using testing::ElementsAre;
using testing::Optional;

TEST(Split, KeepsEmptyParts) {
    EXPECT_THAT(split("a,b,,c", ','), ElementsAre("a", "b", "", "c"));
    EXPECT_THAT(split("", ','), ElementsAre(""));
    EXPECT_THAT(split(",", ','), ElementsAre("", ""));
    EXPECT_THAT(split("abc", ','), ElementsAre("abc"));
}

TEST(Join, IsTheOppositeOfSplit) {
    EXPECT_EQ(join({"a", "b", "", "c"}, ","), "a,b,,c");
    EXPECT_EQ(join({"a", "b"}, ", "), "a, b");
    EXPECT_EQ(join({"a", "a"}, "-"), "a-a");
    EXPECT_EQ(join({"a"}, ","), "a");
    EXPECT_EQ(join({}, ","), "");
}

TEST(Trim, OnlyTheEnds) {
    EXPECT_EQ(trim(" \t\r\n a b \n"), "a b");
    EXPECT_EQ(trim("a"), "a");
    EXPECT_EQ(trim(" \t "), "");
    EXPECT_EQ(trim(""), "");
}

TEST(IsIdentifier, PosixNames) {
    for (const char* name : {"A", "_", "a1", "HOME", "_x9Z"}) EXPECT_TRUE(is_identifier(name)) << name;
    for (const char* name : {"", "1A", "a-b", "a.b", "a b", "ä", "a=", "BASH_FUNC_f%%"})
        EXPECT_FALSE(is_identifier(name)) << name;
}

TEST(ParseDecimal, TheWholeTextOrNothing) {
    EXPECT_THAT(parse_decimal("0"), Optional(0U));
    EXPECT_THAT(parse_decimal("007"), Optional(7U));
    EXPECT_THAT(parse_decimal("18446744073709551615"), Optional(18446744073709551615ULL));
    for (const char* text : {"", "-1", "+1", " 1", "1 ", "0x1", "1e3", "18446744073709551616", "a"}) {
        EXPECT_EQ(parse_decimal(text), std::nullopt) << text;
    }
}

TEST(Printable, OnlyControlBytesChange) {
    EXPECT_EQ(printable("a b\\ä~"), "a b\\ä~");
    EXPECT_EQ(printable(std::string_view("\x1b[2J\n\0\x7f", 7)), "\\x1b[2J\\x0a\\x00\\x7f");
    EXPECT_EQ(printable("\xff"), "\xff");
}

struct CsvCase {
    const char* record;
    std::vector<std::string> fields;
};

class SplitCsv : public testing::TestWithParam<CsvCase> {};

TEST_P(SplitCsv, Fields) { EXPECT_THAT(split_csv(GetParam().record), Optional(GetParam().fields)); }

INSTANTIATE_TEST_SUITE_P(Records, SplitCsv,
                         testing::Values(CsvCase{"", {""}}, CsvCase{"a,b,,c", {"a", "b", "", "c"}},
                                         CsvCase{"a,", {"a", ""}}, CsvCase{"\"a,b\",c", {"a,b", "c"}},
                                         CsvCase{"\"\"", {""}}, CsvCase{"\"a\"\"b\"", {"a\"b"}},
                                         CsvCase{"\"\"\"\"", {"\""}}, CsvCase{"a b , c", {"a b ", " c"}},
                                         CsvCase{"\"a\nb\",c", {"a\nb", "c"}}, CsvCase{"x,\"y\"", {"x", "y"}}));

TEST(SplitCsvRefuses, MisplacedQuotes) {
    for (const char* record : {"\"", "\"a", "a\"", "a\"b\"", "\"a\"b", "\"a\" ,b", "x,\"a", "\"\"\""}) {
        EXPECT_EQ(split_csv(record), std::nullopt) << record;
    }
}

TEST(ShellQuote, Form) {
    EXPECT_EQ(shell_quote("a b"), "'a b'");
    EXPECT_EQ(shell_quote(""), "''");
    EXPECT_EQ(shell_quote("it's"), "'it'\\''s'");
}

TEST(ShellQuote, AShellReadsItBack) {
    for (const char* text : {"", "a", "it's", "$HOME `id` $(id) \\ \" ! *", "'''", "a\nb", "-n", "ä\xff"}) {
        const std::string command = "printf %s " + shell_quote(text);
        FILE* pipe = ::popen(command.c_str(), "r");
        ASSERT_NE(pipe, nullptr);
        std::array<char, 256> buffer{};
        const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe);
        EXPECT_EQ(::pclose(pipe), 0);
        EXPECT_EQ(std::string(buffer.data(), count), text);
    }
}

}  // namespace
}  // namespace swrun
