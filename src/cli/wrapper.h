// `singularity_wrapper exec|run|shell ...`: the launcher of sites whose environment modules name an image
// and its options in variables (CONTAINER_IMAGE and CONTAINER_FLAGS, or SING_IMAGE and SING_FLAGS).
// Turns argv and environment into an ordinary command line; looks at no file itself.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "cli/usage.h"
#include "cli/variables.h"

namespace swrun {

// `arguments` start with the sub-command.  The result starts with exec, run or shell and has no program
// name.  `is_regular_file` is asked once, for the image.
[[nodiscard]] std::variant<std::vector<std::string>, UsageError> expand_wrapper(
    std::span<const std::string> arguments, const Variables& variables,
    const std::function<bool(const std::string&)>& is_regular_file);

// Words between spaces, tabs and newlines, as an unquoted variable gives them to a shell; quotes mean
// nothing, patterns are not expanded.
[[nodiscard]] std::vector<std::string> split_words(std::string_view text);

}  // namespace swrun
