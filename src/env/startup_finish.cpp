// finish_startup: what happens to the environment after the image's last file, the same for both ways
// of running the files.
#include <algorithm>
#include <array>

#include "env/env_names.h"
#include "env/startup.h"
#include "shell/shell_lite.h"
#include "support/text.h"

namespace swrun {

namespace {

using Environment = std::map<std::string, Variable>;

// Kept by a shell for itself: what the image's shell made of them says nothing about the program.
constexpr std::array<std::string_view, 11> kOfTheShell = {"PWD", "OLDPWD", "SHLVL", "_",         "UID",     "EUID",
                                                          "GID", "PPID",   "IFS",   "SHELLOPTS", "BASHOPTS"};

std::string value_of(const Environment& env, const std::string& name) {
    const auto found = env.find(name);
    return found == env.end() ? "" : found->second.value;
}

const EnvOverride* find_override(const StartupPlan& plan, std::string_view name) {
    for (const EnvOverride& each : plan.overrides) {
        if (each.name == name) return &each;
    }
    return nullptr;
}

Environment image_environment(const StartupPlan& plan, const ShellState& state) {
    Environment env;
    for (const auto& [name, variable] : state.exported) {
        const EnvOverride* forced = find_override(plan, name);
        if (forced == nullptr && (is_listed(name, kOfTheShell) || is_listed(name, kProtectedNames))) continue;
        if (name.starts_with("__swrun_")) continue;
        Variable kept = variable;
        if (kept.origin.empty()) kept.origin = forced != nullptr ? to_text(forced->origin) : "image environment files";
        env[name] = std::move(kept);
    }
    return env;
}

// The user's wishes about PATH, for images whose own files did not already carry them out.
void apply_path_wishes(const StartupPlan& plan, Environment& env) {
    const auto take = [&](const char* suffix) {
        const std::string name = std::string(kUserPathPrefix) + suffix;
        std::string value = value_of(env, name);
        env.erase(name);
        return value;
    };
    const std::string before = take("PREPEND_PATH");
    const std::string after = take("APPEND_PATH");
    const std::string instead = take("PATH");
    Variable& path = env["PATH"];
    path.name = "PATH";
    if (!before.empty()) path.value = before + ":" + path.value;
    if (!after.empty()) path.value += ":" + after;
    if (!instead.empty()) path.value = instead;
    for (const char* wish : {"PREPEND_PATH", "APPEND_PATH", "PATH"}) {
        const EnvOverride* forced = find_override(plan, wish);
        if (forced != nullptr && !forced->value.empty()) path.origin = to_text(forced->origin);
    }
}

void apply_library_wishes(Environment& env) {
    const std::string name = "LD_LIBRARY_PATH";
    const auto libraries = env.find(name);
    if (libraries == env.end() || libraries->second.value.empty()) return;
    const std::string before = value_of(env, "PREPEND_" + name);
    const std::string after = value_of(env, "APPEND_" + name);
    std::string& value = libraries->second.value;
    if (!before.empty()) value = before + ":" + value;
    if (!after.empty()) value += ":" + after;
}

// What the image did not set comes from the caller; what it set, even to nothing, stays.  Strictly as in Apptainer
// nothing of the caller and nothing of the image make no variable at all.
void restore_forwarded(const StartupPlan& plan, const ShellState& state, Environment& env) {
    for (const Variable& variable : plan.forwarded) {
        const bool ours = is_listed(variable.name, kOfTheShell) || is_listed(variable.name, kProtectedNames);
        const bool hidden = state.hidden.contains(variable.name) && !ours;
        if (hidden) continue;
        const auto [at, added] = env.try_emplace(variable.name, variable);
        if (!added && plan.strict && !ours && at->second.value.empty()) env.erase(at);
    }
}

// The prompt of an interactive shell in the container.  The assignment repeats itself through
// PROMPT_COMMAND, because the caller's ~/.bashrc is read later and would replace PS1.
void set_prompt(Environment& env) {
    if (value_of(env, "PS1").empty()) env["PS1"] = {"PS1", std::string(kDefaultPrompt), "default"};
    const std::string prompt = "PS1=\"" + value_of(env, "PS1") + "\"";
    std::string command = value_of(env, "PROMPT_COMMAND");
    if (command.empty()) {
        command = prompt + "; unset PROMPT_COMMAND";
    } else {
        command += "; PROMPT_COMMAND=\"${PROMPT_COMMAND%%; PROMPT_COMMAND=*}\"; " + prompt;
    }
    env["PROMPT_COMMAND"] = {"PROMPT_COMMAND", command, "swrun"};
}

// Who is taken instead says so.
void say_it_is_missing(const std::string& shell, ProgramPlan& program) {
    for (Candidate& candidate : program.candidates) {
        if (candidate.image_shell || !candidate.note.empty()) continue;
        candidate.note = "shell " + printable(shell) +
                         ", which the image's environment names, is not in the container: using " + candidate.path;
        candidate.note_level = Level::warning;
    }
}

}  // namespace

void complete_program(const StartupPlan& plan, const StartupResult& startup, ProgramPlan& program) {
    const auto open = std::ranges::find_if(program.candidates, &Candidate::image_shell);
    if (open != program.candidates.end()) {
        if (startup.shell.empty()) {
            program.candidates.erase(open);
        } else {
            if (!plan.strict) say_it_is_missing(startup.shell, program);
            const bool bare = startup.shell.find('/') == std::string::npos;
            if (bare && !plan.strict) open->test = Candidate::Test::try_lookup;
            open->path = startup.shell;
            open->argv.at(0) = startup.shell;
            open->image_shell = false;
        }
    }
    for (Candidate& candidate : program.candidates) {
        if (!candidate.image_arguments) continue;
        candidate.argv.insert(candidate.argv.end(), startup.arguments.begin(), startup.arguments.end());
        candidate.image_arguments = false;
    }
}

StartupResult finish_startup(const StartupPlan& plan, const ShellState& state, const std::string& working_directory) {
    Environment env = image_environment(plan, state);
    env.try_emplace("PATH", Variable{"PATH", std::string(kDefaultPath), "default"});
    apply_path_wishes(plan, env);
    apply_library_wishes(env);
    restore_forwarded(plan, state, env);
    env["PWD"] = {"PWD", working_directory, "swrun"};
    set_prompt(env);
    for (const char* name : {"APPTAINER_ENVIRONMENT", "SINGULARITY_ENVIRONMENT"}) {
        env[name] = {name, std::string(kCustomEnvFile), "swrun"};
    }
    StartupResult result;
    result.umask = state.umask;
    result.shell = state.shell;
    result.arguments = state.positional;
    for (auto& [name, variable] : env) result.environment.push_back(std::move(variable));
    return result;
}

}  // namespace swrun
