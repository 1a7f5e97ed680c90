// The startup rules, through shell_lite and through finish_startup.
#include "env/startup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "env/library_dirs.h"
#include "env/startup_script.h"
#include "support/fake_tree.h"

namespace swrun {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kDefault = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

constexpr const char* kBase =
    "if [ -z \"${LD_LIBRARY_PATH:-}\" ]; then\n    LD_LIBRARY_PATH=\"/.singularity.d/libs\"\nelse\n"
    "    LD_LIBRARY_PATH=\"$LD_LIBRARY_PATH:/.singularity.d/libs\"\nfi\n"
    "if [ -z \"${PS1:-}\" ]; then\n    PS1=\"Singularity> \"\nfi\nexport LD_LIBRARY_PATH PS1\n";

class StartupTest : public testing::Test {
protected:
    StartupTest() {
        plan.has_env_directory = true;
        forward("HOME", "/home/u");
        forward("PATH", kDefault);
        forward("APPTAINER_NAME", "i.sif");
        forward("APPTAINER_CONTAINER", "/i.sif");
    }
    void forward(const std::string& name, const std::string& value) {
        plan.forwarded.push_back({name, value, "caller"});
    }
    void override_with(const std::string& name, const std::string& value) {
        plan.overrides.push_back({name, value, {Origin::Kind::argument, "--env"}});
    }
    void file(const std::string& name, const std::string& text) {
        plan.files.push_back({"/.singularity.d/env/" + name, text});
    }
    StartupResult evaluate() {
        StartupResult result = evaluate_startup(plan, "/work", tree);
        env.clear();
        for (const Variable& variable : result.environment) env[variable.name] = variable;
        return result;
    }
    std::string value(const std::string& name) { return env.contains(name) ? env[name].value : "(unset)"; }

    StartupPlan plan;
    FakeTree tree;
    std::map<std::string, Variable> env;
};

TEST_F(StartupTest, NoFilesAtAll) {
    plan.has_env_directory = false;
    forward("PS1", "mine> ");
    EXPECT_EQ(evaluate().kind, StartupResult::Kind::ready);
    EXPECT_EQ(value("PATH"), kDefault);
    EXPECT_EQ(value("PWD"), "/work");
    EXPECT_EQ(value("PS1"), "mine> ");
    EXPECT_EQ(value("PROMPT_COMMAND"), "PS1=\"mine> \"; unset PROMPT_COMMAND");
    EXPECT_EQ(value("LD_LIBRARY_PATH"), "(unset)");
    EXPECT_EQ(value("APPTAINER_ENVIRONMENT"), "/.singularity.d/env/91-environment.sh");
    EXPECT_EQ(value("SINGULARITY_ENVIRONMENT"), "/.singularity.d/env/91-environment.sh");
}

TEST_F(StartupTest, SortedByName) {
    forward("zed", "1");
    forward("Abc", "1");
    forward("a-b", "1");
    const StartupResult result = evaluate();
    EXPECT_TRUE(std::is_sorted(result.environment.begin(), result.environment.end(),
                               [](const Variable& a, const Variable& b) { return a.name < b.name; }));
    EXPECT_EQ(value("a-b"), "1");
}

TEST_F(StartupTest, LegacyFileRunsWithoutPath) {
    plan.has_env_directory = false;
    plan.files.push_back({"/environment", "export OLD=1\nPATH=/q:$PATH\n"});
    evaluate();
    EXPECT_EQ(value("PATH"), std::string("/q::") + kDefault);
    EXPECT_EQ(value("OLD"), "1");
    plan.files[0].text = "export PATH=/usr/local/bin:/bin:/old/bin";
    evaluate();
    EXPECT_EQ(value("PATH"), "/usr/local/bin:/bin:/old/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin");
}

TEST_F(StartupTest, OciFileGetsThePathCompleted) {
    file("10-docker2singularity.sh",
         "export PATH=\"/usr/local/bin:/bin:/oci/bin\"\nexport E=\"${E:-\"\"}\"\nexport HOME=\"${HOME:-\"/oci\"}\"\n");
    file("90-environment.sh", "export PATH=$PATH:/more\n");
    file("99-base.sh", kBase);
    evaluate();
    EXPECT_EQ(value("PATH"), "/usr/local/bin:/bin:/oci/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/more");
    EXPECT_EQ(value("E"), "");
    EXPECT_EQ(value("HOME"), "/home/u");
    EXPECT_EQ(value("PS1"), "Singularity> ");
    EXPECT_EQ(value("LD_LIBRARY_PATH"), "/.singularity.d/libs");
}

TEST_F(StartupTest, FilesSeeOnlyWhatTheyMay) {
    forward("USER", "u");
    forward("SINGULARITY_APPNAME", "app");
    forward("SINGULARITY_NAME", "i.sif");
    file("01-first.sh", "export EARLY=\"${PATH-nopath}\"\n");
    file("90-environment.sh",
         "export SAW=\"$USER|$HOME|$PWD|$APPTAINER_NAME|$SINGULARITY_NAME|$SINGULARITY_APPNAME|$PATH\"\n");
    evaluate();
    EXPECT_EQ(value("EARLY"), "nopath");
    EXPECT_EQ(value("SAW"), std::string("|/home/u|/work|i.sif||app|") + kDefault);
    EXPECT_EQ(value("USER"), "u");
}

TEST_F(StartupTest, ImageBeatsCallerEvenWithNothing) {
    forward("A", "caller");
    forward("EMPTY", "caller");
    forward("UNEXPORTED", "caller");
    forward("GONE", "caller");
    forward("PWD", "/elsewhere");
    forward("OLDPWD", "/before");
    forward("HOSTNAME", "h");
    file("90-environment.sh",
         "export A=image EMPTY=\nUNEXPORTED=1\nexport GONE=1\nunset GONE\nOLDPWD=/x\nexport PWD=/y\n");
    evaluate();
    EXPECT_EQ(value("A"), "image");
    EXPECT_EQ(env["A"].origin, "image /.singularity.d/env/90-environment.sh");
    EXPECT_EQ(value("EMPTY"), "");
    EXPECT_EQ(value("UNEXPORTED"), "(unset)");
    EXPECT_EQ(value("GONE"), "caller");
    EXPECT_EQ(value("PWD"), "/work");
    EXPECT_EQ(value("OLDPWD"), "/before");
    EXPECT_EQ(value("HOSTNAME"), "h");
}

TEST_F(StartupTest, NameOfTheImageIsNotTheImagesToChange) {
    file("90-environment.sh", "export APPTAINER_NAME=other\n");
    StartupResult result = evaluate();
    EXPECT_EQ(value("APPTAINER_NAME"), "i.sif");
    ASSERT_EQ(result.notes.size(), 1U);
    EXPECT_THAT(result.notes[0].text, HasSubstr("APPTAINER_NAME: readonly variable"));
    override_with("APPTAINER_NAME", "user");
    evaluate();
    EXPECT_EQ(value("APPTAINER_NAME"), "user");
}

TEST_F(StartupTest, OverridesAreEvaluatedAfterTheBaseFile) {
    override_with("V", "$FOO-${NOPE}x");
    override_with("W", "$V");
    override_with("Q", "a\"b");
    override_with("B", "a\\$b");
    override_with("BB", "c\\\\d");
    override_with("END", "e\\");
    override_with("S", "$(echo sub)`echo back`");
    override_with("ESCAPED", "a\\\"b");
    file("90-environment.sh", "export FOO=image V=image\n");
    file("99-base.sh", kBase);
    file("99-later.sh", "export LATER=\"$V\"\n");
    evaluate();
    EXPECT_EQ(value("V"), "image-x");
    EXPECT_EQ(env["V"].origin, "--env");
    EXPECT_EQ(value("W"), "image-x");
    EXPECT_EQ(value("Q"), "a\"b");
    EXPECT_EQ(value("B"), "a$b");
    EXPECT_EQ(value("BB"), "c\\d");
    EXPECT_EQ(value("END"), "e\\");
    EXPECT_EQ(value("S"), "subback");
    EXPECT_EQ(value("ESCAPED"), "a\"b");
    EXPECT_EQ(value("LATER"), "image-x");
}

TEST_F(StartupTest, NoEvalKeepsTheLetters) {
    plan.no_eval = true;
    const std::string text = "$FOO`id`$(id)\\\"'it's";
    override_with("V", text);
    evaluate();
    EXPECT_EQ(value("V"), text);
}

TEST_F(StartupTest, PathWishes) {
    file("90-environment.sh", "export PATH=/img\n");
    override_with("PREPEND_PATH", "/pre");
    override_with("APPEND_PATH", "/app");
    evaluate();
    EXPECT_EQ(value("PATH"), "/pre:/img:/app");
    EXPECT_EQ(value("SING_USER_DEFINED_PREPEND_PATH"), "(unset)");
    override_with("PATH", "/x:$PATH");
    evaluate();
    EXPECT_EQ(value("PATH"), "/x:/img");
    EXPECT_EQ(env["PATH"].origin, "--env");
    plan.overrides = {{"PATH", "", {}}};
    evaluate();
    EXPECT_EQ(value("PATH"), "/img");
}

TEST_F(StartupTest, LibraryWishes) {
    override_with("PREPEND_LD_LIBRARY_PATH", "/p");
    override_with("APPEND_LD_LIBRARY_PATH", "/a");
    evaluate();
    EXPECT_EQ(value("LD_LIBRARY_PATH"), "(unset)");
    file("99-base.sh", kBase);
    evaluate();
    EXPECT_EQ(value("LD_LIBRARY_PATH"), "/p:/.singularity.d/libs:/a");
    EXPECT_EQ(value("PREPEND_LD_LIBRARY_PATH"), "/p");
    plan.overrides = {{"LD_LIBRARY_PATH", "$LD_LIBRARY_PATH:/.singularity.d/libs", {}}};
    evaluate();
    EXPECT_EQ(value("LD_LIBRARY_PATH"), "/.singularity.d/libs:/.singularity.d/libs");
}

FakeTree debian() {
    FakeTree tree;
    tree.file("/usr/sbin/ldconfig")
        .link("/sbin", "usr/sbin")
        .link("/lib", "usr/lib")
        .link("/lib64", "usr/lib64")
        .dir("/usr/lib64");
    tree.dir("/usr/lib/x86_64-linux-gnu").dir("/usr/local/lib");
    tree.file("/etc/ld.so.conf", "# c\ninclude /etc/ld.so.conf.d/*.conf\n\n");
    tree.file("/etc/ld.so.conf.d/libc.conf", "# libc default\n/usr/local/lib\n")
        .file("/etc/ld.so.conf.d/off", "/off\n")
        .dir("/off");
    tree.file("/etc/ld.so.conf.d/x86_64-linux-gnu.conf",
              "/usr/local/lib/x86_64-linux-gnu\n/lib/x86_64-linux-gnu\n  /usr/lib/x86_64-linux-gnu # twice\n");
    return tree;
}

TEST_F(StartupTest, ImageLibrariesComeBeforeInjectedOnes) {
    file("99-base.sh", kBase);
    tree = debian();
    evaluate();
    EXPECT_EQ(value("LD_LIBRARY_PATH"), "/.singularity.d/libs");
    plan.libs_present = true;
    evaluate();
    EXPECT_EQ(value("LD_LIBRARY_PATH"), "/usr/local/lib:/lib/x86_64-linux-gnu:/lib:/.singularity.d/libs");
    plan.libs_present = false;
    override_with("APPEND_LD_LIBRARY_PATH", "/a");
    evaluate();
    EXPECT_EQ(value("LD_LIBRARY_PATH"), "/usr/local/lib:/lib/x86_64-linux-gnu:/lib:/.singularity.d/libs:/a");
    plan.libs_present = true;
    plan.overrides = {{"LD_LIBRARY_PATH", "/x:/.singularity.d/libs", {}}};
    evaluate();
    EXPECT_EQ(value("LD_LIBRARY_PATH"), "/x:/.singularity.d/libs");
}

TEST(LibraryDirectories, OtherImages) {
    FakeTree musl;
    musl.file("/sbin/ldconfig", "#!/bin/sh").dir("/lib").dir("/usr/lib");
    EXPECT_THAT(image_library_directories(musl), IsEmpty());
    EXPECT_THAT(image_library_directories(FakeTree().file("/etc/ld.so.conf").dir("/lib")), IsEmpty());
    FakeTree redhat;
    redhat.file("/usr/sbin/ldconfig").link("/sbin", "usr/sbin").link("/lib", "usr/lib").link("/lib64", "usr/lib64");
    redhat.dir("/usr/lib")
        .dir("/usr/lib64/mpi")
        .file("/etc/ld.so.conf", "include ld.so.conf.d/*.conf")
        .file("/etc/ld.so.conf.d/m.conf", "/usr/lib64/mpi\n");
    EXPECT_THAT(image_library_directories(redhat), ElementsAre("/usr/lib64/mpi", "/lib", "/lib64"));
    FakeTree loop;
    loop.file("/sbin/ldconfig").dir("/lib").file("/etc/ld.so.conf", "include /etc/ld.so.conf\n/lib\n");
    EXPECT_THAT(image_library_directories(loop), ElementsAre("/lib"));
}

TEST_F(StartupTest, PromptCommandOfTheCallerStays) {
    forward("PROMPT_COMMAND", "echo hi");
    evaluate();
    EXPECT_EQ(value("PROMPT_COMMAND"),
              "echo hi; PROMPT_COMMAND=\"${PROMPT_COMMAND%%; PROMPT_COMMAND=*}\"; PS1=\"Apptainer> \"");
    EXPECT_EQ(value("PS1"), "Apptainer> ");
}

TEST_F(StartupTest, ExitEndsTheLaunchOrTheFile) {
    file("90-environment.sh", "export Z=1\necho out\nexit 0\nexport Y=1\n");
    file("91-environment.sh", "export X=\"$Z\"\numask 027\n");
    StartupResult result = evaluate();
    EXPECT_EQ(result.kind, StartupResult::Kind::ready);
    EXPECT_EQ(value("X"), "1");
    EXPECT_EQ(value("Y"), "(unset)");
    EXPECT_EQ(result.output, "out\n");
    EXPECT_EQ(result.umask, std::optional<mode_t>(027));
    ASSERT_EQ(result.notes.size(), 1U);
    EXPECT_THAT(result.notes[0].text, HasSubstr("90-environment.sh of the image runs exit 0"));
    file("92-x.sh", "echo bye\nexit 33\n");
    file("93-x.sh", "ls\n");
    result = evaluate();
    EXPECT_EQ(result.kind, StartupResult::Kind::ended);
    EXPECT_EQ(result.exit_status, 33);
    EXPECT_EQ(result.output, "out\nbye\n");
    EXPECT_THAT(result.environment, IsEmpty());
}

TEST_F(StartupTest, StrictlyExitZeroEndsTheLaunchToo) {
    plan.strict = true;
    file("90-environment.sh", "echo out\nexit 0\n");
    const StartupResult result = evaluate();
    EXPECT_EQ(result.kind, StartupResult::Kind::ended);
    EXPECT_EQ(result.exit_status, 0);
    EXPECT_EQ(result.output, "out\n");
}

TEST_F(StartupTest, WhatTheImageSetsToNothingStaysUnlessStrict) {
    forward("EMPTY", "host");
    forward("KEPT", "host");
    override_with("FORCED", "");
    file("90-environment.sh", "export EMPTY= OWN= HOME=\n");
    evaluate();
    EXPECT_EQ(value("EMPTY"), "");
    plan.strict = true;
    evaluate();
    EXPECT_EQ(value("EMPTY"), "(unset)");
    EXPECT_EQ(value("OWN"), "") << "no value of the caller to be undone";
    EXPECT_EQ(value("FORCED"), "") << "the user's own wish";
    EXPECT_EQ(value("KEPT"), "host");
}

TEST_F(StartupTest, UnknownAppEndsTheLaunch) {
    forward("SINGULARITY_APPNAME", "x");
    file("95-apps.sh",
         "if test -n \"${SINGULARITY_APPNAME:-}\"; then\n  if test -d \"/scif/apps/${SINGULARITY_APPNAME:-}/\"; then\n"
         "    export PATH=\"/scif/apps/$SINGULARITY_APPNAME/bin:$PATH\"\n  else\n    echo \"no app "
         "${SINGULARITY_APPNAME}\"\n    exit 1\n  fi\nfi\n");
    StartupResult result = evaluate();
    EXPECT_EQ(result.exit_status, 1);
    EXPECT_EQ(result.output, "no app x\n");
    tree.dir("/scif/apps/x");
    evaluate();
    EXPECT_EQ(value("PATH"), "/scif/apps/x/bin:");
}

TEST_F(StartupTest, StepsBackForAShell) {
    file("90-environment.sh", "export A=1\nls\n");
    StartupResult result = evaluate();
    EXPECT_EQ(result.kind, StartupResult::Kind::needs_shell);
    EXPECT_EQ(result.reason, "/.singularity.d/env/90-environment.sh:2: the command ls");
    plan.files.clear();
    override_with("V", "$(hostname)");
    result = evaluate();
    EXPECT_EQ(result.kind, StartupResult::Kind::needs_shell);
    EXPECT_THAT(result.reason, HasSubstr("value of V from --env"));
}

TEST(CollectEnvFiles, FollowsTheRules) {
    FakeTree tree;
    tree.file("/.singularity.d/env/90-b.sh", "B")
        .file("/.singularity.d/env/10-a.sh", "A")
        .file("/.singularity.d/env/.hidden.sh", "H");
    tree.file("/.singularity.d/env/readme.txt")
        .dir("/.singularity.d/env/dir.sh")
        .link("/.singularity.d/env/91-c.sh", "../../opt/c");
    tree.link("/.singularity.d/env/92-broken.sh", "/nothing").file("/opt/c", "C").file("/environment", "E");
    StartupPlan plan;
    EXPECT_THAT(collect_env_files(tree, plan), IsEmpty());
    EXPECT_TRUE(plan.has_env_directory);
    EXPECT_THAT(plan.files,
                ElementsAre(EnvFile{"/.singularity.d/env/10-a.sh", "A"}, EnvFile{"/.singularity.d/env/90-b.sh", "B"},
                            EnvFile{"/.singularity.d/env/91-c.sh", "C"}));
    EXPECT_THAT(collect_env_files(FakeTree().file("/environment", "E"), plan), IsEmpty());
    EXPECT_FALSE(plan.has_env_directory);
    EXPECT_THAT(plan.files, ElementsAre(EnvFile{"/environment", "E"}));
    EXPECT_THAT(collect_env_files(FakeTree(), plan), IsEmpty());
    EXPECT_THAT(plan.files, IsEmpty());
}

TEST(FinishStartup, ReportsFromAShell) {
    StartupPlan plan;
    plan.forwarded = {{"APPTAINER_NAME", "i.sif", "swrun"},
                      {"UID", "5", "caller"},
                      {"A", "1", "caller"},
                      {"H", "1", "caller"},
                      {"SHLVL", "4", "caller"}};
    plan.overrides = {{"V", "1", {Origin::Kind::argument, "--env"}}};
    ShellState state;
    for (const char* name : {"APPTAINER_NAME", "UID", "SHLVL", "V", "NEW", "__swrun_at", "SHELLOPTS"})
        state.exported[name] = {name, "shell", ""};
    state.hidden = {"H"};
    const StartupResult result = finish_startup(plan, state, "/w");
    std::map<std::string, std::string> env;
    std::map<std::string, std::string> origins;
    for (const Variable& variable : result.environment) {
        env[variable.name] = variable.value;
        origins[variable.name] = variable.origin;
    }
    EXPECT_EQ(env["APPTAINER_NAME"], "i.sif");
    EXPECT_EQ(env["UID"], "5");
    EXPECT_EQ(env["SHLVL"], "4");
    EXPECT_EQ(env["A"], "1");
    EXPECT_EQ(env["PATH"], kDefault);
    EXPECT_FALSE(env.contains("H"));
    EXPECT_FALSE(env.contains("__swrun_at"));
    EXPECT_FALSE(env.contains("SHELLOPTS"));
    EXPECT_EQ(origins["V"], "--env");
    EXPECT_EQ(origins["NEW"], "image environment files");
}

}  // namespace
}  // namespace swrun
