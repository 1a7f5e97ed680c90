// Text of environment files before it is a program: what its reader leaves out, and the quotes that mean another
// character.  Pure text; used throughout this room.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace swrun {

// Files from other systems end their lines with CR LF.  The field's interpreter takes that for LF everywhere, in
// quotes too, and skips NUL bytes; so does this.  A CR in front of the end of the text goes, too.  Lines keep their
// numbers.
[[nodiscard]] std::string without_foreign_bytes(std::string_view text);

// The inside of $'...' (bash(1), "QUOTING"): `at` stands behind the first quote and ends behind the last one.  \u and
// \U give UTF-8 whatever the locale.  nullopt: not closed, or an escape on which readers disagree.
[[nodiscard]] std::optional<std::string> read_ansi_quotes(std::string_view text, std::size_t& at);

// The same text with \u and \U inside $'...' as octal bytes, because a shell translates those by its locale, and an
// image has none set.  Where it is not certain what is a quote (from a here-document on) the text stays as it is.
[[nodiscard]] std::string with_unicode_as_bytes(std::string_view text);

}  // namespace swrun
