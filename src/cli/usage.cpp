#include "cli/usage.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "cli/dropin_help.h"
#include "cli/help.h"

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

// Only under swrun's own name: others compare the bytes of the drop-in's stderr.
std::string suggestion(const UsageFault& fault) {
    constexpr std::string_view kUnknownFlag = "unknown flag: --";
    Guess guess;
    std::string_view dashes;
    if (fault.kind == UsageFault::Kind::unknown_command) {
        guess.word = fault.what;
        for (const CommandSpec& spec : commands()) {
            if (spec.parent.empty()) guess.offer(spec.name);
        }
    } else if (fault.what.starts_with(kUnknownFlag)) {
        guess.word = std::string_view(fault.what).substr(kUnknownFlag.size());
        const CommandMask mask = fault.command ? mask_of(*fault.command) : kGlobalMask;
        for (const OptionSpec& spec : options()) {
            if ((spec.commands & mask) != 0) guess.offer(spec.name);
        }
        if (fault.command && find_option(kGlobalMask, guess.word) != nullptr) {
            return "  hint: --" + std::string(guess.word) + " stands before the command\n";
        }
        dashes = "--";
    }
    if (guess.name.empty()) return "";
    return "  hint: did you mean " + std::string(dashes) + std::string(guess.name) + "?\n";
}

std::string option_table_text(const UsageFault& fault, CalledAs called, const std::string& home) {
    if (called == CalledAs::own) {
        return fault.command ? option_lists(mask_of(*fault.command)) : option_lists(kGlobalMask);
    }
    if (!fault.command) return dropin_option_table(kGlobalMask, shown_name(called), home);
    return dropin_option_table(mask_of(*fault.command), spec_of(*fault.command).name, home);
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
    const std::string hint = called == CalledAs::own ? suggestion(fault) : "";
    UsageError error;
    switch (fault.kind) {
        case UsageFault::Kind::option:
            error.err = "Error for command \"" + command + "\": " + fault.what + "\n" + hint + "\n";
            error.out = "Options for " + command + " command:\n\n" + option_table_text(fault, called, home) + "\n" +
                        usage_hint(called);
            break;
        case UsageFault::Kind::operands:
            error.err = "Error for command \"" + command + "\": " + fault.what + "\n\n";
            error.out = "Usage:\n" + usage_line(spec_of(*fault.command), called) + "\n" +
                        part_list(spec_of(*fault.command), called) + usage_hint(called);
            break;
        case UsageFault::Kind::no_command: error.out = command_lists(called) + "\n" + usage_hint(called); break;
        case UsageFault::Kind::unknown_command:
            error.err = "Error: unknown command \"" + fault.what + "\" for \"" + program + "\"\n" + hint + "\n";
            error.out = command_lists(called) + "\n" + usage_hint(called);
            break;
    }
    return error;
}

}  // namespace swrun
