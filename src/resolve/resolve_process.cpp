// The environment, the program and the directory that it starts in.
#include <algorithm>

#include "env/env_file.h"
#include "env/env_rules.h"
#include "env/library_dirs.h"
#include "env/oci_runscript.h"
#include "env/startup.h"
#include "resolve/resolve_parts.h"
#include "support/errno_hint.h"
#include "support/path.h"
#include "support/text.h"

namespace swrun {
namespace {

constexpr const char* kRunscript = "/.singularity.d/runscript";
constexpr std::size_t kMaxScript = 4U << 20U;
constexpr std::size_t kMaxEnvFile = 1U << 20U;

Candidate executable(std::string path, std::vector<std::string> arguments) {
    Candidate candidate;
    candidate.test = Candidate::Test::executable;
    candidate.path = path;
    candidate.argv = std::move(arguments);
    candidate.argv.insert(candidate.argv.begin(), std::move(path));
    return candidate;
}

// The generated runscript of an OCI image, read instead of run: no shell is needed in the image, and
// the caller's arguments are not evaluated a second time.
std::optional<std::vector<std::string>> oci_arguments(const Draft& draft) {
    const LaunchRequest& request = draft.in.request;
    if (request.strict_compat.value && !request.no_eval.value) return std::nullopt;  // it does evaluate them
    const ResolvedPath script = resolve_in(draft.tree, kRunscript);
    if (!script.exists() || script.node.kind != Node::Kind::file || draft.plan.process.startup.late)
        return std::nullopt;
    const Result<std::string> text = draft.tree.read_text(script.path, kMaxScript);
    if (!text) return std::nullopt;
    const std::optional<OciRunscript> oci = parse_oci_runscript(*text);
    if (!oci) return std::nullopt;
    std::vector<std::string> argv = compose_oci_command(*oci, draft.in.request.arguments);
    if (argv.empty()) return std::nullopt;
    return argv;
}

ProgramPlan program_of_run(const Draft& draft) {
    const LaunchRequest& request = draft.in.request;
    ProgramPlan program;
    if (request.app.value) {
        program.candidates.push_back(
            executable("/scif/apps/" + *request.app.value + "/scif/runscript", request.arguments));
        program.none_message = "no runscript for contained app: " + *request.app.value;
        return program;
    }
    if (std::optional<std::vector<std::string>> argv = oci_arguments(draft)) {
        Candidate oci;
        oci.argv = *std::move(argv);
        program.candidates.push_back(std::move(oci));
        return program;
    }
    program.candidates.push_back(executable(kRunscript, request.arguments));
    // Images of Singularity 2.2 and older keep their runscript there.
    program.candidates.push_back(executable("/singularity", request.arguments));
    Candidate shell = executable("/bin/sh", request.arguments);
    shell.note = "No runscript found in container, executing /bin/sh";
    program.candidates.push_back(std::move(shell));
    program.none_message = "No runscript and no /bin/sh executable found in container, aborting";
    return program;
}

ProgramPlan program_of_shell(Draft& draft) {
    const LaunchRequest& request = draft.in.request;
    ProgramPlan program;
    if (!request.arguments.empty()) draft.note(Level::warning, "Parameters to shell command are ignored");
    if (request.shell.value && !request.shell.value->empty() && !request.strict_compat.value) {
        const std::string& wanted = *request.shell.value;
        Candidate custom = executable(wanted, {});
        if (wanted.find('/') == std::string::npos) custom.test = Candidate::Test::try_lookup;
        program.candidates.push_back(std::move(custom));
    } else {
        // Strictly as in Apptainer the user's wish is where the image's files can replace it.
        Candidate of_image = executable("", {});
        of_image.image_shell = true;
        program.candidates.push_back(std::move(of_image));
    }
    Candidate bash = executable("/bin/bash", {"--norc"});
    bash.env = {{"SHELL", "/bin/bash"}};
    Candidate sh = executable("/bin/sh", {});
    sh.env = {{"SHELL", "/bin/sh"}};
    for (Candidate* fallback : {&bash, &sh}) {
        if (request.shell.value && !request.shell.value->empty() && !request.strict_compat.value) {
            fallback->note = "shell " + *request.shell.value + " is not in the container: using " + fallback->path;
            fallback->note_level = Level::warning;
        }
    }
    program.candidates.push_back(std::move(bash));
    program.candidates.push_back(std::move(sh));
    program.none_message = "/bin/sh does not exist in container";
    for (Candidate& candidate : program.candidates) candidate.image_arguments = true;
    return program;
}

ProgramPlan program_of_test(const Draft& draft) {
    const LaunchRequest& request = draft.in.request;
    ProgramPlan program;
    const std::string script = request.app.value ? "/scif/apps/" + *request.app.value + "/scif/test"
                                                 : "/.singularity.d/test";
    program.candidates.push_back(executable(script, request.arguments));
    program.none_message = request.app.value ? "no tests for contained app: " + *request.app.value
                                             : "No test script found in container, exiting";
    program.none_level = request.app.value ? Level::error : Level::info;
    program.none_status = request.app.value ? 1 : 0;
    return program;
}

// An image without a start script makes an instance that only waits for those who join it.
ProgramPlan program_of_start(const Draft& draft) {
    const LaunchRequest& request = draft.in.request;
    ProgramPlan program;
    const std::string script = request.app.value ? "/scif/apps/" + *request.app.value + "/scif/startscript"
                                                 : "/.singularity.d/startscript";
    program.candidates.push_back(executable(script, request.arguments));
    program.none_message = request.app.value ? "No startscript for contained app: " + *request.app.value
                                             : "No instance start script found in container";
    program.none_level = request.app.value ? Level::error : Level::info;
    program.none_status = request.app.value ? 1 : 0;
    return program;
}

ProgramPlan program_of_exec(const Draft& draft) {
    ProgramPlan program;
    Candidate candidate;
    candidate.argv = draft.in.request.arguments;
    candidate.absolute_argv0 = draft.in.request.strict_compat.value;
    program.candidates.push_back(std::move(candidate));
    return program;
}

ProgramPlan program_of(Draft& draft) {
    switch (draft.in.request.action) {
        case Action::exec: return program_of_exec(draft);
        case Action::run: return program_of_run(draft);
        case Action::shell: return program_of_shell(draft);
        case Action::test: return program_of_test(draft);
        case Action::start: return program_of_start(draft);
    }
    return {};
}

std::vector<CwdCandidate> directories_of(Draft& draft) {
    const LaunchRequest& request = draft.in.request;
    const CwdFacts& cwd = draft.in.host.cwd;
    if (request.cwd.value) return {{absolute_path(*request.cwd.value, "/"), true}};
    std::vector<CwdCandidate> candidates;
    const auto add = [&](const std::string& path) {
        const bool listed = std::any_of(candidates.begin(), candidates.end(),
                                        [&](const CwdCandidate& other) { return other.path == path; });
        if (!listed) candidates.push_back({path, false});
    };
    if (!draft.contained() && cwd.state == CwdFacts::State::known && !draft.cwd_hidden) add(cwd.physical);
    if (!draft.contained() && cwd.state != CwdFacts::State::known) {
        const bool deleted = cwd.state == CwdFacts::State::deleted;
        draft.note(Level::warning, std::string("can't determine current working directory: ") +
                                       (deleted ? "it has been deleted" : "it cannot be reached"));
    }
    add(draft.home);
    add("/");
    return candidates;
}

Result<std::vector<EnvOverride>> env_file_values(const Draft& draft) {
    const LaunchRequest& request = draft.in.request;
    std::vector<EnvOverride> values;
    for (const Asked<std::string>& file : request.env_files) {
        const std::string path = absolute_path(file.value, draft.in.host.cwd.physical);
        const ResolvedPath found = resolve_in(draft.in.host_tree, path);
        const Result<std::string> text = draft.in.host_tree.read_text(found.path, kMaxEnvFile);
        if (!text) {
            // A link loop is resolved to its last link, which is no file for the reader.
            const int err = found.sys_errno != 0 ? found.sys_errno : text.error().sys_errno;
            Error error = make_error(Error::Kind::request,
                                     "could not read environment file \"" + file.value + "\": " + errno_text(err));
            error.sys_errno = err;
            error.hint = errno_hint(err);
            return error.add_context("reading variables (from " + to_text(file.origin) + ")");
        }
        SWRUN_TRY(std::vector<EnvOverride> some,
                  evaluate_env_file(*text, file.value, draft.in.host, request.image, request.arguments));
        values.insert(values.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
    }
    return values;
}

// A layer may hold other environment files than the image, and so may a file system of --fusemount: they can only
// be read once it is mounted.
bool files_known_late(const LaunchPlan& plan) {
    const RootPlan& root = plan.root;
    if ((root.has_upper() && !root.upper_is_tmpfs()) || !root.read_only_layers.empty()) return true;
    return std::any_of(plan.mounts.begin(), plan.mounts.end(), [](const MountOp& op) {
        return op.is<ServedByProgram>() &&
               (is_below(op.target, "/.singularity.d") || is_below("/.singularity.d", op.target));
    });
}

Status resolve_environment(Draft& draft) {
    SWRUN_TRY(std::vector<EnvOverride> from_files, env_file_values(draft));
    const EnvInputs inputs{draft.in.request, draft.in.host,      draft.in.image,
                           draft.home,       draft.bind_targets, std::move(from_files)};
    ProcessPlan& process = draft.plan.process;
    process.startup = make_startup_plan(inputs, draft.plan.notes);
    process.startup.late = draft.in.request.joins_instance || files_known_late(draft.plan);
    process.startup.libs_present = !process.startup.late && has_added_libraries(draft.tree);
    process.host_bash = draft.in.host.host_bash;
    if (process.startup.late) return {};
    for (Note& note : collect_env_files(draft.tree, process.startup)) draft.plan.notes.push_back(std::move(note));
    StartupResult startup = evaluate_startup(process.startup, process.directories.at(0).path, draft.tree);
    // What a file prints, or that it ends the launch, belongs after the container has been made.
    if (startup.kind == StartupResult::Kind::ready && startup.output.empty()) {
        complete_program(process.startup, startup, process.program);
        process.environment = std::move(startup.environment);
        if (startup.umask) process.umask = *startup.umask;
        for (Note& note : startup.notes) draft.plan.notes.push_back(std::move(note));
    } else if (startup.kind == StartupResult::Kind::needs_shell) {
        draft.note(Level::verbose, "a shell evaluates the image's environment: " + startup.reason);
    }
    return {};
}

// A job's own TMPDIR often lies where no bind leads; programs fail on it in many ways, none of which names it.
void check_tmpdir(Draft& draft) {
    if (draft.in.request.strict_compat.value) return;
    for (const Variable& variable : draft.plan.process.startup.forwarded) {
        const std::string& path = variable.value;
        if (variable.name != "TMPDIR" || !path.starts_with('/') || resolve_in(draft.tree, path).exists()) continue;
        draft.note(Level::warning, "TMPDIR is " + printable(path) + ", which does not exist inside: show it with -B " +
                                       printable(path) + " or set another with --env TMPDIR=/tmp");
    }
}

}  // namespace

Status resolve_process(Draft& draft) {
    draft.plan.process.directories = directories_of(draft);
    draft.plan.process.program = program_of(draft);
    SWRUN_CHECK(resolve_environment(draft));
    if (!draft.in.request.joins_instance) check_tmpdir(draft);
    return {};
}

}  // namespace swrun
