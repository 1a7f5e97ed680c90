#include "env/startup.h"

#include <array>

#include "env/env_names.h"
#include "env/library_dirs.h"
#include "env/startup_steps.h"
#include "shell/shell_lite.h"
#include "shell/shell_text.h"
#include "support/path.h"
#include "support/text.h"

namespace swrun {

namespace {

std::string value_of(const ShellSession& session, const std::string& name) {
    const auto found = session.variables.find(name);
    return found == session.variables.end() ? "" : found->second.value;
}

bool is_set(const ShellSession& session, const std::string& name) {
    const auto found = session.variables.find(name);
    return found != session.variables.end() && found->second.is_set;
}

ShellSession first_session(const StartupPlan& plan, const std::string& working_directory) {
    ShellSession session;
    for (const Variable& variable : plan.forwarded) {
        if (!is_visible_to_image(variable.name)) continue;
        session.variables[variable.name] = {variable.value, true, true, false, variable.origin};
    }
    session.variables["PWD"] = {working_directory, true, true, false, "swrun"};
    session.protected_names = {"UID", "EUID", "GID"};
    session.protected_names.insert(kProtectedNames.begin(), kProtectedNames.end());
    session.script_name = plan.script_name;
    session.positional = plan.positional;
    return session;
}

void set_exported(ShellSession& session, const std::string& name, std::string value, const std::string& origin) {
    session.variables[name] = {std::move(value), true, true, false, origin};
}

void prefer_image_libraries(const StartupPlan& plan, ShellSession& session, const TreeView& container) {
    const std::string name = "LD_LIBRARY_PATH";
    if (value_of(session, name) != kLibraryDirectory) return;
    const bool asked = !value_of(session, "PREPEND_" + name).empty() || !value_of(session, "APPEND_" + name).empty();
    if (!plan.libs_present && !asked) return;
    const std::vector<std::string> directories = image_library_directories(container);
    if (directories.empty()) return;
    set_exported(session, name, join(directories, ":") + ":" + std::string(kLibraryDirectory), "image /etc/ld.so.conf");
}

// Runs one of the image's files.  False: result says why no further one is to be run.
bool source_file(const EnvFile& file, bool strict, ShellSession& session, ShellOptions options, StartupResult& result) {
    options.origin = "image " + file.path;
    const ShellOutcome outcome = run_shell_text(file.path, file.text, session, options);
    switch (outcome.kind) {
        case ShellOutcome::Kind::finished: return true;
        case ShellOutcome::Kind::unsupported:
            result.kind = StartupResult::Kind::needs_shell;
            result.reason = outcome.refusal.reason;
            return false;
        case ShellOutcome::Kind::exited: break;
    }
    if (outcome.status == 0 && !strict) {
        session.notes.push_back(exit_zero_note(file.path));
        return true;
    }
    result.kind = StartupResult::Kind::ended;
    result.exit_status = outcome.status;
    return false;
}

bool set_overrides(const StartupPlan& plan, ShellSession& session, ShellOptions options, StartupResult& result) {
    if (!is_set(session, "PATH")) set_exported(session, "PATH", std::string(kDefaultPath), "default");
    const auto kept = session.protected_names;
    session.protected_names.clear();  // the user may change what the image may not
    for (const EnvOverride& each : plan.overrides) {
        options.origin = to_text(each.origin);
        const ShellOutcome outcome = run_shell_text(each.name, override_text(each, plan.no_eval), session, options);
        if (outcome.kind == ShellOutcome::Kind::finished) continue;
        if (outcome.kind == ShellOutcome::Kind::exited) {  // an unset variable, where the image has said set -u
            result.kind = StartupResult::Kind::ended;
            result.exit_status = outcome.status;
            return false;
        }
        result.kind = StartupResult::Kind::needs_shell;
        result.reason = "value of " + each.name + " from " + options.origin + ": " + outcome.refusal.reason;
        return false;
    }
    session.protected_names = kept;
    return true;
}

bool take_step(const StartupStep& step, const StartupPlan& plan, ShellSession& session, const ShellOptions& options,
               StartupResult& result) {
    switch (step.kind) {
        case StartupStep::Kind::default_path:
            if (!is_set(session, "PATH")) set_exported(session, "PATH", std::string(kDefaultPath), "default");
            return true;
        case StartupStep::Kind::source:
            return source_file(plan.files[step.file], plan.strict, session, options, result);
        case StartupStep::Kind::complete_path: {
            const auto path = session.variables.find("PATH");
            const std::string origin = path == session.variables.end() ? "default" : path->second.origin;
            set_exported(session, "PATH", complete_path(value_of(session, "PATH")), origin);
            return true;
        }
        case StartupStep::Kind::overrides: return set_overrides(plan, session, options, result);
        case StartupStep::Kind::libraries: prefer_image_libraries(plan, session, *options.tree); return true;
    }
    return true;
}

ShellState state_of(const ShellSession& session, const StartupPlan& plan) {
    ShellState state;
    state.umask = session.umask;
    state.shell = value_of(session, "SINGULARITY_SHELL");
    if (state.shell.empty()) state.shell = value_of(session, "APPTAINER_SHELL");
    state.positional = session.positional;
    for (const auto& [name, variable] : session.variables) {
        const bool exported = variable.exported || name == "PATH";  // PATH is exported at the end in any case
        if (variable.is_set && exported) state.exported[name] = {name, variable.value, variable.origin};
    }
    for (const Variable& variable : plan.forwarded) {
        const auto found = session.variables.find(variable.name);
        if (found == session.variables.end() || is_shell_owned(variable.name)) continue;
        if (found->second.is_set && !state.exported.contains(variable.name)) state.hidden.insert(variable.name);
    }
    return state;
}

}  // namespace

EnvFile read_env_file(const std::string& path, std::string_view stored) {
    EnvFile file{path, with_unicode_as_bytes(without_foreign_bytes(stored)), true};
    file.as_stored = file.text == stored;
    return file;
}

std::vector<Note> collect_env_files(const TreeView& container, StartupPlan& plan) {
    std::vector<Note> notes;
    std::vector<std::string> paths;
    plan.files.clear();
    const ResolvedPath directory = resolve_in(container, std::string(kEnvDirectory));
    plan.has_env_directory = directory.exists() && directory.node.kind == Node::Kind::directory;
    if (plan.has_env_directory) {
        const Result<std::vector<std::string>> names = container.list(directory.path);
        if (!names) notes.push_back({Level::warning, names.error().message});
        for (const std::string& name : names.value_or(std::vector<std::string>{})) {
            if (name.ends_with(".sh") && !name.starts_with('.')) paths.push_back(join_path(kEnvDirectory, name));
        }
    } else {
        paths.emplace_back(kLegacyEnvFile);
    }
    for (const std::string& path : paths) {
        const ResolvedPath found = resolve_in(container, path);
        if (!found.exists() || found.node.kind != Node::Kind::file) continue;
        const Result<std::string> text = container.read_text(found.path, kMaxShellText);
        if (text) {
            plan.files.push_back(read_env_file(path, *text));
        } else {
            notes.push_back({Level::warning, "environment file of the image left out: " + text.error().message});
        }
    }
    return notes;
}

Note exit_zero_note(const std::string& path) {
    return {Level::warning, path + " of the image runs exit 0: the rest of that file is skipped"};
}

StartupResult evaluate_startup(const StartupPlan& plan, const std::string& working_directory,
                               const TreeView& container) {
    ShellSession session = first_session(plan, working_directory);
    ShellOptions options;
    options.tree = &container;
    options.working_directory = working_directory;
    StartupResult result;
    for (const StartupStep& step : startup_steps(plan)) {
        if (!take_step(step, plan, session, options, result)) break;
    }
    if (result.kind == StartupResult::Kind::needs_shell) return result;
    if (result.kind == StartupResult::Kind::ready)
        result = finish_startup(plan, state_of(session, plan), working_directory);
    result.notes = std::move(session.notes);
    result.output = std::move(session.output);
    return result;
}

}  // namespace swrun
