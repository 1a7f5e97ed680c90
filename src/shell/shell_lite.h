// A small, strict evaluator of the part of the POSIX shell that image builders generate for their
// environment files, so that most images need no shell to start.  Called by env/startup and
// env/env_file.  It never guesses: what it does not know gives Kind::unsupported with file and line,
// and then the state is half done and must be thrown away.  It runs no program, opens no file but
// through the TreeView, and bounds time, depth and memory, because the text may be hostile.
// Where shells differ it follows bash.  Source: POSIX.1-2017 XCU chapter 2.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "plan/launch_plan.h"
#include "plan/tree_view.h"
#include "shell/shell_ast.h"

namespace swrun {

struct ShellVariable {
    std::string value;
    bool is_set = true;  // false: only marked for export
    bool exported = false;
    bool read_only = false;  // by `readonly`: assigning to it is unsupported
    std::string origin;      // who gave the value last

    friend bool operator==(const ShellVariable&, const ShellVariable&) = default;
};

struct ShellSession {
    std::map<std::string, ShellVariable> variables;
    std::string script_name;                             // "$0"; empty: asking for it is unsupported
    std::vector<std::string> positional;                 // "$@"
    bool nounset = false;                                // set -u: an unset variable ends the evaluation
    std::string output;                                  // what echo and printf wrote
    std::vector<Note> notes;                             // what a shell would write to stderr
    std::optional<mode_t> umask;                         // set by the text
    std::set<std::string, std::less<>> protected_names;  // assigning to them is ignored, with a note
    bool allexport = false;                              // every assigned variable is exported
    std::vector<std::string> assigned;                   // names in the order of their first assignment
};

struct ShellOptions {
    const TreeView* tree = nullptr;  // without one, file tests and `.` are unsupported
    std::string working_directory;   // for relative paths; without one they are unsupported
    std::string origin;              // of the variables that are set here
    bool forgive_magic = false;      // assigning IFS, OPTIND and the like is not unsupported
};

struct ShellOutcome {
    enum class Kind { finished, exited, unsupported };

    Kind kind = Kind::finished;
    int status = 0;   // of the last command, of `return` or of `exit`
    Refusal refusal;  // for unsupported

    friend bool operator==(const ShellOutcome&, const ShellOutcome&) = default;
};

// Evaluates `text` as a sourced file; `name` is its name in messages.
[[nodiscard]] ShellOutcome run_shell_text(const std::string& name, std::string_view text, ShellSession& session,
                                          const ShellOptions& options);

// Names that shells keep a value of their own in, set or not: BASH_VERSION, RANDOM, HOSTNAME, IFS, ...
// Reading one that the text has not set is unsupported.
[[nodiscard]] bool is_shell_owned(std::string_view name);

constexpr std::size_t kMaxShellText = std::size_t{1} << 20;  // bytes of one file

}  // namespace swrun
