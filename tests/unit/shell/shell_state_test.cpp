// Reading what shells print about their exported variables.
#include "shell/shell_state.h"

#include <gtest/gtest.h>

namespace swrun {
namespace {

std::string dump(const std::string& exports,
                 const std::string& head = "swrun-state 1\nswrun-end - 0\nswrun-umask 0022\nswrun-hidden\n") {
    return head + exports + "swrun-eof\n";
}

std::string value_of(const std::string& exports, const std::string& name) {
    const Result<ShellReport> report = parse_shell_state(dump(exports));
    if (!report) return "error: " + report.error().message;
    const auto found = report->state.exported.find(name);
    return found == report->state.exported.end() ? "(unset)" : found->second.value;
}

TEST(ShellStateReader, Head) {
    const Result<ShellReport> report = parse_shell_state(
        dump("", "swrun-state 1\nswrun-end 12 33\nswrun-umask 0027\nswrun-hidden A B_1\n"));
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_FALSE(report->complete);
    EXPECT_EQ(report->step, 12U);
    EXPECT_EQ(report->status, 33);
    EXPECT_EQ(report->state.umask, std::optional<mode_t>(027));
    EXPECT_EQ(report->state.hidden, (std::set<std::string>{"A", "B_1"}));
    EXPECT_TRUE(parse_shell_state(dump(""))->complete);
}

TEST(ShellStateReader, Bash) {
    EXPECT_EQ(value_of("declare -x A=\"1\"\n", "A"), "1");
    EXPECT_EQ(value_of("declare -x A=\"a\\\"b\\$c\\`d\\\\e\\f'\"\n", "A"), "a\"b$c`d\\e\\f'");
    EXPECT_EQ(value_of("declare -x A=\"l1\nswrun-eof\nl3\"\ndeclare -x B=\"2\"\n", "A"), "l1\nswrun-eof\nl3");
    EXPECT_EQ(value_of("declare -x A=$'it\\'s \"q\" $x\\nz\\ttab \\303\\251\\E[0m\\\\\\001'\n", "A"),
              "it's \"q\" $x\nz\ttab \303\251\033[0m\\\001");
    EXPECT_EQ(value_of("declare -rx A=\"1\"\ndeclare -ix B=\"2\"\n", "B"), "2");
    EXPECT_EQ(value_of("declare -x A\ndeclare -x B=\"\"\n", "A"), "(unset)");
    EXPECT_EQ(value_of("declare -x A\ndeclare -x B=\"\"\n", "B"), "");
    EXPECT_EQ(value_of("declare -ax A=([0]=\"a)\" [1]=$'\\n')\ndeclare -Ax M=([k]=\"v\" )\ndeclare -x B=\"2\"\n", "A"),
              "(unset)");
    EXPECT_EQ(value_of("declare -ax A=([0]=\"a)\" [1]=$'\\n')\ndeclare -Ax M=([k]=\"v\" )\ndeclare -x B=\"2\"\n", "B"),
              "2");
    EXPECT_EQ(value_of("export A=\"posix mode\"\n", "A"), "posix mode");
}

TEST(ShellStateReader, DashAndAsh) {
    EXPECT_EQ(value_of("export A='1'\nexport B=''\nexport C\n", "A"), "1");
    EXPECT_EQ(value_of("export A='it'\"'\"'s \"q\" $x `y`\nl2\t'\n", "A"), "it's \"q\" $x `y`\nl2\t");
    EXPECT_EQ(value_of("export A='it'\\''s'\n", "A"), "it's");
    EXPECT_EQ(value_of("export A=plain\n", "A"), "plain");
}

TEST(ShellStateReader, Refuses) {
    const std::string good = dump("declare -x A=\"1\"\n");
    EXPECT_FALSE(parse_shell_state(""));
    for (const std::string& bad :
         {good + "x", good.substr(0, good.size() - 1), dump("A=1\n"), dump("export 1A='1'\n"), dump("export A='1\n"),
          dump("export A=\"1\n"), dump("declare -x A=$'\\q'\n"), dump("declare -x A=$'\\000'\n"),
          dump("export A='1' B='2'\n"), dump("declare -ax A=([0]=\"1\"\n"), dump("declare x\n"),
          dump(std::string("export A='\0'\n", 13)), dump("", "swrun-state 2\n"),
          dump("", "swrun-state 1\nswrun-end x 0\nswrun-umask 0022\nswrun-hidden\n"),
          dump("", "swrun-state 1\nswrun-end 1 300\nswrun-umask 0022\nswrun-hidden\n"),
          dump("", "swrun-state 1\nswrun-end 1 0\nswrun-umask 9\nswrun-hidden\n"),
          dump("", "swrun-state 1\nswrun-end 1 0\nswrun-umask 7777777\nswrun-hidden\n"),
          dump("", "swrun-state 1\nswrun-end 1 0\nswrun-umask 22\nswrun-hidden a-b\n")}) {
        EXPECT_FALSE(parse_shell_state(bad)) << bad;
    }
}

// No cut or changed byte may crash the reader or make it read past the end.
TEST(ShellStateReader, SurvivesDamage) {
    const std::string good = dump(
        "declare -x A=$'a\\303\\'b'\ndeclare -ax B=([0]=\"x\")\nexport C='it'\"'\"'s'\ndeclare -x D=\"\\\"\"\n");
    ASSERT_TRUE(parse_shell_state(good));
    for (std::size_t i = 0; i < good.size(); ++i) {
        EXPECT_FALSE(parse_shell_state(good.substr(0, i))) << i;
        for (const char c : {'\0', '\n', '"', '\'', '\\', '(', ' ', '$'}) {
            std::string damaged = good;
            damaged[i] = c;
            const Result<ShellReport> report = parse_shell_state(damaged);
            EXPECT_LE(report ? report->state.exported.size() : 0U, 4U);
        }
    }
}

}  // namespace
}  // namespace swrun
