#include "cli/site_file.h"
#include "source_dir.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace swrun {
namespace {

Result<SiteFile> parse(std::string_view text) {
    return parse_site_file(text, "s.toml", Origin::Kind::site_file, "/home/u");
}

TEST(SiteFile, Binds) {
    const auto file = parse(R"(
[[bind]]
source = "/scratch"

[[bind]]
source = "/lib64/nvidia/"
target = "/opt//nvidia"
read_only = true
required = true

[[bind]]
source = "~/data"
)");
    ASSERT_TRUE(file) << format_error(file.error());
    ASSERT_EQ(file->base.binds.size(), 3U);
    const BindSpec& first = file->base.binds[0];
    EXPECT_EQ(first.source, "/scratch");
    EXPECT_EQ(first.target, "/scratch");
    EXPECT_FALSE(first.read_only);
    EXPECT_FALSE(first.required);
    EXPECT_EQ(first.origin, (Origin{Origin::Kind::site_file, "s.toml:2"}));
    const BindSpec& second = file->base.binds[1];
    EXPECT_EQ(second.source, "/lib64/nvidia");
    EXPECT_EQ(second.target, "/opt/nvidia");
    EXPECT_TRUE(second.read_only && second.required);
    EXPECT_EQ(file->base.binds[2].source, "/home/u/data");
    EXPECT_EQ(file->base.binds[2].target, "/home/u/data");
}

TEST(SiteFile, EnvironmentAndDefaults) {
    const auto file = parse(R"(default_profile = "gpu"
[environment]
OMP_PROC_BIND = "true"
[defaults]
nv = true
no_home = false
no-mount = ["tmp", "sys"]
scratch = "/s"
workdir = "/w"
pwd = "/p"
[profile.gpu.defaults]
nv = false
[profile.gpu.environment]
A = "1"
[[profile.gpu.bind]]
source = "/g"
[profile.empty]
)");
    ASSERT_TRUE(file) << format_error(file.error());
    EXPECT_EQ(file->default_profile.value, "gpu");
    ASSERT_EQ(file->base.environment.size(), 1U);
    EXPECT_EQ(file->base.environment[0], (EnvOverride{"OMP_PROC_BIND", "true", {Origin::Kind::site_file, "s.toml:3"}}));
    const auto find = [&](OptionId id) -> List {
        for (const SiteDefault& one : file->base.defaults) {
            if (one.id == id) return one.values;
        }
        return {};
    };
    EXPECT_EQ(find(OptionId::nv), (List{{"true", {Origin::Kind::site_file, "s.toml:5"}}}));
    EXPECT_EQ(find(OptionId::no_home).at(0).value, "false");
    ASSERT_EQ(find(OptionId::no_mount).size(), 2U);
    EXPECT_EQ(find(OptionId::no_mount)[1].value, "sys");
    EXPECT_EQ(find(OptionId::scratch).at(0).value, "/s");
    EXPECT_EQ(find(OptionId::cwd).at(0).value, "/p");
    ASSERT_EQ(file->profiles.size(), 2U);
}

TEST(SiteFile, EmptyIsFine) {
    EXPECT_TRUE(parse(""));
    EXPECT_TRUE(parse("# nothing\n"));
}

TEST(SiteFile, MistakesHavePlaceAndHint) {
    const struct {
        const char* text;
        const char* message;
        const char* hint;  // its start; "" for none
    } cases[] = {
        {"x = 1\n", "s.toml:1:1: unknown key x", "allowed: bind, environment, defaults, profile, default_profile"},
        {"\n  [[binds]]\nsource = \"/a\"\n", "s.toml:2:5: unknown key binds", "allowed: bind"},
        {"[[bind]]\nsorce = \"/a\"\n", "s.toml:2:1: unknown key sorce in [[bind]]",
         "allowed: source, target, read_only, required"},
        {"[[bind]]\nsource = 5\n", "s.toml:2:10: source must be a path in quotes", ""},
        {"[[bind]]\nsource = \"a\"\n", "s.toml:2:10: source must be an absolute path", ""},
        {"[[bind]]\nsource = \"/a\"\ntarget = \"b\"\n", "s.toml:3:10: target must be an absolute path", ""},
        {"[[bind]]\nsource = \"/a\"\ntarget = \"~/b\"\n", "s.toml:3:10: target must be an absolute path", ""},
        {"[[bind]]\nsource = \"/a\"\nread_only = 1\n", "s.toml:3:13: read_only must be true or false", ""},
        {"[[bind]]\ntarget = \"/a\"\n", "s.toml:1:1: [[bind]] needs a source", ""},
        {"bind = \"/a\"\n", "s.toml:1:8: bind must be a list of tables: write [[bind]] above each", ""},
        {"bind = [\"/a\"]\n", "s.toml:1:9: bind must be a list of tables: write [[bind]] above each", ""},
        {"[bind]\nsource = \"/a\"\n", "s.toml:1:1: bind must be a list of tables: write [[bind]] above each", ""},
        {"environment = 1\n", "s.toml:1:15: environment must be a table: write [environment] above it", ""},
        {"[environment]\nA = 1\n", "s.toml:2:5: A must be a text in quotes", ""},
        {"[environment]\n\"A-B\" = \"1\"\n", "s.toml:2:1: A-B is not the name of a variable", "letters"},
        {"[defaults]\nnvv = true\n", "s.toml:2:1: unknown key nvv in [defaults]", "allowed: home, no_home"},
        {"[defaults]\nnv = \"yes\"\n", "s.toml:2:6: nv must be true or false", ""},
        {"[defaults]\nnv = 1\n", "s.toml:2:6: nv must be true or false", ""},
        {"[defaults]\nhome = true\n", "s.toml:2:8: home must be a text in quotes", ""},
        {"[defaults]\nhome = [\"/a\"]\n", "s.toml:2:8: home must be a text in quotes", ""},
        {"[defaults]\nno_mount = [1]\n", "s.toml:2:13: no_mount must be a list of texts in quotes", ""},
        {"[defaults]\nbind = \"/a\"\n", "s.toml:2:1: option bind cannot have a default", "write a [[bind]] table"},
        {"[defaults]\nenv = \"A=1\"\n", "s.toml:2:1: option env cannot have a default", "write it under [environment]"},
        {"[defaults]\ndry_run = true\n", "s.toml:2:1: option dry_run cannot have a default", "allowed: home"},
        {"[defaults]\nallow_setuid = true\n", "s.toml:2:1: option allow_setuid is not supported: it requires root",
         "become the other user"},
        {"profile = \"gpu\"\n", "s.toml:1:11: profile must be a table: write [profile.NAME] above it",
         "to choose one always: default_profile"},
        {"[profile]\ngpu = 1\n", "s.toml:2:7: profile.gpu must be a table: write [profile.gpu] above it", ""},
        {"[profile.gpu]\nnv = true\n", "s.toml:2:1: unknown key nv in [profile.gpu]",
         "allowed: bind, environment, defaults"},
        {"default_profile = 1\n", "s.toml:1:19: default_profile must be the name of a profile in quotes", ""},
    };
    for (const auto& one : cases) {
        const auto file = parse(one.text);
        ASSERT_FALSE(file) << one.text;
        EXPECT_TRUE(file.error().message.starts_with(one.message)) << file.error().message << "\nfor " << one.text;
        EXPECT_TRUE(file.error().hint.starts_with(one.hint)) << file.error().hint;
        EXPECT_EQ(file.error().hint.empty(), std::string(one.hint).empty()) << file.error().hint;
        EXPECT_EQ(exit_code(file.error()), 255);
    }
}

TEST(SiteFile, SyntaxErrorsHavePlace) {
    const auto file = parse("[[bind]]\nsource = /a\n");
    ASSERT_FALSE(file);
    EXPECT_TRUE(file.error().message.starts_with("s.toml:2:")) << file.error().message;
    EXPECT_FALSE(parse("[a"));
    EXPECT_FALSE(parse("a = \"\xff\"\n"));
    EXPECT_FALSE(parse("[environment]\nA = \"1\"\nA = \"2\"\n"));
}

TEST(SiteFile, TheExampleIsRight) {
    std::ifstream in(SWRUN_SOURCE_DIR "/share/swrun.toml.example");
    std::ostringstream text;
    text << in.rdbuf();
    const auto file = parse(text.str());
    ASSERT_TRUE(file) << format_error(file.error());
    std::vector<std::string> targets;
    for (const BindSpec& bind : file->base.binds) {
        EXPECT_FALSE(bind.required);
        targets.push_back(bind.target);
    }
    EXPECT_EQ(targets, (std::vector<std::string>{"/home", "/l", "/m", "/scratch", "/opt/nvidia"}));

    // What is commented out must be right, too: that is what people will switch on.
    std::string all;
    std::istringstream lines(text.str());
    for (std::string line; std::getline(lines, line);) {
        const bool code = line.starts_with("# ") &&
                          (line.find(" = ") != std::string::npos || line.starts_with("# [")) && line.find("   ") != 1 &&
                          line.find("default_profile") == std::string::npos && line.find('`') == std::string::npos;
        all.append(code ? line.substr(2) : line).append("\n");
    }
    const auto active = parse(all);
    ASSERT_TRUE(active) << format_error(active.error()) << all;
    EXPECT_EQ(active->base.defaults.size(), 5U);
    EXPECT_EQ(active->base.environment.size(), 2U);
    ASSERT_EQ(active->profiles.size(), 2U);
    EXPECT_EQ(active->profiles[0].second.defaults.size(), 2U);
    EXPECT_EQ(active->profiles[1].second.binds.size(), 1U);
}

}  // namespace
}  // namespace swrun
