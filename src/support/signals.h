// Signals by name, as people write them on command lines.
#pragma once

#include <optional>
#include <string_view>

namespace swrun {

// "SIGTERM", "term", "15": the number; nullopt for anything else.
[[nodiscard]] std::optional<int> signal_number(std::string_view text);

}  // namespace swrun
