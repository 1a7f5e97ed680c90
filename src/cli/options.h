// The whole way from argv, environment and site files to an Invocation, or to what is wrong with them.
// The only file with CLI11, which types the values; its exceptions end here.  Called once by main.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <variant>

#include "cli/invocation.h"
#include "cli/usage.h"
#include "cli/variables.h"
#include "support/result.h"

namespace swrun {

struct CliInput {
    std::span<const std::string> argv;  // with argv[0]
    Environment environment;
    std::string home;  // of the user database
    std::string default_host_file = "/etc/swrun/swrun.toml";
    std::function<bool(const std::string&)> is_regular_file;  // asked by the wrapper names only
};

// UsageError: print both texts, exit with its status.  Error: report it, exit 255.  It is never of kind
// usage.
[[nodiscard]] Result<std::variant<Invocation, UsageError>> read_command_line(const CliInput& input);

}  // namespace swrun
