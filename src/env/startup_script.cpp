#include "env/startup_script.h"

#include <set>

#include "env/env_names.h"
#include "env/startup_steps.h"
#include "shell/shell_lite.h"
#include "support/text.h"

namespace swrun {

namespace {

// Rules that the text follows, because the image's files may have changed how the shell works (set -e,
// set -u, IFS, functions called export or printf): `command` before builtins, no unquoted expansion,
// no name without __swrun_, failures only where -e ignores them, no unset variable.  `command .` and `command eval` also
// keep dash and ash alive when a file does not parse (POSIX XCU 2.14).
// What ends a shell at an unset variable (set -u) is 127 of a bash that got its script by -c, and 2 of the others:
// the field's interpreter says 1.  dash and ash go on behind a `command` that fails so, hence __swrun_unset.
constexpr std::string_view kHead = R"(unset OLDPWD SHLVL PATH TERM SHELL PS1 MAIL MAILCHECK MAILPATH 2>/dev/null
__swrun_at=0
__swrun_hidden() {
    for __swrun_n in "$@"; do
        if command eval "[ -n \"\${$__swrun_n+x}\" ]"; then command printf ' %s' "$__swrun_n"; fi
    done
    command printf '\n'
}
__swrun_complete_path() {
    for __swrun_n in /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin; do
        case ":${PATH-}:" in
            *:"$__swrun_n":*) ;;
            *) PATH="${PATH:+$PATH:}$__swrun_n" ;;
        esac
    done
    command export PATH
}
__swrun_check() {
    (
        if [ -n "${BASH_VERSION-}" ]; then shopt -s extglob; fi
        command eval "__swrun_text() {
$1
:
}"
    ) 2>/dev/null
}
__swrun_arguments() {
    __swrun_i=0
    for __swrun_v in "$@"; do
        __swrun_i=$((__swrun_i + 1))
        command eval "command export __swrun_arg_$__swrun_i=\"\$__swrun_v\""
    done
}
__swrun_unset() {
    case "${BASH_VERSION:+bash}-$-$1" in
        -*u*2) exit 1 ;;
    esac
}
__swrun_report() {
    trap - EXIT
    set +aefux
    __swrun_s=$1
    __swrun_o=$2
    shift 2
    case "$__swrun_o-$__swrun_s-${BASH_VERSION:+bash}" in
        *u*-127-bash | *u*-2-) __swrun_s=1 ;;
    esac
    command export __swrun_options="$__swrun_o" __swrun_shell="${SINGULARITY_SHELL:-${APPTAINER_SHELL-}}"
    __swrun_arguments "$@"
    if [ -n "${PATH+x}" ]; then command export PATH; fi
    {
        command printf 'swrun-state 1\nswrun-end %s %s\nswrun-umask ' "$__swrun_at" "$__swrun_s"
        command umask
        command printf 'swrun-hidden'
        __swrun_names
        command export -p
        command printf 'swrun-eof\n'
    } >&9
}
trap '__swrun_report "$?" "$-" "$@"' EXIT
)";

void add_assignment(std::string& text, const std::string& name, const std::string& value) {
    text += "command export " + name + "=" + shell_quote(value) + "\n";
}

// bash refuses to set these; finish_startup puts the caller's back.
bool is_read_only(std::string_view name) { return name == "UID" || name == "EUID" || name == "GID"; }

void add_first_state(std::string& text, const StartupPlan& plan, const ScriptRun& run) {
    if (run.state) {
        for (const auto& [name, variable] : run.state->exported) {
            if (!is_shell_owned(name) && !name.starts_with("__swrun_")) add_assignment(text, name, variable.value);
        }
        // Their values are lost with the first shell, but not that the image set them.
        for (const std::string& name : run.state->hidden) text += name + "=\n";
        if (!run.state->shell.empty() && !run.state->exported.contains("SINGULARITY_SHELL")) {
            text += "SINGULARITY_SHELL=" + shell_quote(run.state->shell) + "\n";
        }
        if (run.state->umask) {
            std::string octal;
            for (mode_t mask = *run.state->umask, i = 0; i < 4; ++i, mask >>= 3U) {
                octal.insert(octal.begin(), static_cast<char>('0' + (mask & 7U)));
            }
            text += "umask " + octal + "\n";
        }
    } else {
        for (const Variable& variable : plan.forwarded) {
            if (is_visible_to_image(variable.name) && !is_read_only(variable.name)) {
                add_assignment(text, variable.name, variable.value);
            }
        }
    }
    add_assignment(text, "PWD", run.working_directory);
    text += "set --";
    for (const std::string& argument : run.state ? run.state->positional : plan.positional)
        text += " " + shell_quote(argument);
    text += "\n";
}

// Forwarded names whose state the report must tell: those that no shell sets on its own.
void add_names(std::string& text, const StartupPlan& plan) {
    text += "__swrun_names() {\n    __swrun_hidden";
    for (const Variable& variable : plan.forwarded) {
        if (is_identifier(variable.name) && !is_shell_owned(variable.name)) text += " " + variable.name;
    }
    text += "\n}\n";
}

// What a shell has to be given for this file to be read in it.  By its own name, as long as it holds what is to be
// read: then messages name it, and so does BASH_SOURCE.
std::string reading(const StartupPlan& plan, std::size_t index, const ScriptRun& run) {
    const EnvFile& file = plan.files[index];
    if (file.as_stored) return "command . " + shell_quote(run.root_prefix + file.path);
    const auto copy = run.copies.find(index);
    if (copy != run.copies.end()) return "command . " + shell_quote(copy->second);
    return "command eval " + shell_quote(file.text);
}

// The shell's own words about a broken file, with its name and line, where it can be asked.
std::string complaint(const StartupPlan& plan, std::size_t index, const ScriptRun& run) {
    if (run.check.empty()) return "";
    const EnvFile& file = plan.files[index];
    const auto copy = run.copies.find(index);
    if (!file.as_stored && copy == run.copies.end()) return "";
    std::string text;
    for (const std::string& word : run.check) text += shell_quote(word) + " ";
    return text + shell_quote(file.as_stored ? run.root_prefix + file.path : copy->second) + " || : ; ";
}

void add_source(std::string& text, const StartupPlan& plan, std::size_t index, const ScriptRun& run) {
    const EnvFile& file = plan.files[index];
    // Checked as a whole first, because a shell runs a broken file up to its first error; in a subshell,
    // because bash reads its own script wrongly after some errors in eval.  The file is not read inside
    // the if: that would switch off its set -e.
    text += "if __swrun_check " + shell_quote(file.text) + "; then __swrun_s=0; else __swrun_s=1; fi\n";
    text += "case $__swrun_s in\n0) " + reading(plan, index, run) + "; __swrun_unset $? ;;\n*) " +
            complaint(plan, index, run) + "command printf '%s\\n' ";
    text += shell_quote("swrun: warning: " + file.path + " of the image has a syntax error: skipped") +
            " >&2 ;;\nesac\n";
}

void add_libraries(std::string& text, const StartupPlan& plan, const ScriptRun& run) {
    if (run.library_directories.empty()) return;
    const std::string libs(kLibraryDirectory);
    text += "if [ \"${LD_LIBRARY_PATH-}\" = " + libs + " ]";
    if (!plan.libs_present) text += " && [ -n \"${PREPEND_LD_LIBRARY_PATH-}${APPEND_LD_LIBRARY_PATH-}\" ]";
    text += "; then command export LD_LIBRARY_PATH=" + shell_quote(join(run.library_directories, ":") + ":" + libs) +
            "; fi\n";
}

void add_step(std::string& text, const StartupStep& step, const StartupPlan& plan, const ScriptRun& run) {
    const std::string default_path = "if [ -z \"${PATH+x}\" ]; then command export PATH=" + std::string(kDefaultPath) +
                                     "; fi\n";
    switch (step.kind) {
        case StartupStep::Kind::default_path: text += default_path; break;
        case StartupStep::Kind::source: add_source(text, plan, step.file, run); break;
        case StartupStep::Kind::complete_path: text += "__swrun_complete_path\n"; break;
        case StartupStep::Kind::overrides:
            text += default_path;
            for (const EnvOverride& each : plan.overrides) {
                text += "if command eval " + shell_quote(override_text(each, plan.no_eval)) +
                        "; then :; else __swrun_unset $?; fi\n";
            }
            break;
        case StartupStep::Kind::libraries: add_libraries(text, plan, run); break;
    }
}

}  // namespace

std::string startup_script(const StartupPlan& plan, const ScriptRun& run) {
    std::string text(kHead);
    add_names(text, plan);
    add_first_state(text, plan, run);
    if (run.state && !run.state->options.empty()) text += "set -" + run.state->options + "\n";
    text += "{\n";  // one command, read as a whole: what an eval of the image breaks in the parser cannot reach it
    const std::vector<StartupStep> steps = startup_steps(plan);
    for (std::size_t i = run.first_step; i < steps.size(); ++i) {
        text += "__swrun_at=" + std::to_string(i) + "\n";
        if (steps[i].kind == StartupStep::Kind::source) text += "trap '__swrun_report \"$?\" \"$-\" \"$@\"' EXIT\n";
        add_step(text, steps[i], plan, run);
    }
    text += "__swrun_at=-\n__swrun_report 0 \"$-\" \"$@\"\nexit 0\n}\n";
    return text;
}

std::string step_file(const StartupPlan& plan, std::size_t step) {
    const std::vector<StartupStep> steps = startup_steps(plan);
    if (step >= steps.size() || steps[step].kind != StartupStep::Kind::source) return "";
    return plan.files[steps[step].file].path;
}

}  // namespace swrun
