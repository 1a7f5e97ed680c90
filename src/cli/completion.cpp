#include "cli/completion.h"

#include <vector>

#include "cli/name_list.h"
#include "cli/option_table.h"
#include "support/text.h"

namespace swrun {
namespace {

// Refused options are left out of what is offered; everything else that can be typed is in.
std::vector<OptionSpec> offered_options(Command command) {
    std::vector<OptionSpec> offered;
    for (const OptionSpec& spec : options_of(command)) {
        if (spec.support != Support::refused) offered.push_back(spec);
    }
    return offered;
}

std::vector<const CommandSpec*> offered_commands(CalledAs called) {
    std::vector<const CommandSpec*> result;
    for (const CommandSpec& spec : commands()) {
        if (spec.id != Command::elsewhere && (called == CalledAs::own || !spec.own)) result.push_back(&spec);
    }
    return result;
}

// The second words of `sif` and its like, or the operands that one command is known to take; empty for others.
std::string words_after(const CommandSpec& command, CalledAs called) {
    if (command.id == Command::completion) return "bash zsh fish";
    std::string words;
    for (const CommandSpec* part : offered_commands(called)) {
        if (part->parent == command.name) append_name(words, " ", part->name);
    }
    return words;
}

std::string names_with_parts() {
    std::string names;
    for (const CommandSpec& spec : commands()) {
        if (has_parts(spec)) append_name(names, "|", spec.name);
    }
    return names;
}

std::string_view program_names(CalledAs called) {
    return called == CalledAs::own ? std::string_view("swrun") : std::string_view("apptainer singularity");
}

std::string option_words(Command command) {
    std::string words;
    for (const OptionSpec& spec : offered_options(command)) {
        append_name(words, " ", "--" + std::string(spec.name));
        if (spec.letter != 0) words.append(" -").append(1, spec.letter);
    }
    return words;
}

std::string bash_script(CalledAs called) {
    std::string commands_text;
    std::string cases;
    for (const CommandSpec* spec : offered_commands(called)) {
        if (spec->parent.empty()) append_name(commands_text, " ", spec->name);
        std::string words = words_after(*spec, called);
        const std::string plain = words.empty() ? "" : " plain=1";
        append_name(words, " ", option_words(spec->id));
        cases.append("        \"").append(full_name(*spec)).append("\") words=\"");
        cases.append(words).append("\"").append(plain).append(" ;;\n");
    }
    std::string text =
        "# bash completion; source it, or put it into /usr/share/bash-completion/completions\n_swrun() {\n";
    text.append("    local cur=${COMP_WORDS[COMP_CWORD]} command=\"\" plain=\"\" word words i\n")
        .append("    for ((i = 1; i < COMP_CWORD; i++)); do\n        word=${COMP_WORDS[i]}\n")
        .append("        case $word in\n            -c|--config) [ -n \"$command\" ] || i=$((i + 1)) ;;\n")
        .append("            -*) ;;\n            *)\n                command=\"${command:+$command }$word\"\n")
        .append("                case $command in ")
        .append(names_with_parts())
        .append(") ;; *) break ;; esac ;;\n        esac\n    done\n")
        .append("    case $command in\n        \"\") plain=1 words=\"")
        .append(commands_text)
        .append(" ")
        .append(option_words(Command::before))
        .append("\" ;;\n")
        .append(cases)
        .append("    esac\n")
        .append("    if [[ -n $plain || $cur == -* ]]; then\n")
        .append("        COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n    fi\n}\n")
        .append("complete -o default -o bashdefault -F _swrun ")
        .append(program_names(called))
        .append("\n");
    return text;
}

// A description inside '...[...]' of _arguments: quotes, brackets and colons mean something there.
std::string zsh_text(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '[' || c == ']' || c == ':' || c == '\\') out.push_back('\\');
        if (c == '\'') {
            out.append("'\\''");
        } else {
            out.push_back(c);
        }
    }
    return out;
}

std::string zsh_options(Command command) {
    std::string text;
    for (const OptionSpec& spec : offered_options(command)) {
        const std::string action = spec.kind == ValueKind::boolean ? "" : ":value:_files";
        const std::string tail = "[" + zsh_text(spec.help) + "]" + action + "'";
        text.append(" \\\n            '*--").append(spec.name).append(tail);
        if (spec.letter != 0) text.append(" \\\n            '*-").append(1, spec.letter).append(tail);
    }
    return text;
}

// "NAME) _arguments ... ;;" for one command; one with parts goes on with these.
std::string zsh_case(const CommandSpec& command, CalledAs called, const std::string& indent) {
    const std::string after = words_after(command, called);
    std::string text = indent + std::string(command.name) + ") _arguments";
    if (!has_parts(command)) {
        text.append(" -s -S").append(zsh_options(command.id)).append(" \\\n            ");
        return text.append(after.empty() ? "'*:file:_files'" : "'1:word:(" + after + ")'").append(" ;;\n");
    }
    text.append(" -C -S '1:command:(").append(after).append(")' '*::argument:->part'\n");
    text.append(indent).append("    [[ $state == part ]] && case $line[1] in\n");
    for (const CommandSpec* part : offered_commands(called)) {
        if (part->parent == command.name) text.append(zsh_case(*part, called, indent + "    "));
    }
    return text.append(indent).append("    esac ;;\n");
}

std::string zsh_script(CalledAs called) {
    std::string text = "#compdef " + std::string(program_names(called)) +
                       "\n_swrun() {\n    local -a commands\n    commands=(\n";
    std::string cases;
    for (const CommandSpec* spec : offered_commands(called)) {
        if (!spec->parent.empty()) continue;
        text.append("        '").append(spec->name).append(":").append(zsh_text(spec->summary)).append("'\n");
        cases.append(zsh_case(*spec, called, "        "));
    }
    text.append("    )\n    local curcontext=$curcontext state line\n    _arguments -C -S")
        .append(zsh_options(Command::before))
        .append(" \\\n            '1:command:->command' '*::argument:->argument'\n")
        .append(
            "    case $state in\n    command) _describe command commands ;;\n    argument)\n        case $line[1] in\n")
        .append(cases)
        .append("        esac ;;\n    esac\n}\n")
        .append("if [ \"$funcstack[1]\" = _swrun ]; then _swrun \"$@\"; else compdef _swrun ")
        .append(program_names(called))
        .append("; fi\n");
    return text;
}

std::string fish_options(std::string_view program, std::string_view condition, Command command) {
    std::string text;
    for (const OptionSpec& spec : offered_options(command)) {
        text.append("complete -c ").append(program).append(" -n '").append(condition).append("' -l ").append(spec.name);
        if (spec.letter != 0) text.append(" -s ").append(1, spec.letter);
        if (spec.kind != ValueKind::boolean) text.append(" -r");
        std::string help = shell_quote(spec.help);
        text.append(" -d ").append(help).append("\n");
    }
    return text;
}

// One command: its name where it may stand, its options and words behind it.
std::string fish_command(std::string_view program, const CommandSpec& spec, CalledAs called) {
    constexpr std::string_view kSeen = "__fish_seen_subcommand_from ";
    std::string where = "__fish_use_subcommand";
    std::string inside = std::string(kSeen).append(spec.name);
    if (!spec.parent.empty()) {
        const std::string parent = std::string(kSeen).append(spec.parent);
        where = parent + "; and not " + std::string(kSeen) + words_after(*find_command(spec.parent, true), called);
        inside = parent + "; and " + inside;
    }
    std::string text = "complete -c " + std::string(program) + " -n '" + where + "'";
    text.append(spec.parent.empty() ? " -a " : " -f -a ").append(spec.name);
    text.append(" -d ").append(shell_quote(spec.summary)).append("\n");
    text.append(fish_options(program, inside, spec.id));
    if (spec.id == Command::completion) {
        text.append("complete -c ").append(program).append(" -n '").append(inside);
        text.append("' -f -a '").append(words_after(spec, called)).append("'\n");
    }
    return text;
}

std::string fish_script(CalledAs called) {
    std::string text = "# fish completion; put it into ~/.config/fish/completions\n";
    for (const std::string_view program : split(program_names(called), ' ')) {
        text.append(fish_options(program, "__fish_use_subcommand", Command::before));
        for (const CommandSpec* spec : offered_commands(called)) text.append(fish_command(program, *spec, called));
    }
    return text;
}

}  // namespace

std::optional<std::string> completion_script(std::string_view shell, CalledAs called) {
    if (shell == "bash") return bash_script(called);
    if (shell == "zsh") return zsh_script(called);
    if (shell == "fish") return fish_script(called);
    return std::nullopt;
}

}  // namespace swrun
