#include "cli/variables.h"

#include "command_line.h"

namespace swrun {
namespace {

const Words kExec = {"apptainer", "exec", "img", "true"};

Reading with(Pairs environment) {
    Reading reading;
    reading.environment = std::move(environment);
    return reading;
}

std::vector<std::string> warnings(const Invocation& invocation) {
    std::vector<std::string> texts;
    for (const Note& note : invocation.notes) {
        if (note.level == Level::warning) texts.push_back(note.text);
    }
    return texts;
}

TEST(Variables, PrefixesByRank) {
    EXPECT_EQ(with({{"SINGULARITY_PWD", "/s"}}).invocation(kExec).launch.cwd.value, "/s");
    EXPECT_EQ(with({{"SINGULARITY_PWD", "/s"}, {"APPTAINER_PWD", "/a"}}).invocation(kExec).launch.cwd.value, "/a");
    const Invocation own =
        with({{"SINGULARITY_PWD", "/s"}, {"APPTAINER_PWD", "/a"}, {"SWRUN_PWD", "/o"}}).invocation(kExec);
    EXPECT_EQ(own.launch.cwd.value, "/o");
    EXPECT_EQ(own.launch.cwd.origin, (Origin{Origin::Kind::variable, "SWRUN_PWD"}));
    EXPECT_EQ(with({{"PWD", "/p"}, {"XAPPTAINER_PWD", "/x"}}).invocation(kExec).launch.cwd.value, std::nullopt);
}

TEST(Variables, OfTwoWithOneNameTheFirstCounts) {
    EXPECT_EQ(with({{"APPTAINER_PWD", "/a"}, {"APPTAINER_PWD", "/b"}}).invocation(kExec).launch.cwd.value, "/a");
    EXPECT_EQ(values(with({{"APPTAINER_BIND", "/a"}, {"APPTAINER_BIND", "/b"}}).invocation(kExec).bind_texts),
              (Words{"/a"}));
}

TEST(Variables, KeysInOrder) {
    EXPECT_TRUE(with({{"APPTAINER_UNSHARE_PID", "1"}}).invocation(kExec).launch.pid.value);
    EXPECT_FALSE(with({{"APPTAINER_UNSHARE_PID", "1"}, {"SINGULARITY_PID", "0"}}).invocation(kExec).launch.pid.value);
    EXPECT_EQ(with({{"APPTAINER_TARGET_PWD", "/t"}}).invocation(kExec).launch.cwd.value, "/t");
    EXPECT_EQ(with({{"APPTAINER_PWD", "/p"}, {"APPTAINER_CWD", "/c"}}).invocation(kExec).launch.cwd.value, "/c");
}

TEST(Variables, CommandLineBeatsThem) {
    const Reading reading = with(
        {{"SINGULARITY_PWD", "/s"}, {"SINGULARITY_CLEANENV", "1"}, {"APPTAINER_SCRATCH", "/x"}});
    const Invocation one = reading.invocation(
        {"apptainer", "exec", "--pwd", "/c", "--cleanenv=false", "-S", "/y", "img", "x"});
    EXPECT_EQ(one.launch.cwd.value, "/c");
    EXPECT_FALSE(one.launch.cleanenv.value);
    EXPECT_EQ(values(one.launch.scratch), (Words{"/y"}));
    // An empty value on the command line is a decision, too.
    EXPECT_EQ(reading.invocation({"apptainer", "exec", "--pwd=", "img", "x"}).launch.cwd.value, std::nullopt);
}

TEST(Variables, BlankOnesAreIgnored) {
    const Invocation one =
        with({{"SINGULARITY_PWD", ""}, {"SINGULARITY_BIND", " "}, {"APPTAINER_NV", "\t"}}).invocation(kExec);
    EXPECT_EQ(one.launch.cwd.value, std::nullopt);
    EXPECT_TRUE(one.bind_texts.empty());
    EXPECT_FALSE(one.launch.nv.value);
    EXPECT_TRUE(warnings(one).empty());
}

TEST(Variables, BindsAreCollected) {
    const Reading reading = with({{"SINGULARITY_BINDPATH", "/1"},
                                  {"APPTAINER_BIND", "/2,/3"},
                                  {"SINGULARITY_BIND", "/2,/3"},
                                  {"SWRUN_BIND", ""},
                                  {"SINGULARITY_MOUNT", "src=/m,dst=/m"}});
    // SWRUN_BIND is set and blank: it hides the two of the same key.
    EXPECT_EQ(values(reading.invocation({"apptainer", "exec", "-B", "/0", "img", "x"}).bind_texts),
              (Words{"/0", "/1"}));
    const Invocation all = with({{"SINGULARITY_BINDPATH", "/4"},
                                 {"APPTAINER_BIND", "/2,/3"},
                                 {"SWRUN_BINDPATH", "/1"},
                                 {"APPTAINER_MOUNT", "m"}})
                               .invocation(
                                   {"apptainer", "exec", "-B", "/a,/b", "--bind=/c", "--mount", "n", "img", "x"});
    EXPECT_EQ(values(all.bind_texts), (Words{"/a,/b", "/c", "/1", "/2,/3"}));
    EXPECT_EQ(all.bind_texts[2].origin, (Origin{Origin::Kind::variable, "SWRUN_BINDPATH"}));
    EXPECT_EQ(all.bind_texts[0].origin, (Origin{Origin::Kind::argument, "--bind"}));
    EXPECT_EQ(values(all.mount_texts), (Words{"n", "m"}));
    const Invocation two =
        with({{"SINGULARITY_BINDPATH", "/b"}, {"SINGULARITY_BIND", "/a"}, {"APPTAINER_BINDPATH", "/c"}})
            .invocation(kExec);
    EXPECT_EQ(values(two.bind_texts), (Words{"/c", "/a"}));
}

TEST(Variables, ListsAreCutAtCommas) {
    const Invocation one =
        with({{"APPTAINER_SCRATCH", " /a , /b,, "}, {"APPTAINER_NO_MOUNT", "sys,tmp"}, {"APPTAINER_NOENV", "A"}})
            .invocation(kExec);
    EXPECT_EQ(values(one.launch.scratch), (Words{"/a", "/b"}));
    EXPECT_EQ(values(one.launch.no_mount), (Words{"sys", "tmp"}));
    EXPECT_EQ(values(one.launch.no_env), (Words{"A"}));
}

TEST(Variables, BadBooleanIsAnErrorInTwoLines) {
    const Error error = with({{"SINGULARITY_CLEANENV", "yes"}}).error(kExec);
    EXPECT_EQ(error.message,
              "While parsing environment variables: while updating flags from environment: \n"
              "unable to set flag cleanenv to value yes: strconv.ParseBool: parsing \"yes\": invalid syntax");
    EXPECT_EQ(error.context, (std::vector<std::string>{"reading the variable SINGULARITY_CLEANENV"}));
    EXPECT_EQ(exit_code(error), 255);
    EXPECT_FALSE(with({{"SINGULARITY_CLEANENV", "yes"}})
                     .invocation({"apptainer", "exec", "-e=0", "i", "x"})
                     .launch.cleanenv.value);
    EXPECT_EQ(exit_code(with({{"APPTAINER_DEBUG", "yes"}}).error(kExec)), 255);
    EXPECT_EQ(with({{"APPTAINER_DISABLE_CACHE", "yes"}}).invocation(kExec).launch.image, "img");  // does nothing anyway
}

TEST(Variables, RefusedOptionsAreNamed) {
    const Error error = with({{"APPTAINER_ALLOW_SETUID", "1"}}).error(kExec);
    EXPECT_NE(error.message.find("--allow-setuid (from variable APPTAINER_ALLOW_SETUID) is not supported"),
              std::string::npos);
    EXPECT_EQ(with({{"APPTAINER_ALLOW_SETUID", "0"}}).invocation(kExec).launch.image, "img");
}

TEST(Variables, DifferentValuesAreWarnedAbout) {
    EXPECT_EQ(warnings(with({{"SINGULARITY_PWD", "/s"}, {"APPTAINER_PWD", "/a"}}).invocation(kExec)),
              (Words{"SINGULARITY_PWD and APPTAINER_PWD have different values, using the latter"}));
    EXPECT_TRUE(warnings(with({{"SINGULARITY_PWD", "/a"}, {"APPTAINER_PWD", "/a"}}).invocation(kExec)).empty());
}

TEST(Variables, OldNamesMakeNoNoise) {
    for (const Note& note : with({{"SINGULARITY_NO_HOME", "1"}, {"SINGULARITYENV_A", "1"}}).invocation(kExec).notes) {
        EXPECT_EQ(note.level, Level::verbose) << note.text;
    }
}

TEST(Variables, ShellOnlyCountsForShell) {
    const Reading reading = with({{"APPTAINER_SHELL", "/bin/ash"}});
    EXPECT_EQ(reading.invocation({"apptainer", "shell", "img"}).launch.shell.value, "/bin/ash");
    EXPECT_EQ(reading.invocation(kExec).launch.shell.value, std::nullopt);
}

TEST(Variables, OwnOptionsHaveTheOwnPrefixOnly) {
    EXPECT_TRUE(with({{"SWRUN_DRY_RUN", "1"}}).invocation(kExec).dry_run);
    EXPECT_FALSE(with({{"APPTAINER_DRY_RUN", "1"}}).invocation(kExec).dry_run);
}

TEST(Variables, MessageLevels) {
    const struct {
        Pairs environment;
        Words before;
        Level level;
    } cases[] = {
        {{}, {}, Level::info},
        {{{"APPTAINER_MESSAGELEVEL", "-3"}}, {}, Level::error},
        {{{"SINGULARITY_MESSAGELEVEL", "-1"}}, {}, Level::quiet},
        {{{"SINGULARITY_MESSAGELEVEL", "0"}}, {}, Level::quiet},
        {{{"SINGULARITY_MESSAGELEVEL", "-2"}}, {}, Level::warning},
        {{{"SINGULARITY_MESSAGELEVEL", "-9"}}, {}, Level::fatal},
        {{{"SINGULARITY_MESSAGELEVEL", "4"}}, {}, Level::verbose},
        {{{"SINGULARITY_MESSAGELEVEL", "9"}}, {}, Level::debug},
        {{{"SINGULARITY_MESSAGELEVEL", "loud"}}, {}, Level::info},
        {{{"SINGULARITY_SILENT", "1"}}, {}, Level::error},
        {{{"APPTAINER_QUIET", "1"}}, {}, Level::quiet},
        {{{"SWRUN_VERBOSE", "true"}}, {}, Level::verbose},
        {{{"APPTAINER_DEBUG", "1"}}, {}, Level::debug},
        {{}, {"--quiet", "--silent"}, Level::quiet},
        {{}, {"-s"}, Level::error},
        {{}, {"-dq"}, Level::debug},
        {{{"APPTAINER_MESSAGELEVEL", "5"}}, {"-q"}, Level::quiet},
    };
    for (const auto& one : cases) {
        Words argv = {"apptainer"};
        argv.insert(argv.end(), one.before.begin(), one.before.end());
        argv.insert(argv.end(), {"exec", "img", "true"});
        EXPECT_EQ(with(one.environment).invocation(argv).level, one.level);
    }
}

TEST(Variables, Colour) {
    EXPECT_TRUE(with({}).invocation(kExec).color);
    EXPECT_FALSE(with({{"NO_COLOR", "1"}}).invocation(kExec).color);
    EXPECT_FALSE(with({{"APPTAINER_NOCOLOR", "1"}}).invocation(kExec).color);
    EXPECT_FALSE(with({}).invocation({"apptainer", "--nocolor", "exec", "i", "x"}).color);
}

}  // namespace
}  // namespace swrun
