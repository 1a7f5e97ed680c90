#include "cli/site_config.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "command_line.h"

namespace swrun {
namespace {

class SiteConfigTest : public ::testing::Test {
protected:
    void SetUp() override {
        std::string pattern = ::testing::TempDir() + "/swrun-site-XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        root_ = pattern;
        reading_.home = root_ + "/home";
        reading_.site_file = root_ + "/site.toml";
    }
    void TearDown() override { std::filesystem::remove_all(root_); }

    void write(const std::string& name, const std::string& text) const {
        const std::filesystem::path path = root_ + "/" + name;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path) << text;
    }
    void user(const std::string& text) const { write("home/.config/swrun/swrun.toml", text); }
    void site(const std::string& text) const { write("site.toml", text); }

    std::string root_;
    Reading reading_;
    const Words exec_ = {"swrun", "exec", "img", "true"};
};

TEST_F(SiteConfigTest, NoFilesAreFine) {
    const Invocation one = reading_.invocation(exec_);
    EXPECT_TRUE(one.site_files.empty());
    EXPECT_TRUE(one.notes.empty());
    EXPECT_TRUE(one.launch.site_binds.empty());
}

TEST_F(SiteConfigTest, RanksFromFilesToArguments) {
    site("[defaults]\nworkdir = \"/site\"\nnv = true\nscratch = [\"/1\", \"/2\"]\n");
    Invocation one = reading_.invocation(exec_);
    EXPECT_EQ(one.launch.workdir.value, "/site");
    EXPECT_EQ(one.launch.workdir.origin, (Origin{Origin::Kind::site_file, reading_.site_file + ":2"}));
    EXPECT_TRUE(one.launch.nv.value);
    EXPECT_EQ(values(one.launch.scratch), (Words{"/1", "/2"}));

    user("[defaults]\nworkdir = \"/user\"\n");
    one = reading_.invocation(exec_);
    EXPECT_EQ(one.launch.workdir.value, "/user");
    EXPECT_EQ(one.launch.workdir.origin.kind, Origin::Kind::user_file);
    EXPECT_TRUE(one.launch.nv.value);
    EXPECT_EQ(one.site_files, (Words{root_ + "/home/.config/swrun/swrun.toml", reading_.site_file}));

    reading_.environment = {{"APPTAINER_WORKDIR", "/variable"}, {"APPTAINER_NV", "0"}, {"APPTAINER_SCRATCH", "/3"}};
    one = reading_.invocation(exec_);
    EXPECT_EQ(one.launch.workdir.value, "/variable");
    EXPECT_FALSE(one.launch.nv.value);
    EXPECT_EQ(values(one.launch.scratch), (Words{"/3"}));

    one = reading_.invocation({"swrun", "exec", "-W", "/argument", "--nv", "img", "x"});
    EXPECT_EQ(one.launch.workdir.value, "/argument");
    EXPECT_TRUE(one.launch.nv.value);
}

TEST_F(SiteConfigTest, ArgumentsTakeDefaultsAway) {
    site("[defaults]\nnv = true\npid = true\ncontainall = true\nshell = \"/bin/ash\"\n");
    EXPECT_FALSE(reading_.invocation({"swrun", "exec", "--no-nv", "i", "x"}).launch.nv.value);
    EXPECT_FALSE(reading_.invocation({"swrun", "exec", "--nv=false", "i", "x"}).launch.nv.value);
    EXPECT_FALSE(reading_.invocation({"swrun", "exec", "--no-pid", "i", "x"}).launch.pid.value);
    EXPECT_FALSE(reading_.invocation({"swrun", "exec", "--containall=false", "i", "x"}).launch.contain.value);
    EXPECT_EQ(reading_.invocation({"swrun", "shell", "i"}).launch.shell.value, "/bin/ash");
    EXPECT_EQ(reading_.invocation(exec_).launch.shell.value, std::nullopt);
}

TEST_F(SiteConfigTest, BindsAndEnvironmentAddUp) {
    site("[[bind]]\nsource = \"/s\"\n[environment]\nA = \"site\"\nB = \"site\"\n");
    user("[[bind]]\nsource = \"/u\"\n[environment]\nA = \"user\"\n");
    const LaunchRequest launch = reading_.invocation({"apptainer", "exec", "-B", "/c", "i", "x"}).launch;
    ASSERT_EQ(launch.site_binds.size(), 2U);
    EXPECT_EQ(launch.site_binds[0].source, "/u");
    EXPECT_EQ(launch.site_binds[0].origin.kind, Origin::Kind::user_file);
    EXPECT_EQ(launch.site_binds[1].source, "/s");
    ASSERT_EQ(launch.site_env.size(), 2U);
    EXPECT_EQ(launch.site_env[0].value, "user");
    EXPECT_EQ(launch.site_env[1].name, "B");
}

TEST_F(SiteConfigTest, Profiles) {
    site(
        "default_profile = \"a\"\n[defaults]\nworkdir = \"/base\"\n[profile.a.defaults]\nworkdir = \"/a\"\n"
        "[profile.b.defaults]\nworkdir = \"/b\"\n");
    Invocation one = reading_.invocation(exec_);
    EXPECT_EQ(one.profile, "a");
    EXPECT_EQ(one.launch.workdir.value, "/a");
    one = reading_.invocation({"swrun", "exec", "--profile", "b", "i", "x"});
    EXPECT_EQ(one.launch.workdir.value, "/b");
    reading_.environment = {{"SWRUN_PROFILE", "b"}};
    EXPECT_EQ(reading_.invocation(exec_).launch.workdir.value, "/b");
    EXPECT_EQ(reading_.invocation({"swrun", "exec", "--profile=a", "i", "x"}).launch.workdir.value, "/a");
    const Error error = reading_.error({"swrun", "exec", "--profile=c", "i", "x"});
    EXPECT_EQ(error.message, "no site file has a profile c (from --profile)");
    EXPECT_EQ(error.hint, "profiles: a, b");
    user("default_profile = \"b\"\n[profile.b]\nenvironment = { X = \"1\" }\n");
    reading_.environment.clear();
    one = reading_.invocation(exec_);
    EXPECT_EQ(one.launch.workdir.value, "/b");
    EXPECT_EQ(one.launch.site_env.size(), 1U);
}

TEST_F(SiteConfigTest, OtherPlaces) {
    site("[defaults]\nworkdir = \"/site\"\n");
    write("other.toml", "[defaults]\nworkdir = \"/other\"\n");
    write("third.toml", "[defaults]\nworkdir = \"/third\"\n");
    write("xdg/swrun/swrun.toml", "[defaults]\nhome = \"/xdg\"\n");
    user("[defaults]\nhome = \"/user\"\n");
    reading_.environment = {{"SWRUN_CONFIG", root_ + "/other.toml"}, {"XDG_CONFIG_HOME", root_ + "/xdg"}};
    Invocation one = reading_.invocation(exec_);
    EXPECT_EQ(one.launch.workdir.value, "/other");
    EXPECT_EQ(one.launch.home.value, "/xdg");
    one = reading_.invocation({"swrun", "-c", root_ + "/third.toml", "exec", "i", "x"});
    EXPECT_EQ(one.launch.workdir.value, "/third");
    reading_.environment = {{"SWRUN_CONFIG", ""}, {"XDG_CONFIG_HOME", "relative"}};
    one = reading_.invocation(exec_);
    EXPECT_EQ(one.launch.workdir.value, "/site");
    EXPECT_EQ(one.launch.home.value, "/user");
}

TEST_F(SiteConfigTest, AFileThatIsAskedForMustBeThere) {
    reading_.environment = {{"SWRUN_CONFIG", root_ + "/none.toml"}};
    const Error error = reading_.error(exec_);
    EXPECT_EQ(error.sys_errno, ENOENT);
    EXPECT_NE(format_error(error).find("reading the site file (from variable SWRUN_CONFIG)"), std::string::npos);
    EXPECT_EQ(exit_code(error), 255);
}

TEST_F(SiteConfigTest, MistakesStopTheLaunch) {
    user("[defaults]\nnvv = true\n");
    EXPECT_EQ(reading_.error(exec_).message,
              root_ + "/home/.config/swrun/swrun.toml:2:1: unknown key nvv in [defaults]");
    EXPECT_FALSE(reading_.invocation({"swrun", "version"}).text.empty());  // but not what needs no site file
    EXPECT_FALSE(reading_.invocation({"swrun", "--help"}).text.empty());
    EXPECT_EQ(reading_.invocation({"swrun", "inspect", "i"}).inspect.image, "i");
}

TEST_F(SiteConfigTest, AnUnreachableHomeOnlyWarns) {
    write("home/.config/swrun/swrun.toml/file", "");  // a directory in its place: EISDIR when read
    const Invocation one = reading_.invocation(exec_);
    ASSERT_EQ(one.notes.size(), 1U);
    EXPECT_EQ(one.notes[0].level, Level::warning);
}

TEST_F(SiteConfigTest, DoctorReadsThemToo) {
    site("");
    const Invocation one = reading_.invocation({"swrun", "doctor"});
    EXPECT_EQ(one.command, Command::doctor);
    EXPECT_EQ(one.site_files, (Words{reading_.site_file}));
}

}  // namespace
}  // namespace swrun
