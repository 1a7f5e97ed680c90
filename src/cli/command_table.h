// The commands: one table, from which dispatch, usage lines, help, man page and completions are made.
// Pure data.  Commands of Singularity that swrun leaves to others are in it too, with what to do instead,
// so that nobody is told that `build` does not exist.
#pragma once

#include <cstdint>
#include <span>
#include <string>
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
    // A group, then what it can do.
    sif,
    sif_list,
    sif_header,
    sif_info,
    sif_dump,
    cache,
    cache_list,
    cache_clean,
    config,
    config_show,
    config_global,
    capability,
    capability_list,
    capability_avail,
    overlay,
    overlay_create,
    instance,
    instance_list,
    instance_run,
    instance_start,
    instance_stats,
    instance_stop,
    elsewhere,  // known, and not done by swrun
};

// Which commands an option belongs to: one bit for each.
using CommandMask = std::uint64_t;

[[nodiscard]] constexpr CommandMask mask_of(Command command) {
    return CommandMask{1} << static_cast<unsigned>(command);
}

constexpr CommandMask kLaunchMask = mask_of(Command::exec) | mask_of(Command::run) | mask_of(Command::shell) |
                                    mask_of(Command::test) | mask_of(Command::instance_start) |
                                    mask_of(Command::instance_run);
constexpr CommandMask kStartMask = mask_of(Command::instance_start) | mask_of(Command::instance_run);
constexpr CommandMask kGlobalMask = CommandMask{1} << 63U;  // before the command

enum class CommandGroup : std::uint8_t {
    launch,
    look,
    manage,
    about,  // prints a text that the tables hold, and that is all
    elsewhere,
};

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
    std::string_view parent{};   // the group it belongs to: `sif list` is "list" of "sif"
};

[[nodiscard]] std::span<const CommandSpec> commands();
[[nodiscard]] const CommandSpec* find_command(std::string_view name, bool own_name, std::string_view parent = {});
[[nodiscard]] const CommandSpec& spec_of(Command command);  // not for Command::elsewhere

// A word that means nothing without a second one: sif, cache, ...
[[nodiscard]] bool is_group(Command command);

// "exec", "sif list"
[[nodiscard]] std::string full_name(const CommandSpec& command);

[[nodiscard]] std::string_view title_of(CommandGroup group);

}  // namespace swrun
