// What a shell had exported when it stopped, and the reader of the report that the script of
// env/startup_script prints about it.  The report comes from a process that ran the image's code, so
// nothing in it is trusted: reading is strict and bounded, and never evaluates anything.
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
#include "support/result.h"

namespace swrun {

// Enough to finish a startup, or to go on in another shell.
struct ShellState {
    std::map<std::string, Variable> exported;  // origin may be empty
    std::set<std::string> hidden;              // of the forwarded names: set, but not exported
    std::optional<mode_t> umask;
    std::string shell;                    // SINGULARITY_SHELL, exported or not, or else APPTAINER_SHELL; may be empty
    std::vector<std::string> positional;  // "$@"
    std::string options;                  // of "$-": those that hold on in another shell ("a", "e", "f", "u")

    friend bool operator==(const ShellState&, const ShellState&) = default;
};

struct ShellReport {
    ShellState state;
    bool complete = false;  // all files were read
    std::size_t step = 0;   // else: the step during which the shell ended (ScriptRun::first_step), and
    int status = 0;         // its exit status

    friend bool operator==(const ShellReport&, const ShellReport&) = default;
};

// Reads the `export -p` of bash (declare -x N="...", also with $'...'), dash and busybox ash
// (export N='...') with the lines that our script puts around it.  Error::Kind::image on anything
// else, with the offset; an empty report means that the shell died or threw our trap away.
[[nodiscard]] Result<ShellReport> parse_shell_state(std::string_view dump);

}  // namespace swrun
