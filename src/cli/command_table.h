// The commands: one table, from which dispatch, usage lines, help, man page and completions are made.
// Pure data.  Commands of Singularity that swrun leaves to others are in it too, with what to do instead,
// so that nobody is told that `build` does not exist.
//
// A new command: an enumerator here and a row in cli/command_rows.h.  Its groups say which options it takes; main.cpp
// does not compile until it says who carries it out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "cli/enum_set.h"

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
    // One with parts, then its parts.
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
    before,     // none: the place before the command, where the global options stand
};

using CommandSet = EnumSet<Command, static_cast<std::size_t>(Command::before) + 1>;

// What commands have in common.  A command names its groups in its row, an option the groups that take it; a command
// may be in several.
enum class CommandGroup : std::uint8_t {
    launching,           // start a program in an image
    starting,            // of these: leave an instance behind
    inspecting,          // show what an image holds
    caching,             // work on swrun's own cache directory
    configuring,         // show what site files and variables set for a launch
    managing_instances,  // work on instances that run
};
constexpr std::size_t kCommandGroupCount = static_cast<std::size_t>(CommandGroup::managing_instances) + 1;
using GroupSet = EnumSet<CommandGroup, kCommandGroupCount>;

// Where the help lists a command, in the order in which it does.
enum class CommandSection : std::uint8_t {
    launch,
    look,
    manage,
    about,  // prints a text that the tables hold, and that is all
    elsewhere,
};

struct CommandSpec {
    Command id = Command::elsewhere;
    std::string_view parent{};  // the command that it is a part of: `sif list` is "list" of "sif"
    std::string_view name;
    CommandSection section = CommandSection::elsewhere;
    GroupSet groups{};
    std::string_view summary;    // one line, no period; for `elsewhere` what it would do
    std::string_view usage{};    // after the command's name on a usage line
    int min_words = 0;           // operands: IMAGE, COMMAND, ...
    int max_words = -1;          // -1: any number, the rest belongs to the program
    bool own = false;            // only under swrun's own name
    bool options_after = false;  // options are also read behind the first operand
    std::string_view instead{};  // for `elsewhere`
};

[[nodiscard]] std::span<const CommandSpec> commands();
[[nodiscard]] const CommandSpec* find_command(std::string_view name, bool own_name, std::string_view parent = {});
[[nodiscard]] const CommandSpec& spec_of(Command command);  // not for Command::elsewhere and Command::before

[[nodiscard]] const CommandSet& commands_in(CommandGroup group);
[[nodiscard]] bool is_in(Command command, CommandGroup group);

// A word that means nothing without a second one: sif, cache, ...
[[nodiscard]] bool has_parts(const CommandSpec& command);

// "exec", "sif list"
[[nodiscard]] std::string full_name(const CommandSpec& command);

[[nodiscard]] std::string_view title_of(CommandSection section);

}  // namespace swrun
