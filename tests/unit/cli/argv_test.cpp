#include "cli/argv_pass.h"

#include <gtest/gtest.h>

namespace swrun {
namespace {

using O = OptionId;

struct Case {
    std::vector<std::string> argv;
    std::vector<Occurrence> options;
    std::vector<std::string> words;
};

CommandLine line_of(std::vector<std::string> argv) {
    auto result = scan_arguments(argv);
    if (const auto* fault = std::get_if<UsageFault>(&result)) {
        ADD_FAILURE() << fault->what;
        return {};
    }
    return std::get<CommandLine>(result);
}

UsageFault fault_in(std::vector<std::string> argv) {
    auto result = scan_arguments(argv);
    if (std::holds_alternative<CommandLine>(result)) {
        ADD_FAILURE() << "no fault in " << argv.back();
        return {};
    }
    return std::get<UsageFault>(result);
}

TEST(ArgvPass, Forms) {
    const Case cases[] = {
        {{"exec", "img", "true"}, {}, {"img", "true"}},
        {{"exec", "-B", "/a:/b", "img", "x"}, {{O::bind, "/a:/b"}}, {"img", "x"}},
        {{"exec", "-B/a:/b", "img", "x"}, {{O::bind, "/a:/b"}}, {"img", "x"}},
        {{"exec", "-B=/a:/b", "img", "x"}, {{O::bind, "/a:/b"}}, {"img", "x"}},
        {{"exec", "-B=", "img", "x"}, {{O::bind, "="}}, {"img", "x"}},
        {{"exec", "-B", "", "img", "x"}, {{O::bind, ""}}, {"img", "x"}},
        {{"exec", "--bind", "/a", "img", "x"}, {{O::bind, "/a"}}, {"img", "x"}},
        {{"exec", "--bind=/a", "img", "x"}, {{O::bind, "/a"}}, {"img", "x"}},
        {{"exec", "--bind=", "img", "x"}, {{O::bind, ""}}, {"img", "x"}},
        {{"exec", "--bind=a=b", "img", "x"}, {{O::bind, "a=b"}}, {"img", "x"}},
        {{"exec", "--bind", "--nv", "img", "x"}, {{O::bind, "--nv"}}, {"img", "x"}},
        {{"exec", "--bind", "--", "img", "x"}, {{O::bind, "--"}}, {"img", "x"}},
        {{"exec", "-ce", "img", "x"}, {{O::contain, "true"}, {O::cleanenv, "true"}}, {"img", "x"}},
        {{"exec", "-eB", "/a", "img", "x"}, {{O::cleanenv, "true"}, {O::bind, "/a"}}, {"img", "x"}},
        {{"exec", "-eB/a", "img", "x"}, {{O::cleanenv, "true"}, {O::bind, "/a"}}, {"img", "x"}},
        {{"exec", "-ceB=/a", "img", "x"}, {{O::contain, "true"}, {O::cleanenv, "true"}, {O::bind, "/a"}}, {"img", "x"}},
        {{"exec", "-e=false", "img", "x"}, {{O::cleanenv, "false"}}, {"img", "x"}},
        {{"exec", "-Be", "img", "x"}, {{O::bind, "e"}}, {"img", "x"}},
        {{"exec", "--nv", "true", "x"}, {{O::nv, "true"}}, {"true", "x"}},
        {{"exec", "--pwd", "/a", "--cwd=/b", "img", "x"}, {{O::cwd, "/a"}, {O::cwd, "/b"}}, {"img", "x"}},
        {{"exec", "--nohttps", "img", "x"}, {{O::no_https, "true"}}, {"img", "x"}},
        {{"exec", "--", "img", "x"}, {}, {"img", "x"}},
        {{"exec", "-e", "--", "-img", "x"}, {{O::cleanenv, "true"}}, {"-img", "x"}},
        {{"exec", "img", "--", "ls"}, {}, {"img", "--", "ls"}},
        {{"exec", "img", "-B", "/x", "--foo"}, {}, {"img", "-B", "/x", "--foo"}},
        {{"exec", "-", "x"}, {}, {"-", "x"}},
        {{"exec", "", "x"}, {}, {"", "x"}},
        {{"exec"}, {}, {}},
        {{"shell", "-s", "/bin/ash", "img"}, {{O::shell, "/bin/ash"}}, {"img"}},
        {{"inspect", "img", "--json", "-r"}, {{O::json, "true"}, {O::runscript, "true"}}, {"img"}},
        {{"inspect", "--app", "a", "img"}, {{O::inspect_app, "a"}}, {"img"}},
        {{"inspect", "-j", "--", "--json"}, {{O::json, "true"}}, {"--json"}},
        {{"run-help", "--app=a", "img"}, {{O::inspect_app, "a"}}, {"img"}},
        {{"build", "--remote", "x"}, {}, {"--remote", "x"}},
    };
    for (const Case& one : cases) {
        std::vector<std::string> argv = {"/usr/bin/singularity"};
        argv.insert(argv.end(), one.argv.begin(), one.argv.end());
        const CommandLine line = line_of(argv);
        std::string shown;
        for (const std::string& word : one.argv) shown += "<" + word + ">";
        EXPECT_EQ(line.options, one.options) << shown;
        EXPECT_EQ(line.words, one.words) << shown;
        EXPECT_EQ(line.command_word, one.argv[0]) << shown;
    }
}

TEST(ArgvPass, BooleanLiterals) {
    for (const char* literal : {"1", "t", "T", "TRUE", "true", "True"}) {
        const CommandLine line = line_of({"apptainer", "exec", std::string("--nv=") + literal, "img", "x"});
        EXPECT_EQ(line.options, (std::vector<Occurrence>{{O::nv, "true"}})) << literal;
    }
    for (const char* literal : {"0", "f", "F", "FALSE", "false", "False"}) {
        const CommandLine line = line_of({"apptainer", "exec", std::string("--nv=") + literal, "img", "x"});
        EXPECT_EQ(line.options, (std::vector<Occurrence>{{O::nv, "false"}})) << literal;
    }
}

TEST(ArgvPass, Faults) {
    const struct {
        std::vector<std::string> argv;
        std::string what;
    } cases[] = {
        {{"exec", "--foo", "img"}, "unknown flag: --foo"},
        {{"exec", "--foo=1", "img"}, "unknown flag: --foo"},
        {{"exec", "--cleanen", "img"}, "unknown flag: --cleanen"},
        {{"exec", "--debug", "img"}, "unknown flag: --debug"},
        {{"exec", "--shell", "/bin/sh", "img"}, "unknown flag: --shell"},
        {{"exec", "--syos", "img"}, "unknown flag: --syos"},
        {{"exec", "-Z", "img"}, "unknown shorthand flag: 'Z' in -Z"},
        {{"exec", "-Zx", "img"}, "unknown shorthand flag: 'Z' in -Zx"},
        {{"exec", "-eZx", "img"}, "unknown shorthand flag: 'Z' in -Zx"},
        {{"exec", "-e=", "img"}, "unknown shorthand flag: '=' in -="},
        {{"exec", "-s", "img"}, "unknown shorthand flag: 's' in -s"},
        {{"exec", "--bind"}, "flag needs an argument: --bind"},
        {{"exec", "-B"}, "flag needs an argument: 'B' in -B"},
        {{"exec", "-eB"}, "flag needs an argument: 'B' in -B"},
        {{"exec", "---x", "img"}, "bad flag syntax: ---x"},
        {{"exec", "--=x", "img"}, "bad flag syntax: --=x"},
        {{"exec", "--nv=maybe", "img"},
         "invalid argument \"maybe\" for \"--nv\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax"},
        {{"exec", "-e=yes", "img"},
         "invalid argument \"yes\" for \"-e, --cleanenv\" flag: strconv.ParseBool: parsing \"yes\": invalid syntax"},
        {{"exec", "--nv=", "img"},
         "invalid argument \"\" for \"--nv\" flag: strconv.ParseBool: parsing \"\": invalid syntax"},
    };
    for (const auto& one : cases) {
        std::vector<std::string> argv = {"apptainer"};
        argv.insert(argv.end(), one.argv.begin(), one.argv.end());
        const UsageFault fault = fault_in(argv);
        EXPECT_EQ(fault.kind, UsageFault::Kind::option);
        EXPECT_EQ(fault.command, Command::exec);
        EXPECT_EQ(fault.what, one.what);
    }
}

TEST(ArgvPass, Globals) {
    const CommandLine line = line_of({"swrun", "-dq", "--config", "/x", "exec", "img", "x"});
    EXPECT_EQ(line.global, (std::vector<Occurrence>{{O::debug, "true"}, {O::quiet, "true"}, {O::config, "/x"}}));
    EXPECT_EQ(line.words, (std::vector<std::string>{"img", "x"}));
    EXPECT_EQ(fault_in({"apptainer", "--foo"}),
              (UsageFault{UsageFault::Kind::option, std::nullopt, "unknown flag: --foo"}));
    EXPECT_EQ(fault_in({"apptainer", "--nv", "exec"}).what, "unknown flag: --nv");
    EXPECT_EQ(fault_in({"apptainer", "nosuch"}),
              (UsageFault{UsageFault::Kind::unknown_command, std::nullopt, "nosuch"}));
    EXPECT_EQ(line_of({"apptainer"}).command, std::nullopt);
    EXPECT_EQ(line_of({"apptainer", "-d"}).command, std::nullopt);
    EXPECT_EQ(line_of({}).command, std::nullopt);
}

TEST(ArgvPass, OwnCommandsOnlyUnderTheOwnName) {
    EXPECT_EQ(line_of({"swrun", "doctor"}).command, Command::doctor);
    EXPECT_EQ(fault_in({"singularity", "doctor"}).kind, UsageFault::Kind::unknown_command);
    EXPECT_EQ(line_of({"singularity", "completion", "bash"}).command, Command::completion);
}

TEST(ArgvPass, NamesOfTheProgram) {
    const struct {
        const char* argv0;
        CalledAs called;
    } cases[] = {
        {"swrun", CalledAs::own},
        {"/usr/bin/singularity", CalledAs::dropin},
        {"apptainer", CalledAs::dropin},
        {"./here", CalledAs::own},
        {"Singularity", CalledAs::own},
        {"x/run-singularity", CalledAs::run_singularity},
        {"", CalledAs::own},
        {"/opt/bin/singularity_wrapper", CalledAs::wrapper},
        {"apptainer_wrapper", CalledAs::wrapper},
    };
    for (const auto& one : cases) EXPECT_EQ(called_as(one.argv0), one.called) << one.argv0;
}

TEST(ArgvPass, Operands) {
    const struct {
        std::vector<std::string> argv;
        std::string what;  // empty: enough
    } cases[] = {
        {{"apptainer", "exec"}, "requires at least 2 arg(s), only received 0"},
        {{"apptainer", "exec", "img"}, "requires at least 2 arg(s), only received 1"},
        {{"apptainer", "exec", "img", "x"}, ""},
        {{"apptainer", "run"}, "requires at least 1 arg(s), only received 0"},
        {{"apptainer", "run", "img"}, ""},
        {{"apptainer", "shell"}, "requires at least 1 arg(s), only received 0"},
        {{"apptainer", "test"}, "requires at least 1 arg(s), only received 0"},
        {{"apptainer", "inspect"}, "accepts 1 arg(s), received 0"},
        {{"apptainer", "inspect", "a", "b"}, "accepts 1 arg(s), received 2"},
        {{"apptainer", "run-help"}, "accepts 1 arg(s), received 0"},
        {{"apptainer", "build"}, ""},
    };
    for (const auto& one : cases) {
        const auto fault = check_operands(line_of(one.argv));
        EXPECT_EQ(fault ? fault->what : "", one.what);
        if (fault) {
            EXPECT_EQ(fault->kind, UsageFault::Kind::operands);
        }
    }
}

}  // namespace
}  // namespace swrun
