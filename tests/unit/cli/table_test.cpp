// The option table against the list of what the command line of Singularity and Apptainer knows, and
// everything that is generated from it.
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "cli/completion.h"
#include "cli/dropin_help.h"
#include "cli/help.h"
#include "cli/man.h"
#include "cli/option_table.h"
#include "command_line.h"
#include "known_options.h"

namespace swrun {
namespace {

void expect_known(const KnownOption& known, const CommandSet& commands) {
    const OptionSpec* spec = find_option(commands, known.name);
    ASSERT_NE(spec, nullptr) << known.name;
    EXPECT_EQ(spec->letter, known.letter) << known.name;
    EXPECT_EQ(spec->kind, known.kind) << known.name;
    std::string keys(spec->keys[0]);
    if (!spec->keys[1].empty()) keys.append(" ").append(spec->keys[1]);
    EXPECT_EQ(keys, known.keys) << known.name;
    switch (known.need) {
        case Need::works: EXPECT_EQ(spec->support, Support::yes) << known.name; break;
        case Need::if_possible: EXPECT_NE(spec->support, Support::ignored) << known.name; break;
        case Need::accepted: EXPECT_NE(spec->support, Support::refused) << known.name; break;
        case Need::refused: EXPECT_EQ(spec->support, Support::refused) << known.name; break;
    }
}

TEST(OptionTable, KnowsWhatSingularityKnows) {
    for (const KnownOption& known : kKnownOptions) expect_known(known, commands_in(CommandGroup::launching));
    for (const KnownOption& known : kKnownGlobals) expect_known(known, Command::before);
}

TEST(OptionTable, OtherNames) {
    for (const auto& [name, same_as] : kKnownAliases) {
        const OptionSpec* spec = find_option(commands_in(CommandGroup::launching), name);
        ASSERT_NE(spec, nullptr) << name;
        EXPECT_EQ(spec_of(canonical(spec->id)).name, same_as);
    }
    for (const OptionSpec& spec : options()) {
        const bool listed = std::any_of(std::begin(kKnownAliases), std::end(kKnownAliases),
                                        [&](const OptionAlias& alias) { return alias.name == spec.name; });
        EXPECT_EQ(canonical(spec.id) != spec.id, listed) << spec.name;
    }
}

TEST(OptionTable, HasNothingElseButItsOwn) {
    std::set<std::string> names;
    for (const KnownOption& known : kKnownOptions) names.insert(known.name);
    for (const OptionSpec& spec : options_of({Command::exec, Command::run, Command::shell, Command::test})) {
        if (spec.id == OptionId::help) continue;
        EXPECT_NE(names.contains(std::string(spec.name)), spec.own) << spec.name;
    }
}

TEST(OptionTable, NamesAndLettersAreUniquePerCommand) {
    for (const CommandSpec& command : commands()) {
        if (command.id == Command::elsewhere) continue;
        std::set<std::string> seen;
        for (const OptionSpec& spec : options_of(command.id)) {
            EXPECT_TRUE(seen.insert("--" + std::string(spec.name)).second) << command.name << " " << spec.name;
            if (spec.letter != 0) {
                EXPECT_TRUE(seen.insert(std::string("-") + spec.letter).second) << spec.name;
            }
        }
    }
}

TEST(OptionTable, EveryRowIsComplete) {
    for (const OptionSpec& spec : options()) {
        EXPECT_FALSE(spec.help.empty()) << spec.name;
        EXPECT_FALSE(spec.help.ends_with(".")) << spec.name;
        if (spec.kind != ValueKind::boolean) {
            EXPECT_FALSE(spec.value.empty()) << spec.name;
        }
        if (spec.support == Support::refused) {
            EXPECT_FALSE(spec.reason.empty()) << spec.name;
            EXPECT_FALSE(spec.instead.empty()) << spec.name;
        }
    }
    for (const CommandSpec& spec : commands()) {
        EXPECT_FALSE(spec.summary.empty()) << spec.name;
        if (spec.id == Command::elsewhere) {
            EXPECT_FALSE(spec.instead.empty()) << spec.name;
        }
    }
}

TEST(OptionTable, RefusedOptionsSayWhatToDoInstead) {
    for (const OptionSpec& spec : options()) {
        if (spec.support != Support::refused) continue;
        Words argv = {"apptainer", "exec", "--" + std::string(spec.name)};
        if (spec.kind != ValueKind::boolean) argv.back().append("=1");
        argv.insert(argv.end(), {"img", "true"});
        const Error error = Reading().error(argv);
        EXPECT_EQ(exit_code(error), 255) << spec.name;
        EXPECT_EQ(error.message, "--" + std::string(spec.name) + " is not supported: " + std::string(spec.reason));
        EXPECT_EQ(error.hint, spec.instead);
        if (spec.kind == ValueKind::boolean) {
            EXPECT_EQ(Reading().invocation({"apptainer", "exec", argv[2] + "=false", "img", "true"}).launch.image,
                      "img");
        }
    }
}

bool has_word(const std::string& text, const std::string& word) {
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
        const char next = at + word.size() < text.size() ? text[at + word.size()] : ' ';
        if (next != '-' && (next < 'a' || next > 'z') && (next < '0' || next > '9')) return true;
    }
    return false;
}

TEST(Help, ListsEveryOptionOfEveryCommand) {
    for (const CommandSpec& command : commands()) {
        if (command.id == Command::elsewhere) continue;
        const std::string text = command_help(command, CalledAs::own, "/home/u");
        EXPECT_TRUE(text.find("swrun [global options...] " + full_name(command)) != std::string::npos);
        for (const OptionSpec& spec : options_of(command.id)) {
            if (spec.hidden) continue;
            EXPECT_TRUE(has_word(text, "--" + std::string(spec.name))) << command.name << " " << spec.name;
        }
    }
    const std::string top = top_help(CalledAs::own, "/home/u");
    for (const KnownOption& known : kKnownGlobals) {
        if (std::string(known.name) != "build-config") {
            EXPECT_TRUE(has_word(top, "--" + std::string(known.name))) << known.name;
        }
    }
    for (const CommandSpec& command : commands()) {
        const std::string group = command.parent.empty()
                                      ? ""
                                      : part_list(*find_command(command.parent, true), CalledAs::own);
        EXPECT_TRUE(has_word(group.empty() ? top : group, std::string(command.name))) << full_name(command);
    }
}

TEST(Help, FitsEightyColumns) {
    std::istringstream lines(command_help(spec_of(Command::exec), CalledAs::own, "/home/u") +
                             top_help(CalledAs::own, ""));
    for (std::string line; std::getline(lines, line);) {
        if (line.find("type=bind") == std::string::npos) {
            EXPECT_LE(line.size(), 84U) << line;
        }
    }
}

TEST(Help, DropinListsTheOptionsOfApptainer) {
    const std::string shell = dropin_option_table(Command::shell, "shell", "/home/u");
    EXPECT_NE(shell.find("  -s, --shell string "), std::string::npos);
    EXPECT_NE(shell.find("  -h, --help                          help for shell\n"), std::string::npos);
    EXPECT_EQ(shell.find("--dry-run"), std::string::npos);
    EXPECT_EQ(shell.find("--pwd string"), std::string::npos);
    const std::string inspect = dropin_option_table(Command::inspect, "inspect", "/home/u");
    for (const char* name : {"--all", "--app string", "--deffile", "--environment", "--helpfile", "--json", "--labels",
                             "--list-apps", "--runscript", "--startscript", "--test"}) {
        EXPECT_NE(inspect.find(name), std::string::npos) << name;
    }
}

TEST(Help, ListsEveryOptionThatIsAcceptedOrKnownOnly) {
    for (const CalledAs called : {CalledAs::own, CalledAs::dropin}) {
        for (const Command command : {Command::exec, Command::run, Command::shell, Command::instance_start}) {
            const std::string help = command_help(spec_of(command), called, "/home/u");
            for (const OptionSpec& spec : options_of(command)) {
                if (canonical(spec.id) != spec.id || spec.support == Support::yes) continue;
                EXPECT_NE(help.find("--" + std::string(spec.name)), std::string::npos) << spec.name;
            }
        }
    }
}

TEST(Help, ThroughTheCommandLine) {
    for (const Words& argv : {Words{"apptainer", "--help"}, Words{"apptainer", "-h"}, Words{"apptainer", "help"}}) {
        const Invocation help = Reading().invocation(argv);
        EXPECT_EQ(help.command, Command::help);
        EXPECT_NE(help.text.find("Usage:"), std::string::npos);
    }
    for (const Words& argv : {Words{"apptainer", "exec", "--help"}, Words{"apptainer", "exec", "-eh", "img"},
                              Words{"apptainer", "help", "exec"}}) {
        const Invocation help = Reading().invocation(argv);
        EXPECT_NE(help.text.find("Usage:\n  apptainer [global options...] exec"), std::string::npos);
        EXPECT_NE(help.text.find("--cleanenv"), std::string::npos);
    }
    const Invocation program = Reading().invocation({"apptainer", "exec", "img", "--help"});
    EXPECT_EQ(program.command, Command::exec);
    EXPECT_NE(Reading().invocation({"swrun", "help", "build"}).text.find("Apptainer"), std::string::npos);
}

TEST(Man, HasEveryOptionAndCommand) {
    const std::string page = man_page();
    for (const OptionSpec& spec : options()) {
        std::string name = "--" + std::string(spec.name);
        for (std::size_t at = name.find('-'); at != std::string::npos; at = name.find('-', at + 2))
            name.insert(at, "\\");
        EXPECT_NE(page.find(name + "\\fR"), std::string::npos) << spec.name;
    }
    EXPECT_NE(page.find(".TH SWRUN 1"), std::string::npos);
    EXPECT_NE(page.find("run\\-help"), std::string::npos);
    std::istringstream lines(page);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(".")) {
            EXPECT_TRUE(line.starts_with(".S") || line.starts_with(".T")) << line;
        }
        EXPECT_FALSE(line.starts_with("'")) << line;
    }
    EXPECT_EQ(Reading().invocation({"swrun", "man"}).text, page);
    EXPECT_EQ(Reading().invocation({"swrun", "--man"}).text, page);
}

TEST(Completion, OffersEveryUsableOption) {
    for (const char* shell : {"bash", "zsh", "fish"}) {
        const std::string script = completion_script(shell, CalledAs::own).value_or("");
        const bool fish = std::string(shell) == "fish";
        for (const OptionSpec& spec : options()) {
            const std::string name = (fish ? "-l " : "--") + std::string(spec.name);
            if (spec.support != Support::refused) {
                EXPECT_TRUE(has_word(script, name)) << shell << " " << spec.name;
            }
        }
        for (const CommandSpec& spec : commands()) {
            if (spec.id != Command::elsewhere) {
                EXPECT_TRUE(has_word(script, std::string(spec.name))) << shell << spec.name;
            }
        }
        EXPECT_EQ(Reading().invocation({"swrun", "completion", shell}).text, script);
    }
    EXPECT_FALSE(completion_script("csh", CalledAs::own));
    EXPECT_EQ(Reading().usage({"swrun", "completion", "csh"}).status, 1);
    EXPECT_NE(completion_script("bash", CalledAs::dropin).value_or("").find("apptainer singularity\n"),
              std::string::npos);
}

// The scripts must at least parse; zsh and fish are checked where they are installed.
TEST(Completion, ScriptsParse) {
    for (const char* shell : {"bash", "zsh", "fish"}) {
        if (std::system((std::string("command -v ") + shell + " >/dev/null").c_str()) != 0) continue;
        std::FILE* pipe = ::popen((std::string(shell) + " -n").c_str(), "w");
        ASSERT_NE(pipe, nullptr);
        std::fputs(completion_script(shell, CalledAs::own)->c_str(), pipe);
        EXPECT_EQ(::pclose(pipe), 0) << shell;
    }
}

std::string completed(const std::string& words, int at) {
    const std::string path = ::testing::TempDir() + "/swrun-completion-" + std::to_string(::getpid()) + ".bash";
    std::ofstream(path) << *completion_script("bash", CalledAs::own);
    const std::string command = "bash -c 'source " + path + "; COMP_WORDS=(" + words +
                                "); COMP_CWORD=" + std::to_string(at) + "; _swrun; echo ${COMPREPLY[@]}'";
    std::FILE* pipe = ::popen(command.c_str(), "r");
    std::string out;
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) out.push_back(static_cast<char>(c));
    ::pclose(pipe);
    return out;
}

TEST(Completion, BashCompletes) {
    EXPECT_EQ(completed("swrun ex", 1), "exec\n");
    EXPECT_EQ(completed("swrun exec --cleane", 2), "--cleanenv\n");
    EXPECT_EQ(completed("swrun -c exec exec --cleane", 4), "--cleanenv\n");
    EXPECT_EQ(completed("swrun --deb", 1), "--debug\n");
    EXPECT_EQ(completed("swrun completion z", 2), "zsh\n");
    EXPECT_EQ(completed("swrun exec fil", 2), "\n");  // left to file names
}

}  // namespace
}  // namespace swrun
