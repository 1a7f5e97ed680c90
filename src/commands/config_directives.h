// The directives of Singularity's configuration file that mean something to swrun, with the value that
// describes what swrun does.  Asked by `config global --get`; pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/invocation.h"

namespace swrun {

// "yes", "64", "/etc/localtime,/etc/hosts"; nullopt for a directive that swrun knows nothing like.
[[nodiscard]] std::optional<std::string> directive_value(std::string_view name, const Invocation& invocation);

}  // namespace swrun
