// The rules of P and O: what is forwarded, what is forced, and with which words.
#include "env/env_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace swrun {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Environment = std::vector<std::pair<std::string, std::string>>;
using Map = std::map<std::string, std::string>;

class EnvRulesTest : public testing::Test {
protected:
    EnvRulesTest() {
        image.path = "/data/i.sif";
        image.name = "i.sif";
    }
    EnvRules rules() { return apply_env_rules({request, host, image, "/home/u", binds, file_values}); }
    static Map map_of(const EnvRules& rules) {
        Map map;
        for (const Variable& variable : rules.forwarded) map[variable.name] = variable.value;
        return map;
    }
    static std::vector<std::string> forced(const EnvRules& rules) {
        std::vector<std::string> list;
        for (const EnvOverride& each : rules.overrides) list.push_back(each.name + "=" + each.value);
        return list;
    }
    static std::vector<std::string> said(const EnvRules& rules, Level level) {
        std::vector<std::string> list;
        for (const Note& note : rules.notes) {
            if (note.level == level) list.push_back(note.text);
        }
        return list;
    }
    void option(const std::string& name, const std::string& value) {
        request.overrides.push_back({name, value, {Origin::Kind::argument, "--env"}});
    }

    LaunchRequest request;
    HostFacts host;
    ImageFacts image;
    std::vector<std::string> binds;
    std::vector<EnvOverride> file_values;
};

TEST_F(EnvRulesTest, EmptyCaller) {
    const Map map = map_of(rules());
    const Map expected = {{"APPTAINER_APPNAME", ""},
                          {"APPTAINER_BIND", ""},
                          {"APPTAINER_COMMAND", "exec"},
                          {"APPTAINER_CONTAINER", "/data/i.sif"},
                          {"APPTAINER_ENVIRONMENT", "/.singularity.d/env/91-environment.sh"},
                          {"APPTAINER_NAME", "i.sif"},
                          {"HOME", "/home/u"},
                          {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
                          {"SINGULARITY_BIND", ""},
                          {"SINGULARITY_CONTAINER", "/data/i.sif"},
                          {"SINGULARITY_ENVIRONMENT", "/.singularity.d/env/91-environment.sh"},
                          {"SINGULARITY_NAME", "i.sif"},
                          {"USER_PATH", ":/bin:/usr/bin:/sbin:/usr/sbin:/usr/local/bin:/usr/local/sbin"}};
    EXPECT_EQ(map, expected);
}

TEST_F(EnvRulesTest, ForwardsAllButTheListed) {
    host.environment = {{"USER", "u"},
                        {"EMPTY", ""},
                        {"NL", "a\nb"},
                        {"BASH_FUNC_f%%", "() { :; }"},
                        {"a-b", "1"},
                        {"SHLVL", "3"},
                        {"HOME", "/x"},
                        {"PATH", "/a"},
                        {"LD_LIBRARY_PATH", "/l"},
                        {"IFS", ":"},
                        {"OPTIND", "1"},
                        {"LD_PRELOAD", "p"},
                        {"SINGULARITY_FOO", "1"},
                        {"APPTAINER_FOO", "1"},
                        {"SINGULARITYENV_", "1"},
                        {"USER", "second"},
                        {"DROP", "1"}};
    request.no_env.push_back({"DROP", {}});
    const Map map = map_of(rules());
    EXPECT_EQ(map.at("USER"), "u");
    EXPECT_EQ(map.at("EMPTY"), "");
    EXPECT_EQ(map.at("NL"), "a\nb");
    EXPECT_EQ(map.at("HOME"), "/home/u");
    EXPECT_EQ(map.at("USER_PATH"), "/a:/bin:/usr/bin:/sbin:/usr/sbin:/usr/local/bin:/usr/local/sbin");
    for (const char* kept : {"BASH_FUNC_f%%", "a-b", "SHLVL", "LD_PRELOAD"}) EXPECT_TRUE(map.contains(kept)) << kept;
    for (const char* gone :
         {"LD_LIBRARY_PATH", "IFS", "OPTIND", "SINGULARITY_FOO", "APPTAINER_FOO", "SINGULARITYENV_", "DROP"}) {
        EXPECT_FALSE(map.contains(gone)) << gone;
    }
}

TEST_F(EnvRulesTest, CleanEnvironmentKeepsTermAndProxies) {
    host.environment = {{"A", "1"}, {"LANG", "fi"}, {"TERM", "t"}, {"no_proxy", "n"}, {"PATH", "/p"}};
    for (Flag LaunchRequest::*flag : {&LaunchRequest::cleanenv, &LaunchRequest::containall, &LaunchRequest::compat}) {
        request = LaunchRequest{};
        (request.*flag).value = true;
        const Map map = map_of(rules());
        EXPECT_EQ(map.at("LANG"), "C");
        EXPECT_EQ(map.at("TERM"), "t");
        EXPECT_EQ(map.at("no_proxy"), "n");
        EXPECT_FALSE(map.contains("A"));
        EXPECT_FALSE(map.contains("USER_PATH"));
    }
    request.keep_env = {{"A*", {}}, {"LANG", {}}, {"PATH", {}}, {"TER", {}}};
    EXPECT_EQ(map_of(rules()).at("A"), "1");
    EXPECT_EQ(map_of(rules()).at("LANG"), "fi");
    EXPECT_NE(map_of(rules()).at("PATH"), "/p") << "never the caller's";
    request.keep_env.clear();
    host.environment.emplace_back("APPTAINERENV_LANG", "fi");
    EXPECT_FALSE(map_of(rules()).contains("LANG"));
    EXPECT_THAT(forced(rules()), ElementsAre("LANG=fi"));
}

TEST_F(EnvRulesTest, RuntimeVariables) {
    request.action = Action::shell;
    request.shell.value = "/bin/zsh";
    request.app.value = "a";
    request.no_eval.value = true;
    binds = {"/x", "/y"};
    const Map map = map_of(rules());
    EXPECT_EQ(map.at("APPTAINER_BIND"), "/x,/y");
    EXPECT_EQ(map.at("SINGULARITY_BIND"), "/x,/y");
    EXPECT_EQ(map.at("APPTAINER_SHELL"), "/bin/zsh");
    EXPECT_EQ(map.at("SINGULARITY_SHELL"), "/bin/zsh");
    EXPECT_EQ(map.at("SINGULARITY_APPNAME"), "a");
    EXPECT_EQ(map.at("APPTAINER_APPNAME"), "a");
    EXPECT_EQ(map.at("SINGULARITY_NO_EVAL"), "1");
    EXPECT_EQ(map.at("APPTAINER_COMMAND"), "shell");
    request.action = Action::exec;
    EXPECT_FALSE(map_of(rules()).contains("APPTAINER_SHELL"));
}

TEST_F(EnvRulesTest, PrefixedVariables) {
    host.environment = {{"SINGULARITYENV_B", "2"}, {"APPTAINERENV_A", "1"}, {"A", "host"}, {"SINGULARITYENV_", "x"}};
    const EnvRules made = rules();
    EXPECT_THAT(forced(made), ElementsAre("A=1", "B=2"));
    EXPECT_FALSE(map_of(made).contains("A"));
    EXPECT_THAT(said(made, Level::warning), IsEmpty());
    EXPECT_THAT(said(made, Level::info), IsEmpty());
    EXPECT_THAT(said(made, Level::verbose),
                ElementsAre("Environment variable SINGULARITYENV_B is set, but APPTAINERENV_B is preferred"));
}

TEST_F(EnvRulesTest, ConflictingPrefixes) {
    host.environment = {
        {"SINGULARITYENV_V", "s"}, {"APPTAINERENV_V", "a"}, {"SINGULARITYENV_W", "same"}, {"APPTAINERENV_W", "same"}};
    const EnvRules made = rules();
    EXPECT_THAT(forced(made), ElementsAre("V=a", "W=same"));
    EXPECT_THAT(
        said(made, Level::warning),
        ElementsAre(
            "SINGULARITYENV_V and APPTAINERENV_V have different values, using the latter",
            "Skipping environment variable [SINGULARITYENV_V=s], V is already overridden with different value [a]"));
}

TEST_F(EnvRulesTest, RanksAndOrder) {
    host.environment = {{"SINGULARITYENV_V", "s"}, {"APPTAINERENV_Z", "old"}, {"APPTAINERENV_P", "p"}};
    file_values = {{"F", "1", {}}, {"G", "1", {}}, {"F", "2", {}}, {"Z", "file", {}}};
    option("V", "opt");
    option("F", "3");
    option("N", "1");
    option("N", "2");
    const EnvRules made = rules();
    EXPECT_THAT(forced(made), ElementsAre("P=p", "Z=file", "F=3", "G=1", "V=opt", "N=2"));
    EXPECT_THAT(
        said(made, Level::warning),
        ElementsAre(
            "SINGULARITYENV_V and APPTAINERENV_V have different values, using the latter",
            "Skipping environment variable [SINGULARITYENV_V=s], V is already overridden with different value [opt]"));
    EXPECT_THAT(said(made, Level::verbose), ElementsAre("Ignored environment file variable F: override from --env"));
}

TEST_F(EnvRulesTest, NotPermitted) {
    host.environment = {{"SINGULARITYENV_HOME", "/x"},
                        {"APPTAINERENV_APPTAINER_SHELL", "/x"},
                        {"APPTAINERENV_EUID", "1"},
                        {"APPTAINERENV_PWD", "/"}};
    option("HOME", "/y");
    option("SINGULARITY_APPNAME", "q");
    option("", "v");
    const EnvRules made = rules();
    EXPECT_THAT(forced(made), IsEmpty());
    EXPECT_THAT(
        said(made, Level::warning),
        ElementsAre(
            "Overriding HOME environment variable with APPTAINERENV_HOME is not permitted",
            "Overriding SINGULARITY_APPNAME environment variable with APPTAINERENV_SINGULARITY_APPNAME is not "
            "permitted",
            "Ignore environment variable =v: variable name missing",
            "Overriding APPTAINER_SHELL environment variable with APPTAINERENV_APPTAINER_SHELL is not permitted",
            "EUID: readonly variable",
            "Overriding HOME environment variable with SINGULARITYENV_HOME is not permitted"));
}

TEST_F(EnvRulesTest, OneBadNameLosesOnlyItself) {
    host.environment = {{"SINGULARITYENV_bad-name", "1"}, {"SINGULARITYENV_1a", "1"}, {"SINGULARITYENV_GOOD", "2"}};
    const EnvRules made = rules();
    EXPECT_THAT(forced(made), ElementsAre("GOOD=2"));
    EXPECT_THAT(
        said(made, Level::warning),
        ElementsAre("Ignore environment variable SINGULARITYENV_1a: 1a is not a valid variable name",
                    "Ignore environment variable SINGULARITYENV_bad-name: bad-name is not a valid variable name"));
}

TEST_F(EnvRulesTest, LibraryPathKeepsTheInjectedDirectory) {
    option("LD_LIBRARY_PATH", "/foo");
    EXPECT_THAT(forced(rules()), ElementsAre("LD_LIBRARY_PATH=/foo:/.singularity.d/libs"));
    option("LD_LIBRARY_PATH", "");
    EXPECT_THAT(forced(rules()), ElementsAre("LD_LIBRARY_PATH="));
}

TEST_F(EnvRulesTest, SiteVariablesAreDefaults) {
    host.environment = {{"A", "caller"}, {"SINGULARITYENV_O", "caller"}};
    const Origin site{Origin::Kind::site_file, "/etc/s.toml:3"};
    request.site_env = {
        {"A", "site", site}, {"B", "site", site}, {"SINGULARITYENV_O", "site", site}, {"APPTAINERENV_P", "site", site}};
    const EnvRules made = rules();
    EXPECT_EQ(map_of(made).at("A"), "caller");
    EXPECT_EQ(map_of(made).at("B"), "site");
    EXPECT_THAT(forced(made), ElementsAre("O=caller", "P=site"));
    for (const Variable& variable : made.forwarded) {
        if (variable.name == "A" || variable.name == "B") {
            EXPECT_EQ(variable.origin, variable.name == "A" ? "caller" : "site file /etc/s.toml:3");
        }
    }
    request.cleanenv.value = true;
    EXPECT_FALSE(map_of(rules()).contains("B"));
}

TEST_F(EnvRulesTest, PlanCarriesTheRequest) {
    request.compat.value = true;
    request.arguments = {"a", "b c"};
    request.shell.value = "/bin/x";
    option("V", "1");
    std::vector<Note> notes;
    StartupPlan plan = make_startup_plan({request, host, image, "/h", {}, {}}, notes);
    EXPECT_TRUE(plan.no_eval);
    EXPECT_EQ(plan.positional, request.arguments);
    EXPECT_EQ(plan.shell, "");
    EXPECT_EQ(plan.overrides.size(), 1U);
    request.action = Action::shell;
    EXPECT_EQ(make_startup_plan({request, host, image, "/h", {}, {}}, notes).shell, "/bin/x");
}

}  // namespace
}  // namespace swrun
