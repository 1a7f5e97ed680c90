// The commands: one table, from which dispatch, usage lines, help, man page and completions are made.
// Pure data.  Commands of Singularity that swrun leaves to others are in it too, with what to do instead,
// so that nobody is told that `build` does not exist.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace swrun {

enum class Command : std::uint8_t {
    exec,
    run,
    shell,
    test,
    inspect,
    run_help,
    doctor,
    wrapper,
    version,
    help,
    man,
    completion,
    elsewhere,  // known, and not done by swrun
};

// Which commands an option belongs to: bits of CommandSpec::mask.
using CommandMask = std::uint16_t;

[[nodiscard]] constexpr CommandMask mask_of(Command command) {
    return static_cast<CommandMask>(1U << static_cast<unsigned>(command));
}

constexpr CommandMask kLaunchMask = mask_of(Command::exec) | mask_of(Command::run) | mask_of(Command::shell) |
                                    mask_of(Command::test);
constexpr CommandMask kGlobalMask = 0x8000;  // before the command

enum class CommandGroup : std::uint8_t { launch, look, about, elsewhere };

struct CommandSpec {
    Command id = Command::exec;
    std::string_view name;
    CommandGroup group = CommandGroup::launch;
    std::string_view summary;    // one line, no period; for `elsewhere` what it would do
    std::string_view usage;      // after the command's name on a usage line
    int min_words = 0;           // operands: IMAGE, COMMAND, ...
    int max_words = -1;          // -1: any number, the rest belongs to the program
    bool own = false;            // only under swrun's own name
    bool options_after = false;  // options are also read behind the first operand
    std::string_view instead;    // for `elsewhere`
};

[[nodiscard]] std::span<const CommandSpec> commands();
[[nodiscard]] const CommandSpec* find_command(std::string_view name, bool own_name);
[[nodiscard]] const CommandSpec& spec_of(Command command);  // not for Command::elsewhere

[[nodiscard]] std::string_view title_of(CommandGroup group);

}  // namespace swrun
