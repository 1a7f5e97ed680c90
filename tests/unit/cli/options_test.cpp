#include "cli/options.h"

#include <fstream>
#include <sstream>

#include "command_line.h"
#include "source_dir.h"

namespace swrun {
namespace {

TEST(Options, PlainLaunch) {
    const Invocation one = Reading().invocation({"/usr/bin/singularity", "exec", "a b.sif", "ls", "-l", "--", ""});
    EXPECT_EQ(one.command, Command::exec);
    EXPECT_TRUE(one.dropin());
    EXPECT_TRUE(one.launches());
    EXPECT_EQ(one.launch.action, Action::exec);
    EXPECT_EQ(one.launch.image, "a b.sif");
    EXPECT_EQ(one.launch.arguments, (Words{"ls", "-l", "--", ""}));
    EXPECT_TRUE(one.notes.empty());
    EXPECT_FALSE(one.launch.nv.value);
    EXPECT_EQ(one.launch.nv.origin.kind, Origin::Kind::builtin);
}

TEST(Options, Actions) {
    EXPECT_EQ(Reading().invocation({"swrun", "run", "img"}).launch.action, Action::run);
    EXPECT_EQ(Reading().invocation({"swrun", "test", "img", "a"}).launch.action, Action::test);
    const Invocation shell = Reading().invocation({"swrun", "shell", "-s", "/bin/ash", "img", "-c", "x"});
    EXPECT_EQ(shell.launch.action, Action::shell);
    EXPECT_EQ(shell.launch.shell.value, "/bin/ash");
    EXPECT_EQ(shell.launch.arguments, (Words{"-c", "x"}));
    EXPECT_FALSE(shell.dropin());
}

// Values that the library in the middle could take for something of its own.
TEST(Options, OddValuesArriveUnchanged) {
    for (const char* value : {"", "-x", "--nv", "--", "{}", "%%", "[a,b]", "[]", "a=b", "a b", "'q'", "\"q\"",
                              "\xff\xfe", "#c", "@f", "a\nb", "true", "++"}) {
        const Invocation one = Reading().invocation(
            {"swrun", "exec", "-B", value, "-B", "/z", "--home", value, "img", "x"});
        EXPECT_EQ(values(one.bind_texts), (Words{value, "/z"})) << value;
        EXPECT_EQ(one.launch.home.value.value_or(""), value);
    }
}

TEST(Options, OrderAndRepetition) {
    const Invocation one = Reading().invocation({"swrun", "exec", "-e", "--bind", "/a", "--pwd", "/p", "-B/b,/c",
                                                 "--env", "A=1", "--pwd", "/q", "--env", "B=2,C=3", "-e=false", "img",
                                                 "x"});
    EXPECT_EQ(values(one.bind_texts), (Words{"/a", "/b,/c"}));
    EXPECT_EQ(values(one.env_texts), (Words{"A=1", "B=2,C=3"}));
    EXPECT_EQ(one.launch.cwd.value, "/q");
    EXPECT_FALSE(one.launch.cleanenv.value);
}

TEST(Options, SlicesAreCsv) {
    EXPECT_EQ(values(Reading().invocation({"swrun", "exec", "-S", "/a,\"/b,c\"", "-S", "/d", "i", "x"}).launch.scratch),
              (Words{"/a", "/b,c", "/d"}));
    EXPECT_TRUE(Reading().invocation({"swrun", "exec", "-S", "", "i", "x"}).launch.scratch.empty());
}

TEST(Options, EnvMayHoldAlmostAnything) {
    for (const char* text :
         {"A=", "=v", "A=a,b", "A=l1\nl2", "A=1,B=2", "\"A=1,2\",B=3", "A=1,B=2\nx,y", "\"A=1\n2\",B=3"}) {
        EXPECT_EQ(values(Reading().invocation({"swrun", "exec", "--env", text, "i", "x"}).env_texts), (Words{text}));
    }
}

TEST(Options, Versions) {
    EXPECT_EQ(Reading().invocation({"singularity", "--version"}).text, "apptainer version 1.5.3\n");
    EXPECT_EQ(Reading().invocation({"apptainer", "version"}).text, "1.5.3\n");
    EXPECT_EQ(Reading().invocation({"swrun", "--version"}).text, "swrun version 0.1.0\n");
    EXPECT_EQ(Reading().invocation({"swrun", "version"}).text, "0.1.0\n");
}

TEST(Options, VersionIsThatOfTheBuild) {
    std::ifstream in(SWRUN_SOURCE_DIR "/CMakeLists.txt");
    std::ostringstream text;
    text << in.rdbuf();
    EXPECT_NE(text.str().find("project(swrun VERSION " + std::string(kVersion) + " "), std::string::npos);
}

TEST(Options, RunSingularity) {
    const Invocation one = Reading().invocation({"/usr/bin/run-singularity", "./img.sif", "--nv", "x"});
    EXPECT_EQ(one.command, Command::run);
    EXPECT_TRUE(one.dropin());
    EXPECT_EQ(one.level, Level::quiet);
    EXPECT_EQ(one.launch.image, "./img.sif");
    EXPECT_EQ(one.launch.arguments, (Words{"--nv", "x"}));
}

TEST(Options, Inspect) {
    const Invocation one = Reading().invocation({"apptainer", "inspect", "-r", "--app", "a", "img", "-d"});
    EXPECT_EQ(one.command, Command::inspect);
    InspectRequest want;
    want.image = "img";
    want.runscript = want.deffile = true;
    want.app = "a";
    EXPECT_EQ(one.inspect, want);
    EXPECT_TRUE(Reading().invocation({"apptainer", "inspect", "--all", "img"}).inspect.json);
    const Invocation most = Reading().invocation({"apptainer", "inspect", "-lsteHj", "--list-apps", "img"});
    EXPECT_TRUE(most.inspect.labels && most.inspect.startscript && most.inspect.test && most.inspect.environment);
    EXPECT_TRUE(most.inspect.helpfile && most.inspect.json && most.inspect.list_apps);
    EXPECT_FALSE(most.inspect.all);
    const Invocation help = Reading().invocation({"apptainer", "run-help", "--app", "b", "img"});
    EXPECT_EQ(help.command, Command::run_help);
    EXPECT_EQ(help.inspect.app, "b");
}

TEST(Options, CommandsThatAreDoneElsewhere) {
    for (const char* name : {"build", "pull", "sign", "key", "oci"}) {
        const Error error = Reading().error({"apptainer", name, "--x", "y"});
        EXPECT_EQ(exit_code(error), 255);
        EXPECT_EQ(error.message, "swrun does not do `" + std::string(name) + "`");
        EXPECT_FALSE(error.hint.empty());
    }
}

TEST(Options, OwnSwitches) {
    const Invocation one = Reading().invocation(
        {"swrun", "exec", "--dry-run", "--explain-env", "--timings", "--image-mode", "fuse", "img", "x"});
    EXPECT_TRUE(one.dry_run && one.explain_env && one.timings);
    EXPECT_EQ(one.launch.image_mode.value, ImageMode::fuse);
    EXPECT_EQ(Reading().invocation({"swrun", "exec", "--image-mode=auto", "i", "x"}).launch.image_mode.value,
              ImageMode::automatic);
    EXPECT_EQ(Reading().invocation({"swrun", "exec", "--image-mode", "unpack", "i", "x"}).launch.image_mode.value,
              ImageMode::unpack);
    EXPECT_EQ(Reading().usage({"swrun", "exec", "--image-mode", "magic", "i", "x"}).status, 1);
    Reading variable;
    variable.environment = {{"SWRUN_IMAGE_MODE", "magic"}};
    EXPECT_NE(variable.error({"swrun", "exec", "i", "x"}).message.find("SWRUN_IMAGE_MODE"), std::string::npos);
}

TEST(Options, ImageReader) {
    const auto reader = [](const Words& argv) { return Reading().invocation(argv).launch.image_reader.value; };
    EXPECT_EQ(reader({"swrun", "exec", "i", "x"}), ImageReader::own);
    EXPECT_EQ(reader({"swrun", "exec", "--image-reader=swrun", "i", "x"}), ImageReader::own);
    EXPECT_EQ(reader({"swrun", "run", "--image-reader", "squashfuse", "i"}), ImageReader::squashfuse);
    EXPECT_EQ(Reading().usage({"swrun", "exec", "--image-reader", "kernel", "i", "x"}).status, 1);
    Reading variable;
    variable.environment = {{"SWRUN_IMAGE_READER", "kernel"}};
    const Error error = variable.error({"swrun", "exec", "i", "x"});
    EXPECT_EQ(error.message, "unknown image reader kernel (from variable SWRUN_IMAGE_READER)");
    EXPECT_EQ(error.hint, "swrun or squashfuse");
}

TEST(Options, ConfigUnderTheDropinNamesIsNotOurs) {
    const Invocation one = Reading().invocation({"apptainer", "-c", "/etc/apptainer.conf", "exec", "i", "x"});
    ASSERT_EQ(one.notes.size(), 1U);
    EXPECT_EQ(one.notes[0].level, Level::warning);
}

TEST(Options, ValueFaultsOfTheFirstBadOptionWin) {
    const UsageError error = Reading().usage({"apptainer", "exec", "--env", "A", "--scratch", "a\"", "i", "x"});
    EXPECT_NE(error.err.find("--env"), std::string::npos);
}

}  // namespace
}  // namespace swrun
