// Text for a wrong command line, in the form that tools know from Singularity: one "Error for command"
// line and an empty line on stderr, usage or the option table on stdout, exit status 1.  Pure.
#pragma once

#include <string>

#include "cli/argv_pass.h"

namespace swrun {

struct UsageError {
    std::string err;  // for stderr, verbatim
    std::string out;  // for stdout, verbatim
    int status = 1;

    friend bool operator==(const UsageError&, const UsageError&) = default;
};

// `home` is shown as the default of --home.
[[nodiscard]] UsageError usage_error(const UsageFault& fault, CalledAs called, const std::string& home);

// "  apptainer [global options...] exec [exec options...] <container> <command>"
[[nodiscard]] std::string usage_line(const CommandSpec& command, CalledAs called);

// "Run 'apptainer --help' for more detailed usage information."
[[nodiscard]] std::string usage_hint(CalledAs called);

}  // namespace swrun
