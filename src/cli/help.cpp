#include "cli/help.h"

#include <algorithm>
#include <vector>

#include "cli/dropin_help.h"
#include "cli/option_table.h"
#include "cli/usage.h"
#include "cli/values.h"
#include "support/text.h"

namespace swrun {
namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kColumn = 30;  // where the explanation of an option starts

constexpr OptionGroup kGroups[] = {
    OptionGroup::binds,         OptionGroup::environment, OptionGroup::program,  OptionGroup::namespaces,
    OptionGroup::limits,        OptionGroup::layers,      OptionGroup::gpu,      OptionGroup::image,
    OptionGroup::seeing,        OptionGroup::inspecting,  OptionGroup::managing, OptionGroup::instances,
    OptionGroup::compatibility, OptionGroup::global,
};
constexpr CommandGroup kCommandGroups[] = {CommandGroup::launch, CommandGroup::look, CommandGroup::manage,
                                           CommandGroup::about, CommandGroup::elsewhere};

std::string option_entry(const OptionSpec& spec) {
    std::string left = spec.letter != 0 ? "  " : "      ";
    left.append(flag_name(spec));
    if (spec.kind != ValueKind::boolean) left.append(" ").append(spec.value);
    if (left.size() + 2 > kColumn) {
        left.append("\n").append(kColumn, ' ');
    } else {
        left.append(kColumn - left.size(), ' ');
    }
    return left.append(fill(spec.help, kColumn, kWidth)).append("\n");
}

// "--a, --b VALUE" of all visible options of one kind of support, for the short lists at the end.
// Those that Apptainer hides, too: who finds one in a script wants to know what becomes of it.
std::string name_list(CommandMask commands, Support support) {
    std::string names;
    for (const OptionSpec& spec : options()) {
        if ((spec.commands & commands) == 0 || spec.support != support || canonical(spec.id) != spec.id) continue;
        if (!names.empty()) names.append(", ");
        names.append("--").append(spec.name);
    }
    return names;
}

void append_list(std::string& text, std::string_view title, const std::string& names) {
    if (names.empty()) return;
    text.append(text.empty() ? "" : "\n").append(title).append("\n  ").append(fill(names, 2, kWidth)).append("\n");
}

std::string elsewhere_list() {
    std::string names;
    for (const CommandSpec& spec : commands()) {
        if (spec.group == CommandGroup::elsewhere && spec.parent.empty())
            names.append(names.empty() ? "" : ", ").append(spec.name);
    }
    return names;
}

std::string synopsis(const CommandSpec& command, CalledAs called) { return "Usage:\n" + usage_line(command, called); }

void append_without_effect(std::string& text, CommandMask commands) {
    append_list(text, "Accepted, changes nothing here:", name_list(commands, Support::ignored));
    append_list(text,
                "Known, not supported (the error says what to do instead):", name_list(commands, Support::refused));
}

}  // namespace

std::string fill(std::string_view text, std::size_t indent, std::size_t width) {
    std::string out;
    std::size_t column = indent;
    for (const std::string_view word : split(text, ' ')) {
        if (word.empty()) continue;
        if (column > indent && column + 1 + word.size() > width) {
            out.append("\n").append(indent, ' ');
            column = indent;
        } else if (column > indent) {
            out.push_back(' ');
            ++column;
        }
        out.append(word);
        column += word.size();
    }
    return out;
}

std::string option_lists(CommandMask commands) {
    std::string text;
    for (const OptionGroup group : kGroups) {
        std::string entries;
        for (const OptionSpec& spec : options()) {
            if (spec.group != group || (spec.commands & commands) == 0) continue;
            if (spec.support == Support::yes && !spec.hidden) entries.append(option_entry(spec));
        }
        if (entries.empty()) continue;
        // --help belongs to every command and stands in the global group only for want of a better one.
        const bool only_help = group == OptionGroup::global && (commands & kGlobalMask) == 0;
        text.append(text.empty() ? "" : "\n")
            .append(only_help ? "Help" : title_of(group))
            .append(":\n")
            .append(entries);
    }
    append_without_effect(text, commands);
    return text;
}

std::string command_lists(CalledAs called) {
    std::string text = "Usage:\n  " + std::string(shown_name(called)) + " [global options...] <command>\n";
    const bool own = called == CalledAs::own;
    if (!own) text.append("\nAvailable Commands:\n");
    for (const CommandGroup group : kCommandGroups) {
        if (group == CommandGroup::elsewhere) break;
        if (own) text.append("\n").append(title_of(group)).append(":\n");
        for (const CommandSpec& spec : commands()) {
            if (spec.group != group || !spec.parent.empty() || (spec.own && !own)) continue;
            std::string left = "  " + std::string(spec.name);
            left.append(std::max<std::size_t>(14, left.size() + 1) - left.size(), ' ');
            text.append(left).append(fill(spec.summary, 14, kWidth)).append("\n");
        }
    }
    text.append("\n").append(title_of(CommandGroup::elsewhere)).append(":\n  ");
    return text.append(fill(elsewhere_list(), 2, kWidth)).append("\n");
}

std::string part_list(const CommandSpec& group, CalledAs called) {
    if (!is_group(group.id)) return "";
    const bool own = called == CalledAs::own;
    std::string done;
    std::string elsewhere;
    for (const CommandSpec& spec : commands()) {
        if (spec.parent != group.name || (spec.own && !own)) continue;
        if (spec.id == Command::elsewhere) {
            elsewhere.append(elsewhere.empty() ? "" : ", ").append(spec.name);
            continue;
        }
        std::string left = "  " + std::string(spec.name);
        left.resize(std::max<std::size_t>(14, left.size() + 1), ' ');
        done.append(left).append(fill(spec.summary, 14, kWidth)).append("\n");
    }
    std::string text = "Available Commands:\n" + done;
    if (!elsewhere.empty()) {
        text.append("\n").append(title_of(CommandGroup::elsewhere)).append(":\n  ").append(elsewhere).append("\n");
    }
    return text.append("\n");
}

std::string top_help(CalledAs called, const std::string& home) {
    const bool own = called == CalledAs::own;
    std::string text = own ? "swrun runs programs inside Singularity images, as you, without a daemon or setuid.\n\n"
                           : "Linux container runtime: swrun in place of Apptainer and Singularity.\n\n";
    text.append(command_lists(called)).append("\n");
    if (own) {
        text.append(option_lists(kGlobalMask));
        text.append(
            "\nExamples:\n  swrun exec image.sif python3 script.py\n  swrun exec -B /scratch --nv image.sif ./train\n"
            "  swrun exec --dry-run image.sif true\n");
    } else {
        text.append("Options:\n").append(dropin_option_table(kGlobalMask, shown_name(called), home));
    }
    return text.append("\nRun '").append(shown_name(called)).append(" help <command>' for the options of a command.\n");
}

std::string command_help(const CommandSpec& command, CalledAs called, const std::string& home) {
    if (command.id == Command::elsewhere) {
        return full_name(command) + ": " + std::string(command.summary) +
               ". swrun does not do this: " + std::string(command.instead) + ".\n";
    }
    std::string text = std::string(command.summary) + "\n\n" + synopsis(command, called) + "\n";
    text.append(part_list(command, called));
    if (called == CalledAs::own) return text.append(option_lists(mask_of(command.id)));
    text.append("Options:\n").append(dropin_option_table(mask_of(command.id), command.name, home));
    append_without_effect(text, mask_of(command.id));
    return text.append("\n").append(usage_hint(called));
}

}  // namespace swrun
