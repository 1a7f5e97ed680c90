// The other way to make the environment: text of a script that a real shell (bash, dash, busybox ash)
// runs inside the container when shell_lite stepped back.  The caller starts the shell with an empty
// environment, descriptor 9 open for writing, and the script as a file, because files of the image may
// read standard input; then it gives what arrived on 9 to parse_shell_state.
//   report.complete            -> finish_startup
//   not complete, status != 0  -> the launch ends with that status
//   not complete, status == 0  -> a file ran exit 0: run startup_script again with first_step =
//                                 report.step + 1 and the report's state, and say exit_zero_note(step_file)
// What the files print goes to the real standard output.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plan/launch_plan.h"
#include "shell/shell_state.h"

namespace swrun {

struct ScriptRun {
    std::string working_directory;
    std::vector<std::string> library_directories;  // image_library_directories() of the container
    std::vector<std::string> check;                // words of a command that reads a file and runs nothing of it
    std::map<std::size_t, std::string> copies;     // where StartupPlan::files[i].text can be read, if not as stored
    std::string root_prefix;                       // before the paths of the files; only tests set it
    std::size_t first_step = 0;
    std::optional<ShellState> state;  // of the run before, with first_step > 0
};

[[nodiscard]] std::string startup_script(const StartupPlan& plan, const ScriptRun& run);

// For messages: which file a report's step belongs to; empty for steps of our own.
[[nodiscard]] std::string step_file(const StartupPlan& plan, std::size_t step);

}  // namespace swrun
