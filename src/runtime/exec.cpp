#include "runtime/exec.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <optional>

#include "support/descriptors.h"
#include "support/log.h"
#include "support/path.h"
#include "support/process.h"
#include "support/signals.h"
#include "support/text.h"

namespace swrun {
namespace {

const std::string* find_variable(const std::vector<Variable>& environment, std::string_view name) {
    for (const Variable& variable : environment) {
        if (variable.name == name) return &variable.value;
    }
    return nullptr;
}

void set_variable(std::vector<Variable>& environment, const std::string& name, const std::string& value) {
    const auto at = std::lower_bound(environment.begin(), environment.end(), name,
                                     [](const Variable& v, const std::string& n) { return v.name < n; });
    if (at != environment.end() && at->name == name) {
        at->value = value;
    } else {
        environment.insert(at, Variable{name, value, "program"});
    }
}

std::string current_directory() {
    char path[PATH_MAX];
    return ::getcwd(path, sizeof path) != nullptr && path[0] == '/' ? path : "";
}

Error program_error(std::string message, int err, std::string hint = {}) {
    Error error = make_error(Error::Kind::program, std::move(message));
    error.sys_errno = err;
    error.hint = std::move(hint);
    return error;
}

// A path with a slash: what the kernel would say, told apart before execve so that the message names
// the file and not its interpreter.
Result<std::string> check_path(const std::string& name) {
    struct stat st {};
    if (::stat(name.c_str(), &st) != 0) {
        const int err = errno;
        const std::string shown = name[0] == '/' ? name : absolute_path(name, current_directory());
        return program_error("stat " + shown + ": " + errno_text(err), err);
    }
    if (S_ISDIR(st.st_mode)) return program_error(name + ": is a directory", EISDIR);
    if ((st.st_mode & 0111U) == 0 || ::access(name.c_str(), X_OK) != 0)
        return program_error(name + ": permission denied", EACCES);
    return name;
}

bool is_program(const std::string& path) {
    struct stat st {};
    return ::stat(path.c_str(), &st) == 0 && !S_ISDIR(st.st_mode) && (st.st_mode & 0111U) != 0;
}

// What execve needs, as flat C arrays.
struct ExecBlock {
    std::vector<char*> argv;
    std::vector<std::string> storage;
    std::vector<char*> envp;

    ExecBlock(const std::vector<std::string>& arguments, const std::vector<Variable>& environment)
        : argv(pointers_to(arguments)) {
        storage.reserve(environment.size());
        for (const Variable& variable : environment) storage.push_back(variable.name + "=" + variable.value);
        envp = pointers_to(storage);
    }
};

// execve(2) gives ENOEXEC for a file without "#!" that is no binary: shells and execvp(3) then run it
// by /bin/sh, and so do we.
int exec_by_shell(const std::string& path, const std::vector<std::string>& argv,
                  const std::vector<Variable>& environment) {
    std::vector<std::string> arguments = {"/bin/sh", path};
    arguments.insert(arguments.end(), argv.begin() + 1, argv.end());
    const ExecBlock block(arguments, environment);
    ::execve("/bin/sh", block.argv.data(), block.envp.data());
    return errno;
}

Error exec_file(const std::string& path, const std::vector<std::string>& argv,
                const std::vector<Variable>& environment) {
    const ExecBlock block(argv, environment);
    ::execve(path.c_str(), block.argv.data(), block.envp.data());
    int err = errno;
    if (err == ENOEXEC) err = exec_by_shell(path, argv, environment);
    if (err == ENOENT) {
        return program_error("exec " + path + " failed: a shared library is likely missing in the image", err,
                             "or the interpreter named in its first line (#!) does not exist in the image");
    }
    if (err == ENOEXEC) return program_error("exec " + path + " failed: not a program for this machine", err);
    return program_error("exec " + path + " failed: " + errno_text(err) + " (" + errno_name(err) + ")", err);
}

// nullopt: this candidate does not fit and the next one has its turn.
std::optional<Result<std::string>> try_candidate(const Candidate& candidate, const std::string& path_variable,
                                                 std::span<const std::string> absent) {
    const std::string& name = candidate.path.empty() ? candidate.argv.at(0) : candidate.path;
    switch (candidate.test) {
        case Candidate::Test::lookup: return find_program(name, path_variable, absent);
        case Candidate::Test::try_lookup: {
            Result<std::string> found = find_program(name, path_variable, absent);
            if (!found) return std::nullopt;
            return found;
        }
        case Candidate::Test::executable:
            if (!is_program(name) || ::access(name.c_str(), X_OK) != 0) return std::nullopt;
            return Result<std::string>(name);
    }
    return std::nullopt;
}

}  // namespace

Result<std::string> enter_directory(const std::vector<CwdCandidate>& candidates) {
    std::string first_failure;
    for (const CwdCandidate& candidate : candidates) {
        if (::chdir(candidate.path.c_str()) == 0) {
            if (!first_failure.empty()) {
                log_warning("Error changing the container working directory. Using '" + candidate.path +
                            "' instead: " + first_failure);
            }
            return current_directory();
        }
        const int err = errno;
        const std::string failure = "chdir " + candidate.path + ": " + errno_text(err);
        if (candidate.required) {
            Error error = make_error(Error::Kind::request, "failed to set working directory: " + failure);
            error.sys_errno = err;
            return error;
        }
        if (first_failure.empty()) first_failure = failure;
    }
    return make_error(Error::Kind::host, "no working directory can be entered: " + first_failure);
}

Result<std::string> find_program(const std::string& name, const std::string& path_variable,
                                 std::span<const std::string> absent) {
    if (name.find('/') != std::string::npos) return check_path(name);
    if (!name.empty()) {
        for (const std::string_view directory : split(path_variable, ':')) {
            const std::string path = directory.empty() ? "./" + name : join_path(directory, name);
            if (std::ranges::find(absent, path) == absent.end() && is_program(path)) return path;
        }
    }
    Error error = program_error("\"" + printable(name) + "\": executable file not found in $PATH", ENOENT);
    log_verbose("searched PATH=" + path_variable);
    return error;
}

Error execute(const ProgramPlan& program, std::vector<Variable> environment, std::span<const std::string> absent) {
    const std::string* path_variable = find_variable(environment, "PATH");
    const std::string path = path_variable != nullptr ? *path_variable : "";
    give_back_child_signal();
    restore_descriptor_limit();
    for (const Candidate& candidate : program.candidates) {
        std::optional<Result<std::string>> found = try_candidate(candidate, path, absent);
        if (!found) continue;
        if (!*found) return std::move(*found).error();
        if (!candidate.note.empty()) log(candidate.note_level, candidate.note);
        for (const auto& [name, value] : candidate.env) set_variable(environment, name, value);
        std::vector<std::string> argv = candidate.argv;
        if (candidate.absolute_argv0) argv.at(0) = absolute_path(**found, current_directory());
        return exec_file(**found, argv, environment);
    }
    Error error = make_error(Error::Kind::status, program.none_message);
    error.exit_status = program.none_status;
    return error;
}

}  // namespace swrun
