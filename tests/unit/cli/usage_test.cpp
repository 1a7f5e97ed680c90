// Bytes that other tools look for in Singularity's usage errors.
#include <fstream>
#include <sstream>

#include "command_line.h"
#include "source_dir.h"

namespace swrun {
namespace {

std::string file_text(const std::string& name) {
    std::ifstream in(std::string(SWRUN_SOURCE_DIR "/tests/unit/cli/") + name, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

constexpr const char* kHint = "\nRun 'apptainer --help' for more detailed usage information.\n";

TEST(Usage, TooFewOperands) {
    const struct {
        Words argv;
        std::string err;
        std::string usage;
    } cases[] = {
        {{"apptainer", "exec"},
         "Error for command \"exec\": requires at least 2 arg(s), only received 0\n\n",
         "exec [exec options...] <container> <command>"},
        {{"singularity", "exec", "img"},
         "Error for command \"exec\": requires at least 2 arg(s), only received 1\n\n",
         "exec [exec options...] <container> <command>"},
        {{"singularity", "run"},
         "Error for command \"run\": requires at least 1 arg(s), only received 0\n\n",
         "run [run options...] <container> [args...]"},
        {{"apptainer", "shell"},
         "Error for command \"shell\": requires at least 1 arg(s), only received 0\n\n",
         "shell [shell options...] <container>"},
        {{"apptainer", "test"},
         "Error for command \"test\": requires at least 1 arg(s), only received 0\n\n",
         "test [exec options...] <image path>"},
        {{"apptainer", "inspect"},
         "Error for command \"inspect\": accepts 1 arg(s), received 0\n\n",
         "inspect [inspect options...] <image path>"},
    };
    for (const auto& one : cases) {
        const UsageError error = Reading().usage(one.argv);
        EXPECT_EQ(error.err, one.err);
        EXPECT_EQ(error.out, "Usage:\n  apptainer [global options...] " + one.usage + "\n" + kHint);
        EXPECT_EQ(error.status, 1);
    }
}

TEST(Usage, OwnNameHasTheSameShape) {
    const UsageError error = Reading().usage({"/usr/bin/swrun", "exec"});
    EXPECT_TRUE(error.err.starts_with("Error for command \"exec\": requires at least 2 arg(s), only received 0\n"));
    EXPECT_NE(error.err.find("`run` starts what the image is for"), std::string::npos);
    EXPECT_EQ(error.out,
              "Usage:\n  swrun [global options...] exec [exec options...] <container> <command>\n\n"
              "Run 'swrun --help' for more detailed usage information.\n");
}

TEST(Usage, FlagErrorsShowTheTableOfApptainer) {
    Reading reading;
    reading.home = "@HOME@";
    const struct {
        Words argv;
        std::string what;
    } cases[] = {
        {{"singularity", "exec", "--env", "A", "img", "true"},
         "invalid argument \"A\" for \"--env\" flag: A must be formatted as key=value"},
        {{"apptainer", "exec", "--env", "A=1=2,B", "img", "true"},
         "invalid argument \"A=1=2,B\" for \"--env\" flag: B must be formatted as key=value"},
        {{"apptainer", "exec", "--foo", "img", "true"}, "unknown flag: --foo"},
        {{"apptainer", "exec", "--bind"}, "flag needs an argument: --bind"},
        {{"apptainer", "exec", "--pids-limit", "x", "img", "true"},
         "invalid argument \"x\" for \"--pids-limit\" flag: strconv.ParseInt: parsing \"x\": invalid syntax"},
    };
    const std::string table = file_text("exec_options.txt");
    ASSERT_FALSE(table.empty());
    for (const auto& one : cases) {
        const UsageError error = reading.usage(one.argv);
        EXPECT_EQ(error.err, "Error for command \"exec\": " + one.what + "\n\n");
        EXPECT_EQ(error.out, table);
        EXPECT_EQ(error.status, 1);
    }
}

TEST(Usage, ListsWithBadQuotesAreUsageErrors) {
    const UsageError error = Reading().usage({"apptainer", "exec", "--scratch", "a\"b", "img", "true"});
    EXPECT_EQ(
        error.err.substr(0, error.err.find('\n')),
        "Error for command \"exec\": invalid argument \"a\\\"b\" for \"-S, --scratch\" flag: parse error on line 1: "
        "bare or unclosed \" in field");
}

TEST(Usage, BeforeTheCommand) {
    const UsageError error = Reading().usage({"singularity", "--foo", "exec", "img", "x"});
    EXPECT_EQ(error.err, "Error for command \"apptainer\": unknown flag: --foo\n\n");
    EXPECT_TRUE(error.out.starts_with("Options for apptainer command:\n\n"));
    EXPECT_NE(error.out.find("  -q, --quiet "), std::string::npos);
    EXPECT_TRUE(error.out.ends_with(kHint));
}

TEST(Usage, MissingAndUnknownCommands) {
    const UsageError none = Reading().usage({"apptainer"});
    EXPECT_EQ(none.err, "");
    EXPECT_NE(none.out.find("Available Commands:\n"), std::string::npos);
    EXPECT_EQ(none.status, 1);
    const UsageError unknown = Reading().usage({"singularity", "nosuch", "x"});
    EXPECT_EQ(unknown.err, "Error: unknown command \"nosuch\" for \"apptainer\"\n\n");
    EXPECT_EQ(unknown.out, none.out);
    EXPECT_EQ(unknown.status, 1);
    EXPECT_EQ(Reading().usage({"singularity", "help", "nosuch"}).err, unknown.err);
}

TEST(Usage, OwnNameShowsNoTableThatHidesTheMessage) {
    const UsageError flag = Reading().usage({"swrun", "exec", "--zzzzzz", "i", "x"});
    EXPECT_EQ(flag.out, "");
    EXPECT_TRUE(flag.err.ends_with("Run 'swrun help exec' for its options.\n"));
    const UsageError value = Reading().usage({"swrun", "sif", "info", "--zzzzzz", "1", "f"});
    EXPECT_TRUE(value.err.ends_with("Run 'swrun help sif info' for its options.\n"));
    for (const Words& argv : {Words{"swrun", "--zzzzzz", "exec"}, Words{"swrun", "nosuchthing"}}) {
        const UsageError before = Reading().usage(argv);
        EXPECT_EQ(before.out, "");
        EXPECT_TRUE(before.err.ends_with("Run 'swrun --help' for more detailed usage information.\n"));
    }
    EXPECT_NE(Reading().usage({"swrun"}).out, "");
}

TEST(Usage, OwnNameSuggestsWhatWasForgotten) {
    const struct {
        Words argv;
        std::string hint;
    } cases[] = {
        {{"swrun", "--nv", "exec", "i", "x"}, "--nv stands between the command and the image"},
        {{"swrun", "./image.sif", "x"}, "swrun run ./image.sif"},
        {{"swrun", "image.sif"}, "swrun run image.sif"},
        {{"swrun", "sif", "lst", "x"}, "did you mean list?"},
        {{"swrun", "help", "exce"}, "did you mean exec?"},
    };
    for (const auto& one : cases) {
        EXPECT_NE(Reading().usage(one.argv).err.find("  hint: "), std::string::npos) << one.argv.back();
        EXPECT_NE(Reading().usage(one.argv).err.find(one.hint), std::string::npos) << Reading().usage(one.argv).err;
        Words dropin = one.argv;
        dropin[0] = "apptainer";
        EXPECT_EQ(Reading().usage(dropin).err.find("hint"), std::string::npos);
    }
}

TEST(Usage, OwnNameSuggests) {
    EXPECT_NE(Reading().usage({"swrun", "exec", "--cleanenb", "i", "x"}).err.find("did you mean --cleanenv?"),
              std::string::npos);
    EXPECT_NE(Reading().usage({"swrun", "exce", "i", "x"}).err.find("did you mean exec?"), std::string::npos);
    EXPECT_NE(Reading().usage({"swrun", "exec", "--debug", "i", "x"}).err.find("before the command"),
              std::string::npos);
    EXPECT_EQ(Reading().usage({"swrun", "exec", "--zzzzzz", "i", "x"}).err.find("did you mean"), std::string::npos);
    EXPECT_EQ(Reading().usage({"apptainer", "exec", "--cleanenb", "i", "x"}).err.find("did you mean"),
              std::string::npos);
}

}  // namespace
}  // namespace swrun
