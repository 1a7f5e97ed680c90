#include "cli/completion.h"

#include <vector>

#include "cli/option_table.h"
#include "support/text.h"

namespace swrun {
namespace {

// Refused options are left out of what is offered; everything else that can be typed is in.
bool is_offered(const OptionSpec& spec, CommandMask commands) {
    return (spec.commands & commands) != 0 && spec.support != Support::refused;
}

std::vector<const CommandSpec*> offered_commands(CalledAs called) {
    std::vector<const CommandSpec*> result;
    for (const CommandSpec& spec : commands()) {
        if (spec.id != Command::elsewhere && (called == CalledAs::own || !spec.own)) result.push_back(&spec);
    }
    return result;
}

std::string_view program_names(CalledAs called) {
    return called == CalledAs::own ? std::string_view("swrun") : std::string_view("apptainer singularity");
}

std::string words_of(CommandMask commands, bool with_values_only) {
    std::string words;
    for (const OptionSpec& spec : options()) {
        if (!is_offered(spec, commands) || (with_values_only && spec.kind == ValueKind::boolean)) continue;
        words.append(words.empty() ? "" : " ").append("--").append(spec.name);
        if (spec.letter != 0) words.append(" -").append(1, spec.letter);
    }
    return words;
}

std::string bash_script(CalledAs called) {
    std::string commands_text;
    std::string cases;
    for (const CommandSpec* spec : offered_commands(called)) {
        commands_text.append(commands_text.empty() ? "" : " ").append(spec->name);
        const CommandMask mask = mask_of(spec->id);
        std::string words = words_of(mask, false);
        if (spec->id == Command::completion) words.append(" bash zsh fish");
        cases.append("        ").append(spec->name).append(") words=\"").append(words).append("\" ;;\n");
    }
    std::string text =
        "# bash completion; source it, or put it into /usr/share/bash-completion/completions\n_swrun() {\n";
    text.append("    local cur=${COMP_WORDS[COMP_CWORD]} command=\"\" word words i\n")
        .append("    for ((i = 1; i < COMP_CWORD; i++)); do\n        word=${COMP_WORDS[i]}\n")
        .append("        case $word in\n            -c|--config) [ -n \"$command\" ] || i=$((i + 1)) ;;\n")
        .append("            -*) ;;\n            *) command=$word; break ;;\n        esac\n    done\n")
        .append("    case $command in\n        \"\") words=\"")
        .append(commands_text)
        .append(" ")
        .append(words_of(kGlobalMask, false))
        .append("\" ;;\n")
        .append(cases)
        .append("    esac\n")
        .append("    if [[ -z $command || $cur == -* || $command == completion ]]; then\n")
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

std::string zsh_options(CommandMask commands) {
    std::string text;
    for (const OptionSpec& spec : options()) {
        if (!is_offered(spec, commands)) continue;
        const std::string action = spec.kind == ValueKind::boolean ? "" : ":value:_files";
        const std::string tail = "[" + zsh_text(spec.help) + "]" + action + "'";
        text.append(" \\\n            '*--").append(spec.name).append(tail);
        if (spec.letter != 0) text.append(" \\\n            '*-").append(1, spec.letter).append(tail);
    }
    return text;
}

std::string zsh_script(CalledAs called) {
    std::string text = "#compdef " + std::string(program_names(called)) +
                       "\n_swrun() {\n    local -a commands\n    commands=(\n";
    std::string cases;
    for (const CommandSpec* spec : offered_commands(called)) {
        text.append("        '").append(spec->name).append(":").append(zsh_text(spec->summary)).append("'\n");
        const std::string operands = spec->id == Command::completion ? "'1:shell:(bash zsh fish)'" : "'*:file:_files'";
        cases.append("        ")
            .append(spec->name)
            .append(") _arguments -s -S")
            .append(zsh_options(mask_of(spec->id)))
            .append(" \\\n            ")
            .append(operands)
            .append(" ;;\n");
    }
    text.append("    )\n    local curcontext=$curcontext state line\n    _arguments -C -S")
        .append(zsh_options(kGlobalMask))
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

std::string fish_options(std::string_view program, std::string_view condition, CommandMask commands) {
    std::string text;
    for (const OptionSpec& spec : options()) {
        if (!is_offered(spec, commands)) continue;
        text.append("complete -c ").append(program).append(" -n '").append(condition).append("' -l ").append(spec.name);
        if (spec.letter != 0) text.append(" -s ").append(1, spec.letter);
        if (spec.kind != ValueKind::boolean) text.append(" -r");
        std::string help = shell_quote(spec.help);
        text.append(" -d ").append(help).append("\n");
    }
    return text;
}

std::string fish_script(CalledAs called) {
    std::string text = "# fish completion; put it into ~/.config/fish/completions\n";
    for (const std::string_view program : split(program_names(called), ' ')) {
        text.append(fish_options(program, "__fish_use_subcommand", kGlobalMask));
        for (const CommandSpec* spec : offered_commands(called)) {
            text.append("complete -c ").append(program).append(" -n __fish_use_subcommand -a ").append(spec->name);
            text.append(" -d ").append(shell_quote(spec->summary)).append("\n");
            const std::string inside = "__fish_seen_subcommand_from " + std::string(spec->name);
            text.append(fish_options(program, inside, mask_of(spec->id)));
            if (spec->id == Command::completion) {
                text.append("complete -c ")
                    .append(program)
                    .append(" -n '")
                    .append(inside)
                    .append("' -f -a 'bash zsh fish'\n");
            }
        }
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
