// Making the program's environment from a StartupPlan: by shell_lite at plan time when it understands
// all of the image's files, else from the report of a real shell (env/startup_script).  Both ways share
// every rule in here and give the same environment.  Called by resolve and by the runtime.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "plan/launch_plan.h"
#include "plan/tree_view.h"
#include "shell/shell_state.h"

namespace swrun {

struct StartupResult {
    enum class Kind {
        ready,        // environment is complete
        needs_shell,  // shell_lite stepped back: reason says where
        ended,        // a file ended the launch: exit_status is not 0
    };

    Kind kind = Kind::ready;
    std::vector<Variable> environment;  // sorted by name
    std::string output;                 // what the files printed, for stdout (ready and ended)
    std::optional<mode_t> umask;        // set by a file; a report always has one
    std::vector<Note> notes;
    std::string reason;
    int exit_status = 0;
    // For `shell`, when ready: what the image's files made of these.
    std::string shell;                   // SINGULARITY_SHELL, exported or not, or else APPTAINER_SHELL
    std::vector<std::string> arguments;  // "$@"
};

// Lists the environment files of the container: *.sh of /.singularity.d/env, or else /environment.
// Sets files and has_env_directory; a file that cannot be read is left out with a note.
[[nodiscard]] std::vector<Note> collect_env_files(const TreeView& container, StartupPlan& plan);

// One such file as its readers see it: without foreign bytes (shell/shell_text).
[[nodiscard]] EnvFile read_env_file(const std::string& path, std::string_view stored);

// What is said about a file of the image that runs exit 0: only that file ends there.
[[nodiscard]] Note exit_zero_note(const std::string& path);

[[nodiscard]] StartupResult evaluate_startup(const StartupPlan& plan, const std::string& working_directory,
                                             const TreeView& container);

// Settles what a program plan leaves to the image's environment: the shell, and the arguments.
void complete_program(const StartupPlan& plan, const StartupResult& startup, ProgramPlan& program);

// The rules after the last file: PATH and LD_LIBRARY_PATH requests, the forwarded variables, prompt.
[[nodiscard]] StartupResult finish_startup(const StartupPlan& plan, const ShellState& state,
                                           const std::string& working_directory);

}  // namespace swrun
