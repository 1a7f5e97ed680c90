// Shell patterns (XCU 2.14) on bytes: what `case` and ${X%pattern} match with.  In a pattern a
// backslash quotes the next character.  Work is bounded by the caller's budget; beyond it, and for
// what depends on a locale, the answer is nullopt.  Private to this room.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace swrun {

// Does the whole text match?
[[nodiscard]] std::optional<bool> match_pattern(std::string_view pattern, std::string_view text, std::size_t& budget);

// The text without the shortest or longest prefix (# and ##) or suffix (% and %%) that matches.
[[nodiscard]] std::optional<std::string> trim_pattern(std::string_view pattern, std::string_view text,
                                                      std::string_view op, std::size_t& budget);

}  // namespace swrun
