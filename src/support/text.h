// Small text tools that the standard library lacks.  Pure; no locale: bytes outside ASCII are letters
// of somebody's file name and pass through untouched.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace swrun {

// "a,b,,c" at ',' gives four parts; an empty text gives one empty part.
// The parts point into the text, so a temporary one is refused.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);
template <class Text>
requires std::same_as<Text, std::string> std::vector<std::string_view> split(Text&& text, char separator)
= delete;

[[nodiscard]] std::string join(const std::vector<std::string>& parts, std::string_view separator);

// Without spaces, tabs and newlines at both ends.
[[nodiscard]] std::string_view trim(std::string_view text);

// [A-Za-z_][A-Za-z0-9_]*: what POSIX calls a Name (XBD 3.235).
[[nodiscard]] bool is_identifier(std::string_view text);

// Decimal without sign, spaces or overflow; nullopt for anything else.
[[nodiscard]] std::optional<std::uint64_t> parse_decimal(std::string_view text);

// One or more unprintable bytes become \xNN, so that a hostile name cannot paint on a terminal.
[[nodiscard]] std::string printable(std::string_view text);

// One record of comma separated values with RFC 4180 quotes, as the field's tools read option lists:
// "\"a,b\",c" gives {"a,b", "c"}.  nullopt when a quote is not closed or stands inside a bare field.
[[nodiscard]] std::optional<std::vector<std::string>> split_csv(std::string_view record);

// A word that a POSIX shell reads back as exactly `text`: single quotes, with ' itself as '\''.
[[nodiscard]] std::string shell_quote(std::string_view text);

}  // namespace swrun
