// Completion scripts for bash, zsh and fish, made from the tables.  Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/program_name.h"

namespace swrun {

// nullopt for a shell that we do not know.
[[nodiscard]] std::optional<std::string> completion_script(std::string_view shell, CalledAs called);

}  // namespace swrun
