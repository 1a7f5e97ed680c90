#include "cli/command_table.h"

#include <algorithm>

#include "cli/command_rows.h"

namespace swrun {
namespace {

using rows::kCommands;

constexpr std::array<CommandSet, kCommandGroupCount> members_of_groups() {
    std::array<CommandSet, kCommandGroupCount> sets{};
    for (std::size_t i = 0; i < sets.size(); ++i) sets[i] = rows::members(kCommands, static_cast<CommandGroup>(i));
    return sets;
}
constexpr auto kGroups = members_of_groups();

constexpr bool in_order() {
    constexpr auto kElsewhere = static_cast<std::size_t>(Command::elsewhere);
    for (std::size_t i = 0; i < kCommands.size(); ++i) {
        if (static_cast<std::size_t>(kCommands[i].id) != std::min(i, kElsewhere)) return false;
    }
    return kCommands.size() >= kElsewhere;
}
static_assert(in_order(), "spec_of() takes the enumerator as the index");
static_assert(std::none_of(kGroups.begin(), kGroups.end(), [](const CommandSet& set) { return set.empty(); }),
              "a command group without commands");

}  // namespace

std::span<const CommandSpec> commands() { return kCommands; }

const CommandSpec* find_command(std::string_view name, bool own_name, std::string_view parent) {
    for (const CommandSpec& spec : kCommands) {
        if (spec.name == name && spec.parent == parent && (own_name || !spec.own)) return &spec;
    }
    return nullptr;
}

const CommandSpec& spec_of(Command command) { return kCommands[static_cast<std::size_t>(command)]; }

const CommandSet& commands_in(CommandGroup group) { return kGroups[static_cast<std::size_t>(group)]; }

bool is_in(Command command, CommandGroup group) { return commands_in(group).has(command); }

bool has_parts(const CommandSpec& command) {
    if (!command.parent.empty()) return false;
    return std::any_of(kCommands.begin(), kCommands.end(),
                       [&](const CommandSpec& spec) { return spec.parent == command.name; });
}

std::string full_name(const CommandSpec& command) {
    std::string name(command.parent);
    if (!name.empty()) name.append(" ");
    return name.append(command.name);
}

std::string_view title_of(CommandSection section) {
    switch (section) {
        case CommandSection::launch: return "Run programs in an image";
        case CommandSection::look: return "Look before running";
        case CommandSection::manage: return "Caches, settings and overlays";
        case CommandSection::about: return "About this program";
        case CommandSection::elsewhere: return "Known, but done elsewhere (each says what to use instead)";
    }
    return "";
}

}  // namespace swrun
