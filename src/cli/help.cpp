#include "cli/help.h"

#include <algorithm>

#include "cli/dropin_help.h"
#include "cli/name_list.h"
#include "cli/option_table.h"
#include "cli/usage.h"
#include "cli/values.h"
#include "support/text.h"

namespace swrun {
namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kColumn = 30;  // where the explanation of an option starts

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

// A command and what it does, for the lists of commands.
std::string command_entry(const CommandSpec& command) {
    constexpr std::size_t kSummary = 14;
    std::string line = "  " + std::string(command.name);
    line.append(std::max(kSummary, line.size() + 1) - line.size(), ' ');
    return line.append(fill(command.summary, kSummary, kWidth)).append("\n");
}

// "--a, --b" of all options of one kind of support, for the short lists at the end.  Those that Apptainer hides, too: who
// finds one in a script wants to know what becomes of it.
std::string name_list(const CommandSet& commands, Support support) {
    std::string names;
    for (const OptionSpec& spec : options_of(commands)) {
        if (spec.support != support || canonical(spec.id) != spec.id) continue;
        append_name(names, ", ", "--" + std::string(spec.name));
    }
    return names;
}

void append_list(std::string& text, std::string_view title, const std::string& names) {
    if (names.empty()) return;
    text.append(text.empty() ? "" : "\n").append(title).append("\n  ").append(fill(names, 2, kWidth)).append("\n");
}

// What others do: the commands of that name, or the parts of one that has some.
std::string elsewhere_list(std::string_view parent) {
    std::string names;
    for (const CommandSpec& spec : commands()) {
        if (spec.id == Command::elsewhere && spec.parent == parent) append_name(names, ", ", spec.name);
    }
    if (names.empty()) return "";
    std::string text = "\n" + std::string(title_of(CommandSection::elsewhere)) + ":\n  ";
    return text.append(fill(names, 2, kWidth)).append("\n");
}

std::string synopsis(const CommandSpec& command, CalledAs called) { return "Usage:\n" + usage_line(command, called); }

void append_without_effect(std::string& text, const CommandSet& commands) {
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

std::string option_lists(const CommandSet& commands) {
    std::string text;
    for (std::size_t i = 0; i < kOptionSectionCount; ++i) {
        const auto section = static_cast<OptionSection>(i);
        std::string entries;
        for (const OptionSpec& spec : options_of(commands)) {
            const bool shown = spec.support == Support::yes && !spec.hidden;
            if (shown && spec.section == section) entries.append(option_entry(spec));
        }
        if (entries.empty()) continue;
        // --help belongs to every command and stands in the global section only for want of a better one.
        const bool only_help = section == OptionSection::global && !commands.has(Command::before);
        append_name(text, "\n", only_help ? "Help" : title_of(section));
        text.append(":\n").append(entries);
    }
    append_without_effect(text, commands);
    return text;
}

std::string command_lists(CalledAs called) {
    std::string text = "Usage:\n  " + std::string(shown_name(called)) + " [global options...] <command>\n";
    const bool own = called == CalledAs::own;
    if (!own) text.append("\nAvailable Commands:\n");
    for (std::size_t i = 0; i < static_cast<std::size_t>(CommandSection::elsewhere); ++i) {
        const auto section = static_cast<CommandSection>(i);
        if (own) text.append("\n").append(title_of(section)).append(":\n");
        for (const CommandSpec& spec : commands()) {
            if (spec.section == section && spec.parent.empty() && (own || !spec.own)) text.append(command_entry(spec));
        }
    }
    return text.append(elsewhere_list(""));
}

std::string part_list(const CommandSpec& command, CalledAs called) {
    if (!has_parts(command)) return "";
    std::string text = "Available Commands:\n";
    for (const CommandSpec& spec : commands()) {
        if (spec.parent != command.name || spec.id == Command::elsewhere) continue;
        if (called == CalledAs::own || !spec.own) text.append(command_entry(spec));
    }
    return text.append(elsewhere_list(command.name)).append("\n");
}

std::string top_help(CalledAs called, const std::string& home) {
    const bool own = called == CalledAs::own;
    std::string text = own ? "swrun runs programs inside Singularity images, as you, without a daemon or setuid.\n\n"
                           : "Linux container runtime: swrun in place of Apptainer and Singularity.\n\n";
    text.append(command_lists(called)).append("\n");
    if (own) {
        text.append(option_lists(Command::before));
        text.append(
            "\nExamples:\n  swrun exec image.sif python3 script.py\n  swrun exec -B /scratch --nv image.sif ./train\n"
            "  swrun exec --dry-run image.sif true\n");
    } else {
        text.append("Options:\n").append(dropin_option_table(Command::before, shown_name(called), home));
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
    if (called == CalledAs::own) return text.append(option_lists(command.id));
    text.append("Options:\n").append(dropin_option_table(command.id, command.name, home));
    append_without_effect(text, command.id);
    return text.append("\n").append(usage_hint(called));
}

}  // namespace swrun
