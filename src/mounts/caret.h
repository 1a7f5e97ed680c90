// Shows a person which part of a value is meant: the value on one line and a mark below it on the
// next.  Called by the parsers of this room for their error messages; pure, never fails.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace swrun {

// "\n    VALUE\n      ^~~", to be appended to a message: the mark covers the `length` bytes from `at`, at
// least one column.  Unprintable bytes are shown as \xNN; a long value is cut to the part around the mark.
[[nodiscard]] std::string point_at(std::string_view value, std::size_t at, std::size_t length);

}  // namespace swrun
