// What people write: --env arguments, --env-file texts, and the generated OCI runscript.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "env/env_file.h"
#include "env/env_option.h"
#include "env/oci_runscript.h"

namespace swrun {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> pairs(const Result<std::vector<EnvOverride>>& values) {
    std::vector<std::string> list;
    if (!values) return {"error: " + values.error().message};
    for (const EnvOverride& each : *values) list.push_back(each.name + "|" + each.value);
    return list;
}

std::vector<std::string> option(std::string_view text) {
    return pairs(parse_env_option(text, {Origin::Kind::argument, "--env"}));
}

TEST(EnvOption, Forms) {
    EXPECT_THAT(option("A=1"), ElementsAre("A|1"));
    EXPECT_THAT(option("A="), ElementsAre("A|"));
    EXPECT_THAT(option("=v"), ElementsAre("|v"));
    EXPECT_THAT(option("A=1,2,3"), ElementsAre("A|1,2,3"));
    EXPECT_THAT(option("A=1,B=2,C=3"), ElementsAre("A|1", "B|2", "C|3"));
    EXPECT_THAT(option("\"A=1,2\",B=3=4"), ElementsAre("A|1,2", "B|3=4"));
    EXPECT_THAT(option("A=b=c"), ElementsAre("A|b=c"));
    EXPECT_THAT(option("A=x y  z"), ElementsAre("A|x y  z"));
    EXPECT_THAT(option("A=l1\nl2"), ElementsAre("A|l1\nl2"));
    EXPECT_THAT(option("A=\"x y\""), ElementsAre("A|x y"));
    EXPECT_THAT(option("\"A=1,2\""), ElementsAre("A|1,2"));
    EXPECT_THAT(option("A=5\""), ElementsAre("A|5\""));
    EXPECT_THAT(option("A=\""), ElementsAre("A|\""));
}

TEST(EnvOption, Errors) {
    EXPECT_THAT(option("FOO"), ElementsAre("error: FOO must be formatted as key=value"));
    EXPECT_THAT(option(""), ElementsAre("error:  must be formatted as key=value"));
    EXPECT_THAT(option("A=1,B,C=2"), ElementsAre("error: B must be formatted as key=value"));
    EXPECT_THAT(option("A=\"b=c\"")[0], HasSubstr("double quote"));
    EXPECT_EQ(parse_env_option("FOO", {}).error().kind, Error::Kind::usage);
}

class EnvFileTest : public testing::Test {
protected:
    Result<std::vector<EnvOverride>> evaluate(std::string_view text) {
        host.environment = {{"HOSTV", "hv"}, {"PATH", "/host/bin"}, {"HOME", "/h"}};
        host.user.uid = 12;
        return evaluate_env_file(text, "f.env", host, "i.sif", {"/.singularity.d/actions/exec", "cmd"});
    }
    HostFacts host;
};

TEST_F(EnvFileTest, Values) {
    EXPECT_THAT(pairs(evaluate("# comment\nA=1\nexport B=\"two words\"\nC='single $A'\nD=$A-x\nE=\"$HOSTV\"\n\n")),
                ElementsAre("A|1", "B|two words", "C|single $A", "D|1-x", "E|hv"));
    EXPECT_THAT(pairs(evaluate("A=\"l1\nl2\"\n")), ElementsAre("A|l1\nl2"));
    EXPECT_THAT(pairs(evaluate("V='\\$FOO'")), ElementsAre("V|\\$FOO"));
    EXPECT_THAT(pairs(evaluate("A=1 B=2\nA=3\nX=$(echo x)\nY=`printf '%s' y`")),
                ElementsAre("A|3", "B|2", "X|x", "Y|y"));
    EXPECT_THAT(pairs(evaluate("P=$PATH\nI=$APPTAINER_IMAGE\nU=$UID\nN=$#$2\nM=$SINGULARITY_IMAGE")),
                ElementsAre("P|/host/bin", "I|i.sif", "U|12", "N|2cmd", "M|"));
    EXPECT_THAT(pairs(evaluate("")), IsEmpty());
    EXPECT_THAT(pairs(evaluate("A=1\nunset A\nB=2\nexit 0\nC=3")), ElementsAre("B|2"));
}

TEST_F(EnvFileTest, ReservedNamesAreDropped) {
    EXPECT_THAT(pairs(evaluate("EUID=1\nGID=1\nHOME=/x\nIFS=:\nOPTIND=3\nPWD=/x\nUID=1\nA=1")), ElementsAre("A|1"));
}

TEST_F(EnvFileTest, Refusals) {
    EXPECT_THAT(evaluate("A=1\nA=$(id)").error().message,
                HasSubstr("f.env:2: the command id: could not execute \"id\": execution is disabled"));
    EXPECT_THAT(evaluate("ls").error().message, HasSubstr("execution is disabled"));
    EXPECT_THAT(evaluate("A=b c").error().message, HasSubstr("execution is disabled"));
    EXPECT_THAT(evaluate("echo x > /tmp/t").error().message,
                HasSubstr("could not open/create/modify \"/tmp/t\": file feature is disabled"));
    EXPECT_THAT(evaluate(". /tmp/t").error().message, HasSubstr("file feature is disabled"));
    EXPECT_THAT(evaluate("A=(1 2)").error().message, HasSubstr("f.env:1: an array"));
    EXPECT_THAT(evaluate("A='").error().message, HasSubstr("not closed"));
    EXPECT_THAT(evaluate("exit 3").error().message, HasSubstr("exit status 3"));
    EXPECT_EQ(evaluate("ls").error().kind, Error::Kind::request);
}

std::string runscript(const std::string& entrypoint, const std::string& cmd) {
    return "#!/bin/sh\nOCI_ENTRYPOINT=" + entrypoint + "\nOCI_CMD=" + cmd +
           "\n\nif [ $# -gt 0 ]; then\n    SINGULARITY_OCI_RUN=\"${OCI_ENTRYPOINT} ${CMDLINE_ARGS}\"\nfi\n"
           "eval \"set ${SINGULARITY_OCI_RUN}\"\nexec \"$@\"\n";
}

TEST(OciRunscript, Words) {
    const auto both = parse_oci_runscript(
        runscript("'\"/usr/local/bin/entry\" \"fixed arg\"'", "'\"default\" \"second \\$X\"'"));
    ASSERT_TRUE(both);
    EXPECT_THAT(both->entrypoint, ElementsAre("/usr/local/bin/entry", "fixed arg"));
    EXPECT_THAT(both->cmd, ElementsAre("default", "second $X"));
    const auto odd = parse_oci_runscript(runscript("''", "'\"it'\\''s\" \"a\\\"b\\\\c\\d\nline2\" plain \"'\"'\"'\"'"));
    ASSERT_TRUE(odd);
    EXPECT_THAT(odd->entrypoint, IsEmpty());
    EXPECT_THAT(odd->cmd, ElementsAre("it's", "a\"b\\c\\d\nline2", "plain", "'"));
}

TEST(OciRunscript, NotHandled) {
    EXPECT_FALSE(parse_oci_runscript("#!/bin/sh\nexec \"$@\"\n"));
    EXPECT_FALSE(parse_oci_runscript(""));
    EXPECT_FALSE(parse_oci_runscript(runscript("'\"$HOME/x\"'", "''")));
    EXPECT_FALSE(parse_oci_runscript(runscript("'\"`id`\"'", "''")));
    EXPECT_FALSE(parse_oci_runscript(runscript("'\"open'", "''")));
    EXPECT_FALSE(parse_oci_runscript(runscript("'a; b'", "''")));
    EXPECT_FALSE(parse_oci_runscript(runscript("\"$X\"", "''")));
    EXPECT_FALSE(parse_oci_runscript(runscript("'unclosed", "")));
    EXPECT_FALSE(parse_oci_runscript("OCI_CMD=''\neval \"set ${SINGULARITY_OCI_RUN}\"\n"));
    EXPECT_FALSE(parse_oci_runscript("OCI_ENTRYPOINT=''\nOCI_CMD=''\n# eval \"set ${SINGULARITY_OCI_RUN}\"\n"));
}

TEST(OciRunscript, Composition) {
    const std::vector<std::string> args = {"$HOME", "*"};
    EXPECT_THAT(compose_oci_command({{"e", "f"}, {}}, args), ElementsAre("e", "f", "$HOME", "*"));
    EXPECT_THAT(compose_oci_command({{"e"}, {}}, {}), ElementsAre("e"));
    EXPECT_THAT(compose_oci_command({{}, {"c", "d"}}, {}), ElementsAre("c", "d"));
    EXPECT_THAT(compose_oci_command({{}, {"c"}}, args), ElementsAre("$HOME", "*"));
    EXPECT_THAT(compose_oci_command({{"e"}, {"c"}}, {}), ElementsAre("e", "c"));
    EXPECT_THAT(compose_oci_command({{"e"}, {"c"}}, args), ElementsAre("e", "$HOME", "*"));
    EXPECT_THAT(compose_oci_command({}, {}), IsEmpty());
}

}  // namespace
}  // namespace swrun
