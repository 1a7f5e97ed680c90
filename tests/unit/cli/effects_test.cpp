// Every option that swrun has an effect for: given on the command line, by each of its variables and as a
// site's default it changes what is asked for, and the command line is the strongest.
#include <unistd.h>

#include <fstream>
#include <map>

#include "cli/option_table.h"
#include "command_line.h"

namespace swrun {
namespace {

using O = OptionId;

// A value for each option that takes one.  An option that is missing here fails the test.
const std::map<O, std::string>& samples() {
    static const std::map<O, std::string> values = {
        {O::bind, "/a:/b"},
        {O::mount, "src=/a,dst=/b"},
        {O::home, "/h"},
        {O::no_mount, "tmp"},
        {O::cwd, "/w"},
        {O::pwd, "/w"},
        {O::workdir, "/w"},
        {O::scratch, "/s"},
        {O::env, "A=1"},
        {O::env_file, "/f"},
        {O::no_env, "A"},
        {O::keep_env, "A"},
        {O::app, "a"},
        {O::shell, "/bin/ash"},
        {O::hostname, "h"},
        {O::dns, "1.2.3.4"},
        {O::network, "none"},
        {O::add_caps, "chown"},
        {O::drop_caps, "chown"},
        {O::security, "uid:5"},
        {O::overlay, "/o"},
        {O::containlibs, "/l.so"},
        {O::image_mode, "fuse"},
        {O::image_reader, "squashfuse"},
        {O::share, "always"},
        {O::linger, "5"},
        {O::unpack_dir, "/u"},
        {O::profile, "p"},
        {O::memory, "1g"},
        {O::memory_reservation, "1g"},
        {O::memory_swap, "1g"},
        {O::cpus, "1"},
        {O::cpu_shares, "100"},
        {O::cpuset_cpus, "0"},
        {O::cpuset_mems, "0"},
        {O::pids_limit, "10"},
        {O::blkio_weight, "100"},
        {O::blkio_weight_device, "/d:9"},
        {O::apply_cgroups, "/dev/null"},
        {O::fusemount, "container:c /m"},
    };
    return values;
}

bool is_tested(const OptionSpec& spec) {
    const bool launches = spec.commands.meets({Command::exec, Command::run, Command::shell, Command::test});
    if (spec.support != Support::yes || !launches || spec.id == O::help) return false;
    return spec.id != O::userns;  // what it asks for is always so
}

Words line_with(const OptionSpec& spec, const Words& options) {
    const bool exec = spec.commands.has(Command::exec);
    Words argv = {"swrun", exec ? "exec" : "shell"};
    argv.insert(argv.end(), options.begin(), options.end());
    argv.emplace_back("img");
    if (exec) argv.emplace_back("true");
    return argv;
}

// A network is refused unless it is none.
Words companions(const OptionSpec& spec) { return spec.id == O::net ? Words{"--network=none"} : Words{}; }

class Effects : public testing::Test {
protected:
    void SetUp() override {
        // Each test is a process of its own, several run at a time.
        reading_.site_file = testing::TempDir() + "/swrun-effects-" + std::to_string(::getpid()) + ".toml";
        write("[profile.p.environment]\nFROM_PROFILE = \"1\"\n");
    }
    void TearDown() override { ::unlink(reading_.site_file.c_str()); }
    void write(const std::string& text) const { std::ofstream(reading_.site_file) << text; }

    static std::string value_of(const OptionSpec& spec) {
        if (spec.kind == ValueKind::boolean) return "true";
        const auto found = samples().find(spec.id);
        if (found == samples().end()) ADD_FAILURE() << "no sample value for --" << spec.name;
        return found == samples().end() ? "" : found->second;
    }
    [[nodiscard]] Invocation plain(const OptionSpec& spec) const {
        return reading_.invocation(line_with(spec, companions(spec)));
    }
    [[nodiscard]] Invocation by_argument(const OptionSpec& spec, const std::string& value) const {
        Words options = companions(spec);
        options.push_back("--" + std::string(spec.name) + "=" + value);
        return reading_.invocation(line_with(spec, options));
    }

    Reading reading_;
};

TEST_F(Effects, OfTheArgument) {
    for (const OptionSpec& spec : options()) {
        if (!is_tested(spec)) continue;
        EXPECT_FALSE(by_argument(spec, value_of(spec)) == plain(spec)) << spec.name;
    }
}

TEST_F(Effects, OfEachVariable) {
    for (const OptionSpec& spec : options()) {
        if (!is_tested(spec) || spec.id == O::net) continue;  // --network=none, which it needs here, implies it
        for (const std::string_view key : spec.keys) {
            for (const char* prefix : {"SWRUN_", "APPTAINER_", "SINGULARITY_"}) {
                if (key.empty() || (spec.own && std::string(prefix) != "SWRUN_")) continue;
                reading_.environment.clear();
                const Invocation without = plain(spec);
                const std::string name = prefix + std::string(key);
                reading_.environment = {{name, value_of(spec)}};
                Invocation with = plain(spec);
                with.notes.clear();  // that the variable has a newer name is no effect
                EXPECT_FALSE(with == without) << name;
                reading_.environment = {{name, " "}};
                EXPECT_TRUE(plain(spec) == without) << name << " is blank";
            }
        }
    }
}

TEST_F(Effects, TheArgumentBeatsTheVariable) {
    for (const OptionSpec& spec : options()) {
        if (!is_tested(spec) || spec.keys[0].empty() || spec.kind == ValueKind::array) continue;
        if (spec.id == O::profile) continue;  // another one would have to exist
        reading_.environment.clear();
        const std::string value = spec.kind == ValueKind::boolean ? "false" : value_of(spec);
        const Invocation alone = by_argument(spec, value);
        const std::string other = spec.id == O::image_mode     ? "auto"
                                  : spec.id == O::image_reader ? "swrun"
                                  : spec.id == O::network      ? "bridge"
                                                               : "other";
        const std::string weaker = spec.kind == ValueKind::boolean ? "true" : other;
        reading_.environment = {{"SWRUN_" + std::string(spec.keys[0]), weaker}};
        EXPECT_TRUE(by_argument(spec, value) == alone) << spec.name;
    }
}

// What a site may set by default, by the name of the option.
TEST_F(Effects, OfTheSiteFile) {
    for (const char* name : {"nv", "cleanenv", "contain", "pid", "no-home", "no-eval", "writable-tmpfs", "compat",
                             "strict-compat", "hot-cache"}) {
        const OptionSpec& spec = *find_option(commands_in(CommandGroup::launching), name);
        write("");
        const Invocation without = plain(spec);
        write("[defaults]\n" + std::string(name) + " = true\n");
        EXPECT_NE(plain(spec).launch, without.launch) << name;
        EXPECT_FALSE(by_argument(spec, "false").launch == plain(spec).launch) << name;
    }
}

TEST(Strict, IsOffUnlessAskedFor) {
    EXPECT_FALSE(Reading().invocation({"swrun", "exec", "i", "x"}).launch.strict_compat.value);
    EXPECT_FALSE(Reading().invocation({"apptainer", "exec", "i", "x"}).launch.strict_compat.value);
    EXPECT_TRUE(Reading().invocation({"apptainer", "exec", "--strict-compat", "i", "x"}).launch.strict_compat.value);
}

TEST(Strict, NoPidIsIgnored) {
    EXPECT_FALSE(Reading().invocation({"swrun", "exec", "-C", "--no-pid", "i", "x"}).launch.pid.value);
    const Invocation strict = Reading().invocation({"swrun", "exec", "-C", "--no-pid", "--strict-compat", "i", "x"});
    EXPECT_TRUE(strict.launch.pid.value);
    EXPECT_FALSE(strict.launch.no_pid.value);
}

TEST(Separator, OneBehindTheImageOfExecIsDropped) {
    const struct {
        Words argv;
        Words arguments;
    } cases[] = {
        {{"swrun", "exec", "i", "--", "ls", "--"}, {"ls", "--"}},
        {{"swrun", "exec", "i", "--", "--", "ls"}, {"--", "ls"}},
        {{"swrun", "exec", "i", "--"}, {"--"}},
        {{"swrun", "exec", "--strict-compat", "i", "--", "ls"}, {"--", "ls"}},
        {{"swrun", "run", "i", "--", "x"}, {"--", "x"}},
        {{"apptainer", "exec", "i", "--", "ls"}, {"--", "ls"}},
    };
    for (const auto& one : cases) EXPECT_EQ(Reading().invocation(one.argv).launch.arguments, one.arguments);
}

TEST(Transport, AddressesAreNoFiles) {
    for (const char* image : {"docker://alpine", "library://a/b", "oras://h/x", "https://h/x.sif",
                              "docker-archive:x.tar", "oci:dir", "oci-archive:x"}) {
        for (const Words& argv : {Words{"apptainer", "exec", image, "true"}, Words{"swrun", "inspect", image}}) {
            const Error error = Reading().error(argv);
            EXPECT_EQ(exit_code(error), 255);
            EXPECT_EQ(error.message, "swrun does not fetch images: " + std::string(image));
            EXPECT_NE(error.hint.find("apptainer pull"), std::string::npos);
        }
    }
    EXPECT_EQ(Reading().error({"apptainer", "run", "foo://x"}).message, "Unsupported transport type: foo");
    for (const char* path : {"a:b.sif", "dir/with:colon", "/x://y", "Foo://x", "", "foo:x", "instance://i"}) {
        EXPECT_EQ(Reading().invocation({"swrun", "run", path}).launch.image, path);
    }
}

}  // namespace
}  // namespace swrun
