// --strict-compat: what a launch does when it shall do as Apptainer does, against what it does otherwise.
#include <gmock/gmock.h>

#include "support/plan_fixture.h"

namespace swrun {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct Pair {
    LaunchPlan usual;
    LaunchPlan strict;
};

Pair both(PlanCase& c) {
    Pair pair;
    pair.usual = c.plan();
    c.request.strict_compat = yes("--strict-compat");
    pair.strict = c.plan();
    return pair;
}

TEST(Strict, AnOrdinaryLaunchIsTheSame) {
    PlanCase c;
    Pair pair = both(c);
    EXPECT_TRUE(pair.strict.process.startup.strict);
    EXPECT_TRUE(pair.strict.process.program.candidates.at(0).absolute_argv0);
    pair.strict.process.startup.strict = false;
    pair.strict.process.program.candidates.at(0).absolute_argv0 = false;
    EXPECT_EQ(pair.usual, pair.strict);
}

TEST(Strict, TheArgumentsOfAnOciImageAreEvaluated) {
    PlanCase c;
    c.request.action = Action::run;
    c.request.arguments = {"$HOME"};
    c.image_tree.file("/.singularity.d/runscript",
                      "#!/bin/sh\nOCI_ENTRYPOINT='\"entry\"'\nOCI_CMD=''\neval \"set ${SINGULARITY_OCI_RUN}\"\n");
    const Pair pair = both(c);
    EXPECT_THAT(pair.usual.process.program.candidates.at(0).argv, ElementsAre("entry", "$HOME"));
    EXPECT_EQ(pair.strict.process.program.candidates.at(0).path, "/.singularity.d/runscript");
}

TEST(Strict, AHomeThatIsNotThereIsEmpty) {
    PlanCase c;
    c.request.home = text("/nowhere:/hh", "--home");
    EXPECT_THAT(c.error().message, HasSubstr("/nowhere"));
    c.request.strict_compat = yes("--strict-compat");
    EXPECT_TRUE(mount_at(c.plan(), "/hh").is<TmpfsMount>());
    EXPECT_THAT(warnings(c.plan()), ElementsAre(HasSubstr("an empty one is shown")));
}

TEST(Strict, AnImageWithoutTmpGetsNone) {
    PlanCase c;
    c.image_tree.drop("/tmp");
    const Pair pair = both(c);
    EXPECT_THAT(targets(pair.usual), Contains("/tmp"));
    EXPECT_THAT(targets(pair.strict), Not(Contains("/tmp")));
    EXPECT_THAT(warnings(pair.strict), ElementsAre(HasSubstr("Skipping mount /tmp")));
}

TEST(Strict, AShellWithoutAPathIsNotLookedUp) {
    PlanCase c;
    c.request.action = Action::shell;
    c.request.arguments = {};
    c.request.shell = text("zsh", "--shell");
    const Pair pair = both(c);
    EXPECT_EQ(pair.usual.process.program.candidates.at(0).test, Candidate::Test::try_lookup);
    EXPECT_EQ(pair.strict.process.program.candidates.at(0).test, Candidate::Test::executable);
    EXPECT_THAT(pair.usual.process.program.candidates.at(1).note, HasSubstr("zsh"));
    EXPECT_THAT(pair.strict.process.program.candidates.at(1).note, IsEmpty());
}

TEST(Strict, WorkingDirectoriesThatOnlyBeginLikeDev) {
    PlanCase c;
    c.host_tree.dir("/devel/u");
    c.host.cwd = {CwdFacts::State::known, "/devel/u", "/devel/u"};
    const Pair pair = both(c);
    EXPECT_THAT(targets(pair.usual), Contains("/devel/u"));
    EXPECT_THAT(targets(pair.strict), Not(Contains("/devel/u")));
}

TEST(Strict, ATmpdirThatIsNotThereIsNotMentioned) {
    PlanCase c;
    c.host.environment.emplace_back("TMPDIR", "/local/job");
    const Pair pair = both(c);
    EXPECT_THAT(warnings(pair.usual), ElementsAre(HasSubstr("TMPDIR is /local/job")));
    EXPECT_THAT(warnings(pair.strict), IsEmpty());
    c.request.strict_compat = {};
    for (const char* fine : {"/tmp", "relative", ""}) {
        c.host.environment.back().second = fine;
        EXPECT_THAT(warnings(c.plan()), IsEmpty()) << fine;
    }
}

TEST(Directories, EachIsTriedOnce) {
    PlanCase c;
    EXPECT_THAT(directories(c.plan()), ElementsAre("/home/u/work", "/home/u", "/"));
    c.host.cwd.physical = c.host.cwd.logical = "/home/u";
    EXPECT_THAT(directories(c.plan()), ElementsAre("/home/u", "/"));
    c.contain();
    EXPECT_THAT(directories(c.plan()), ElementsAre("/home/u", "/"));
    c.request.home = text("/scratch/u:/", "--home");
    EXPECT_THAT(directories(c.plan()), ElementsAre("/"));
}

}  // namespace
}  // namespace swrun
