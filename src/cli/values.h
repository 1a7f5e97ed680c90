// What a word means as the value of an option: the literals, lists and pairs that Singularity's command
// line takes, with its wording of what is wrong, because tools match on that.  Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/option_table.h"

namespace swrun {

// 1 t T TRUE true True, 0 f F FALSE false False; nothing else.
[[nodiscard]] std::optional<bool> parse_bool(std::string_view text);

// Decimal with a sign, or hexadecimal, octal or binary with a prefix.
[[nodiscard]] std::optional<std::int64_t> parse_number(std::string_view text);

// What is wrong with `value` for this kind of option, e.g. "A must be formatted as key=value"; nullopt
// when nothing is.
[[nodiscard]] std::optional<std::string> fault_of(ValueKind kind, std::string_view value);

// The elements of a list value that fault_of() accepted: CSV fields of a slice, else the value itself.
[[nodiscard]] std::vector<std::string> elements_of(ValueKind kind, std::string_view value);

// Of a list in a variable: cut at commas, spaces around elements dropped, empty elements too.
[[nodiscard]] std::vector<std::string> elements_of_variable(ValueKind kind, std::string_view value);

// "text" with quotes, backslashes and control characters escaped, as the messages quote it.
[[nodiscard]] std::string quote_text(std::string_view text);

// "-e, --cleanenv" or "--nv".
[[nodiscard]] std::string flag_name(const OptionSpec& spec);

// "invalid argument "A" for "--env" flag: ..."
[[nodiscard]] std::string invalid_argument(const OptionSpec& spec, std::string_view value, std::string_view why);

}  // namespace swrun
