// Commands of two words: how they are found, what they ask for, and what is wrong with a line.
#include "cli/requests.h"

#include "cli/completion.h"
#include "cli/help.h"
#include "command_line.h"

namespace swrun {
namespace {

constexpr const char* kHint = "\nRun 'apptainer --help' for more detailed usage information.\n";

TEST(SmallRequests, Sif) {
    EXPECT_EQ(Reading().invocation({"apptainer", "sif", "list", "a.sif"}).sif, (SifRequest{"a.sif", 0}));
    const Invocation info = Reading().invocation({"swrun", "-q", "sif", "info", "7", "a.sif"});
    EXPECT_EQ(info.command, Command::sif_info);
    EXPECT_EQ(info.level, Level::quiet);
    EXPECT_EQ(info.sif, (SifRequest{"a.sif", 7}));
    EXPECT_EQ(Reading().invocation({"swrun", "sif", "dump", "4294967295", "x"}).sif.id, 4294967295U);
}

TEST(SmallRequests, UsageErrors) {
    const struct {
        Words argv;
        std::string err;
        std::string usage;
    } cases[] = {
        {{"apptainer", "sif", "list"},
         "Error for command \"list\": accepts 1 arg(s), received 0\n\n",
         "sif list <sif_path>"},
        {{"apptainer", "sif", "dump", "1"},
         "Error for command \"dump\": accepts 2 arg(s), received 1\n\n",
         "sif dump <id> <sif_path>"},
        {{"singularity", "sif", "dump", "one", "f"},
         "Error for command \"dump\": while converting id: strconv.ParseUint: parsing \"one\": invalid syntax\n\n",
         "sif dump <id> <sif_path>"},
        {{"apptainer", "sif", "info", "4294967296", "f"},
         "Error for command \"info\": while converting id: strconv.ParseUint: parsing \"4294967296\": value out of "
         "range\n\n",
         "sif info <id> <sif_path>"},
        {{"apptainer", "overlay", "create"},
         "Error for command \"create\": accepts 1 arg(s), received 0\n\n",
         "overlay create <options> image"},
        {{"apptainer", "capability", "avail", "a", "b"},
         "Error for command \"avail\": accepts between 0 and 1 arg(s), received 2\n\n",
         "capability avail [capabilities]"},
        {{"apptainer", "config", "global", "bind path"},
         "Error for command \"global\": you must specify an option (eg: --set/--unset)\n\n",
         "config global <option> <directive> [value,...]"},
    };
    for (const auto& one : cases) {
        const UsageError error = Reading().usage(one.argv);
        EXPECT_EQ(error.err, one.err);
        EXPECT_EQ(error.out, "Usage:\n  apptainer [global options...] " + one.usage + "\n" + kHint);
        EXPECT_EQ(error.status, 1);
    }
}

TEST(SmallRequests, AGroupNeedsASecondWord) {
    for (const Words& argv : {Words{"apptainer", "sif"}, Words{"apptainer", "sif", "nosuch", "x"}}) {
        const UsageError error = Reading().usage(argv);
        EXPECT_EQ(error.err, "Error for command \"sif\": invalid command\n\n");
        EXPECT_TRUE(
            error.out.starts_with("Usage:\n  apptainer [global options...] sif <command>\n\n"
                                  "Available Commands:\n"))
            << error.out;
        EXPECT_NE(error.out.find("\n  dump        Dump data object\n"), std::string::npos) << error.out;
        EXPECT_TRUE(error.out.ends_with(kHint));
    }
    EXPECT_EQ(Reading().usage({"apptainer", "sif", "--foo", "list"}).err,
              "Error for command \"sif\": unknown flag: --foo\n\n");
    EXPECT_EQ(Reading().usage({"apptainer", "list"}).err, "Error: unknown command \"list\" for \"apptainer\"\n\n");
}

TEST(SmallRequests, WhatChangesAnImageIsDoneElsewhere) {
    const Error error = Reading().error({"apptainer", "sif", "add", "a.sif", "f"});
    EXPECT_EQ(error.message, "swrun does not do `sif add`");
    EXPECT_FALSE(error.hint.empty());
    EXPECT_NE(Reading().error({"apptainer", "capability", "add", "x"}).hint, error.hint);
}

TEST(SmallRequests, HelpOfAPart) {
    for (const Words& argv : {Words{"apptainer", "help", "cache", "clean"}, Words{"apptainer", "cache", "clean", "-h"},
                              Words{"apptainer", "cache", "clean", "x", "--help"}}) {
        const Invocation help = Reading().invocation(argv);
        EXPECT_EQ(help.command, Command::help);
        EXPECT_NE(help.text.find("apptainer [global options...] cache clean [clean options...]\n"), std::string::npos);
        EXPECT_NE(help.text.find("--days int"), std::string::npos);
        EXPECT_EQ(help.text.find("--verbose"), std::string::npos);
    }
    EXPECT_NE(Reading().invocation({"swrun", "help", "cache"}).text.find("  clean  "), std::string::npos);
}

TEST(SmallRequests, CacheOptions) {
    const CacheRequest clean =
        Reading().invocation({"apptainer", "cache", "clean", "-fn", "--days", "30", "-T", "all"}).cache;
    EXPECT_TRUE(clean.force && clean.dry_run && clean.all_types);
    EXPECT_EQ(clean.days, 30);
    const CacheRequest list = Reading().invocation({"apptainer", "cache", "list", "-v", "--type=library,all"}).cache;
    EXPECT_TRUE(list.verbose);
    EXPECT_FALSE(list.all_types);
    EXPECT_EQ(Reading().usage({"apptainer", "cache", "clean", "-D", "x"}).status, 1);
}

TEST(SmallRequests, CacheDirectory) {
    const struct {
        Pairs environment;
        std::string home;
        std::string directory;
    } cases[] = {
        {{}, "/home/u", "/home/u/.cache/swrun"},
        {{}, "", ""},
        {{{"XDG_CACHE_HOME", "/x"}}, "/home/u", "/x/swrun"},
        {{{"XDG_CACHE_HOME", "relative"}}, "/home/u", "/home/u/.cache/swrun"},
        {{{"SINGULARITY_CACHEDIR", "/s"}, {"XDG_CACHE_HOME", "/x"}}, "/home/u", "/s/swrun"},
        {{{"SINGULARITY_CACHEDIR", "/s"}, {"APPTAINER_CACHEDIR", "/a/"}}, "/home/u", "/a/swrun"},
        {{{"APPTAINER_CACHEDIR", ""}}, "/home/u", "/home/u/.cache/swrun"},
    };
    for (const auto& one : cases) {
        EXPECT_EQ(cache_directory(Variables(one.environment), one.home), one.directory);
        Reading reading;
        reading.environment = one.environment;
        reading.home = one.home;
        EXPECT_EQ(reading.invocation({"apptainer", "cache", "list"}).cache.directory, one.directory);
    }
}

TEST(SmallRequests, Overlay) {
    const OverlayRequest plain = Reading().invocation({"apptainer", "overlay", "create", "o.img"}).overlay;
    EXPECT_EQ(plain, (OverlayRequest{"o.img", 64, false, false, {}}));
    const OverlayRequest all = Reading()
                                   .invocation({"apptainer", "overlay", "create", "o.img", "--sparse", "-s", "0x80",
                                                "--create-dir", "/a,/b", "--create-dir=c"})
                                   .overlay;
    EXPECT_EQ(all, (OverlayRequest{"o.img", 128, true, false, {"/a", "/b", "c"}}));
}

TEST(SmallRequests, Config) {
    using Operation = ConfigRequest::Operation;
    Reading reading;
    reading.environment = {{"APPTAINER_NV", "1"}, {"SINGULARITY_BIND", "/a,/b"}};
    const Invocation show = reading.invocation({"swrun", "config", "show"});
    ASSERT_EQ(show.config.settings.size(), 2U);
    EXPECT_EQ(show.config.settings[0], (ShownSetting{"--bind", "/a,/b", {Origin::Kind::variable, "SINGULARITY_BIND"}}));
    EXPECT_EQ(show.config.settings[1], (ShownSetting{"--nv", "true", {Origin::Kind::variable, "APPTAINER_NV"}}));
    const Invocation get = reading.invocation({"apptainer", "config", "global", "--get", "bind path"});
    EXPECT_EQ(get.config.operation, Operation::get);
    EXPECT_EQ(get.config.directive, "bind path");
    for (const char* option : {"--set", "-u", "--reset"}) {
        EXPECT_EQ(reading.invocation({"apptainer", "config", "global", option, "k", "v"}).config.operation,
                  Operation::write);
    }
    EXPECT_EQ(reading.usage({"apptainer", "config", "show"}).status, 1) << "only under swrun's own name";
}

TEST(SmallRequests, CompletionKnowsSecondWords) {
    const std::string bash = completion_script("bash", CalledAs::own).value_or("");
    EXPECT_NE(bash.find("\"sif\") words=\"list header info dump "), std::string::npos);
    EXPECT_NE(bash.find("\"cache clean\") words=\"--type -T "), std::string::npos);
    const std::string zsh = completion_script("zsh", CalledAs::own).value_or("");
    EXPECT_NE(zsh.find("'1:command:(list header info dump)'"), std::string::npos);
    const std::string fish = completion_script("fish", CalledAs::own).value_or("");
    EXPECT_NE(fish.find("'__fish_seen_subcommand_from overlay; and __fish_seen_subcommand_from create' -l size -s s"),
              std::string::npos);
}

TEST(Instances, Start) {
    const Invocation one = Reading().invocation(
        {"apptainer", "instance", "start", "-c", "--pid-file", "p", "img", "web", "-x", "y"});
    EXPECT_EQ(one.command, Command::instance_start);
    EXPECT_TRUE(one.launches() && one.launch.contain.value);
    EXPECT_EQ(one.launch.action, Action::start);
    EXPECT_EQ(one.launch.image, "img");
    EXPECT_EQ(one.launch.instance, "web");
    EXPECT_EQ(one.launch.arguments, (std::vector<std::string>{"-x", "y"}));
    EXPECT_EQ(one.instance.pid_file, "p");
    EXPECT_EQ(Reading().invocation({"apptainer", "instance", "run", "img", "web"}).launch.action, Action::run);
}

TEST(Instances, ListStopStats) {
    const Invocation list = Reading().invocation({"apptainer", "instance", "list", "-j", "-u", "me", "a*"});
    EXPECT_EQ(list.instance.pattern, "a*");
    EXPECT_EQ(list.instance.user, "me");
    EXPECT_TRUE(list.instance.json);
    EXPECT_EQ(Reading().invocation({"apptainer", "instance", "list"}).instance.pattern, "*");
    const Invocation stop = Reading().invocation({"apptainer", "instance", "stop", "-F", "-s", "TERM", "-t", "3", "x"});
    EXPECT_TRUE(stop.instance.force);
    EXPECT_EQ(stop.instance.signal, "TERM");
    EXPECT_EQ(stop.instance.timeout, 3);
    EXPECT_EQ(Reading().invocation({"apptainer", "instance", "stop", "--all"}).instance.pattern, "*");
    EXPECT_TRUE(Reading().invocation({"apptainer", "instance", "stats", "--no-stream", "x"}).instance.no_stream);
}

}  // namespace
}  // namespace swrun
