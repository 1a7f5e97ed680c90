#include "cli/wrapper.h"

#include "command_line.h"

namespace swrun {
namespace {

Reading with(Pairs environment, bool is_file = true) {
    Reading reading;
    reading.environment = std::move(environment);
    reading.image_is_file = is_file;
    return reading;
}

TEST(Wrapper, SplitsWords) {
    EXPECT_EQ(split_words(" -B /m:/m  -B\t/l:/l\n"), (Words{"-B", "/m:/m", "-B", "/l:/l"}));
    EXPECT_EQ(split_words("--env A=\"x y\" *"), (Words{"--env", "A=\"x", "y\"", "*"}));
    EXPECT_TRUE(split_words(" \n").empty());
    EXPECT_TRUE(split_words("").empty());
}

TEST(Wrapper, Exec) {
    const Invocation one = with({{"CONTAINER_IMAGE", "/x.sif"}, {"CONTAINER_FLAGS", " -B /m:/m  --nv "}})
                               .invocation({"/opt/singularity_wrapper", "exec", "sh", "-c", "a b", ""});
    EXPECT_EQ(one.command, Command::exec);
    EXPECT_TRUE(one.dropin());
    EXPECT_EQ(one.launch.image, "/x.sif");
    EXPECT_EQ(one.launch.arguments, (Words{"sh", "-c", "a b", ""}));
    EXPECT_EQ(values(one.bind_texts), (Words{"/m:/m"}));
    EXPECT_TRUE(one.launch.nv.value);
}

TEST(Wrapper, OlderNamesEachOnTheirOwn) {
    const Invocation one = with({{"SING_IMAGE", "/y.sif"}, {"SING_FLAGS", "--cleanenv"}, {"CONTAINER_IMAGE", ""}})
                               .invocation({"apptainer_wrapper", "run", "fail"});
    EXPECT_EQ(one.command, Command::run);
    EXPECT_EQ(one.launch.image, "/y.sif");
    EXPECT_TRUE(one.launch.cleanenv.value);
    EXPECT_EQ(one.launch.arguments, (Words{"fail"}));
    const Invocation both = with({{"SING_IMAGE", "/y.sif"}, {"SING_FLAGS", "-e"}, {"CONTAINER_IMAGE", "/z.sif"}})
                                .invocation({"singularity_wrapper", "run"});
    EXPECT_EQ(both.launch.image, "/z.sif");
    EXPECT_TRUE(both.launch.cleanenv.value);
}

TEST(Wrapper, Shell) {
    const Reading reading = with({{"CONTAINER_IMAGE", "/x.sif"}, {"CONTAINER_FLAGS", "-e"}});
    const Invocation one = reading.invocation({"singularity_wrapper", "shell", "/bin/ash"});
    EXPECT_EQ(one.command, Command::shell);
    EXPECT_EQ(one.launch.shell.value, "/bin/ash");
    EXPECT_TRUE(one.launch.arguments.empty());
    EXPECT_EQ(reading.invocation({"singularity_wrapper", "shell"}).launch.shell.value, std::nullopt);
    EXPECT_EQ(reading.invocation({"singularity_wrapper", "shell", ""}).launch.shell.value, std::nullopt);
}

TEST(Wrapper, UnderTheOwnNameWithGlobals) {
    const Invocation one =
        with({{"CONTAINER_IMAGE", "/x.sif"}}).invocation({"swrun", "-q", "wrapper", "exec", "wrapper", "-x"});
    EXPECT_FALSE(one.dropin());
    EXPECT_EQ(one.level, Level::quiet);
    EXPECT_EQ(one.launch.arguments, (Words{"wrapper", "-x"}));
}

TEST(Wrapper, Mistakes) {
    const UsageError unset = with({}).usage({"singularity_wrapper", "exec", "x"});
    EXPECT_EQ(unset.err, "Cannot find an apptainer image as $CONTAINER_IMAGE has not been set.\n");
    EXPECT_NE(unset.out.find("singularity_wrapper exec <command>"), std::string::npos);
    EXPECT_EQ(unset.status, 1);
    const UsageError missing = with({{"SING_IMAGE", "/no"}}, false).usage({"singularity_wrapper", "run"});
    EXPECT_EQ(missing.err,
              "Cannot find a singularity image as $SING_IMAGE does not point to an image file.\n  it is /no\n");
    EXPECT_EQ(missing.status, 1);
    for (const Words& argv :
         {Words{"singularity_wrapper"}, Words{"singularity_wrapper", "frob"}, Words{"swrun", "wrapper"}}) {
        const UsageError usage = with({{"CONTAINER_IMAGE", "/x"}}).usage(argv);
        EXPECT_EQ(usage.err, "");
        EXPECT_EQ(usage.out, unset.out);
        EXPECT_EQ(usage.status, 1);
    }
    EXPECT_EQ(with({}).usage({"singularity_wrapper", "--help"}).status, 0);
    // What is wrong with the flags is said as for exec itself.
    EXPECT_TRUE(with({{"CONTAINER_IMAGE", "/x"}, {"CONTAINER_FLAGS", "--frob"}})
                    .usage({"singularity_wrapper", "exec", "x"})
                    .err.starts_with("Error for command \"exec\": unknown flag: --frob\n"));
    EXPECT_EQ(with({{"CONTAINER_IMAGE", "/x"}}).usage({"singularity_wrapper", "exec"}).err,
              "Error for command \"exec\": requires at least 2 arg(s), only received 1\n\n");
}

}  // namespace
}  // namespace swrun
