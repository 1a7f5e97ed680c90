// First pass over the command line: finds the global options, the command, its options, and where they
// end (at IMAGE, or behind a "--").  Knows all spellings (-B v, -Bv, -B=v, -ce, --x=LITERAL) and leaves
// canonical ones.  Pure; the only input is argv and the two tables.
//
// The rules are those of the Go flag library behind Singularity's command line (pflag): nothing is
// abbreviated, a boolean never takes the next word, a value option always does.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "cli/option_table.h"
#include "cli/program_name.h"

namespace swrun {

struct Occurrence {
    OptionId id = OptionId::help;
    std::string value;  // booleans: "true" or "false"

    friend bool operator==(const Occurrence&, const Occurrence&) = default;
};

struct CommandLine {
    CalledAs called = CalledAs::own;
    std::optional<Command> command;     // nullopt: none given
    const CommandSpec* spec = nullptr;  // its row of the table; null exactly when there is no command
    std::string command_word;           // as typed, "sif list" for two
    std::vector<Occurrence> global;     // in the order given
    std::vector<Occurrence> options;
    std::vector<std::string> words;  // operands: IMAGE, COMMAND, ...

    friend bool operator==(const CommandLine&, const CommandLine&) = default;
};

// What is wrong with a command line; cli/usage.h makes text of it.
struct UsageFault {
    enum class Kind { option, operands, no_command, unknown_command };

    Kind kind = Kind::option;
    std::optional<Command> command;  // nullopt: before or instead of one
    std::string what;                // e.g. "unknown flag: --foo"
    std::string word{};              // behind `sif` and its like: what is none of their parts; else empty

    friend bool operator==(const UsageFault&, const UsageFault&) = default;
};

// argv with argv[0].  A command that is missing is no fault here: --help and --version need none.
[[nodiscard]] std::variant<CommandLine, UsageFault> scan_arguments(std::span<const std::string> argv);

// Too few or too many operands for the command?  Asked after --help has been looked for.
[[nodiscard]] std::optional<UsageFault> check_operands(const CommandLine& line);

// Was this boolean given, the last time as true?
[[nodiscard]] bool is_set(std::span<const Occurrence> given, OptionId id);

}  // namespace swrun
