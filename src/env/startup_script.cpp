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
// no name without __swrun_, failures only where -e ignores them.  `command .` and `command eval` also
// keep dash and ash alive when a file does not parse (POSIX XCU 2.14).
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
    )
}
__swrun_report() {
    trap - EXIT
    set +eux
    if [ -n "${PATH+x}" ]; then command export PATH; fi
    {
        command printf 'swrun-state 1\nswrun-end %s %s\nswrun-umask ' "$__swrun_at" "$1"
        command umask
        command printf 'swrun-hidden'
        __swrun_names
        command export -p
        command printf 'swrun-eof\n'
    } >&9
}
trap '__swrun_report $?' EXIT
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
    for (const std::string& argument : plan.positional) text += " " + shell_quote(argument);
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

void add_source(std::string& text, const EnvFile& file, const ScriptRun& run) {
    const std::string path = shell_quote(run.root_prefix + file.path);
    if (file.text.find('\0') != std::string::npos) {  // cannot be an argument
        text += "command . " + path + "\n";
        return;
    }
    // Checked as a whole first, because a shell runs a broken file up to its first error; in a subshell,
    // because bash reads its own script wrongly after some errors in eval.  The file is not read inside
    // the if: that would switch off its set -e.
    text += "if __swrun_check " + shell_quote(file.text) + "; then __swrun_s=0; else __swrun_s=1; fi\n";
    text += "case $__swrun_s in\n0) command . " + path + " ;;\n*) command printf '%s\\n' ";
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
        case StartupStep::Kind::source: add_source(text, plan.files[step.file], run); break;
        case StartupStep::Kind::complete_path: text += "__swrun_complete_path\n"; break;
        case StartupStep::Kind::overrides:
            text += default_path;
            for (const EnvOverride& each : plan.overrides) {
                text += "if command eval " + shell_quote(override_text(each, plan.no_eval)) + "; then :; fi\n";
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
    text += "{\n";  // one command, read as a whole: what an eval of the image breaks in the parser cannot reach it
    const std::vector<StartupStep> steps = startup_steps(plan);
    for (std::size_t i = run.first_step; i < steps.size(); ++i) {
        text += "__swrun_at=" + std::to_string(i) + "\n";
        if (steps[i].kind == StartupStep::Kind::source) text += "trap '__swrun_report $?' EXIT\n";
        add_step(text, steps[i], plan, run);
    }
    text += "__swrun_at=-\n__swrun_report 0\nexit 0\n}\n";
    return text;
}

std::string step_file(const StartupPlan& plan, std::size_t step) {
    const std::vector<StartupStep> steps = startup_steps(plan);
    if (step >= steps.size() || steps[step].kind != StartupStep::Kind::source) return "";
    return plan.files[steps[step].file].path;
}

}  // namespace swrun
