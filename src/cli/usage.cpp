#include "cli/usage.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "cli/dropin_help.h"
#include "cli/help.h"
#include "support/text.h"

namespace swrun {
namespace {

// Edit distance of two short words, for "did you mean".
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t replace = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replace, row[j] + 1, diagonal + 1});
        }
    }
    return row[b.size()];
}

struct Guess {
    std::string_view word;
    std::string_view name;
    std::size_t best = 3;  // two wrong letters at most

    void offer(std::string_view candidate) {
        if (const std::size_t d = distance(word, candidate); d < best && d < word.size()) {
            best = d;
            name = candidate;
        }
    }
};

std::string did_you_mean(const Guess& guess, std::string_view dashes) {
    if (guess.name.empty()) return "";
    return "did you mean " + std::string(dashes) + std::string(guess.name) + "?";
}

// `parent`: the command that the word stands behind, or nothing.
std::string hint_for_command(std::string_view word, std::string_view parent) {
    Guess guess{word, {}};
    for (const CommandSpec& spec : commands()) {
        if (spec.parent == parent) guess.offer(spec.name);
    }
    // A path or a file name: somebody has left the command out.
    const bool image = parent.empty() && guess.name.empty() && word.find_first_of("/.") != std::string_view::npos;
    return image ? "to run an image: swrun run " + printable(word) : did_you_mean(guess, "");
}

std::string hint_for_flag(std::string_view name, const std::optional<Command>& command) {
    const std::string flag = "--" + std::string(name);
    if (command && find_option(Command::before, name) != nullptr) return flag + " stands before the command";
    if (!command && find_option(commands_in(CommandGroup::launching), name) != nullptr) {
        return flag + " stands between the command and the image: swrun exec " + flag + " ...";
    }
    Guess guess{name, {}};
    for (const OptionSpec& spec : options_of(command.value_or(Command::before))) guess.offer(spec.name);
    return did_you_mean(guess, "--");
}

// Only under swrun's own name: others compare the bytes of the drop-in's stderr.
std::string hint_for(const UsageFault& fault) {
    constexpr std::string_view kUnknownFlag = "unknown flag: --";
    const std::string_view what = fault.what;
    if (fault.kind == UsageFault::Kind::unknown_command) return hint_for_command(what, "");
    if (what.starts_with(kUnknownFlag)) return hint_for_flag(what.substr(kUnknownFlag.size()), fault.command);
    if (!fault.word.empty()) return hint_for_command(fault.word, spec_of(*fault.command).name);
    if (fault.kind == UsageFault::Kind::operands && fault.command == Command::exec) {
        return "exec takes an image and a program; `run` starts what the image is for, `shell` a shell in it";
    }
    return "";
}

std::string option_table_text(const UsageFault& fault, CalledAs called, const std::string& home) {
    if (!fault.command) return dropin_option_table(Command::before, shown_name(called), home);
    return dropin_option_table(*fault.command, spec_of(*fault.command).name, home);
}

}  // namespace

std::string usage_line(const CommandSpec& command, CalledAs called) {
    std::string line = "  " + std::string(shown_name(called)) + " [global options...] " + full_name(command);
    if (!command.usage.empty()) line.append(" ").append(command.usage);
    return line.append("\n");
}

std::string usage_hint(CalledAs called) {
    return "Run '" + std::string(shown_name(called)) + " --help' for more detailed usage information.\n";
}

UsageError usage_error(const UsageFault& fault, CalledAs called, const std::string& home) {
    const std::string program(shown_name(called));
    const std::string command = fault.command ? std::string(spec_of(*fault.command).name) : program;
    const bool own = called == CalledAs::own;
    std::string hint = own ? hint_for(fault) : "";
    if (!hint.empty()) hint = "  hint: " + hint + "\n";
    const std::string of_command = "Error for command \"" + command + "\": " + fault.what + "\n" + hint + "\n";
    UsageError error;
    switch (fault.kind) {
        case UsageFault::Kind::option:
            error.err = of_command;
            if (own) break;  // the long table would push the message out of sight
            error.out = "Options for " + command + " command:\n\n" + option_table_text(fault, called, home) + "\n" +
                        usage_hint(called);
            break;
        case UsageFault::Kind::operands:
            error.err = of_command;
            error.out = "Usage:\n" + usage_line(spec_of(*fault.command), called) + "\n" +
                        part_list(spec_of(*fault.command), called) + usage_hint(called);
            break;
        case UsageFault::Kind::no_command: error.out = command_lists(called) + "\n" + usage_hint(called); break;
        case UsageFault::Kind::unknown_command:
            error.err = "Error: unknown command \"" + fault.what + "\" for \"" + program + "\"\n" + hint + "\n";
            if (!own) error.out = command_lists(called) + "\n" + usage_hint(called);
            break;
    }
    if (own && error.out.empty()) {
        error.err += fault.command ? "Run 'swrun help " + full_name(spec_of(*fault.command)) + "' for its options.\n"
                                   : usage_hint(called);
    }
    return error;
}

}  // namespace swrun
