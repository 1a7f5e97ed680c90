// Reads what people write for --bind, --mount and --home into plain data, and writes a bind back.
// Called by cli for options, variables and site files.  Pure: no path is looked up here, so a source
// may be missing and a relative one is left to resolve, which knows the working directory.
// Every error has kind request, names the offending part and, for --bind, points at it with a caret.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plan/launch_request.h"
#include "support/result.h"

namespace swrun {

// "SRC[:DST[:OPT[,OPT...]]]", several separated by commas; OPT is ro, rw, optional,
// image-src=PATH or id=N (the last two: SRC is an image, its data is shown).
//   - Blanks around a part and empty binds between commas are ignored; an empty source is an error.
//   - After the first option a comma-separated word that is an option still belongs to its bind.
//     Where no option is open a bare option word is an error, not a file of that name.
//   - "\," and "\:" stand for the character itself, and "\\" before either for one backslash; a
//     backslash elsewhere is an ordinary character.
// Without DST the target is the source as written: resolve makes both absolute together.
[[nodiscard]] Result<std::vector<BindSpec>> parse_bind_list(std::string_view value, const Origin& origin);

// One record of comma separated "key=value" per line, RFC 4180 quotes.  Keys: type (only bind),
// source or src, destination, dst or target, ro or readonly, optional, nonested, image-src, id.
[[nodiscard]] Result<std::vector<BindSpec>> parse_mount_spec(std::string_view value, const Origin& origin);

struct HomeSpec {
    std::string source;  // may be relative
    std::string target;  // absolute; empty: the same directory as the source

    friend bool operator==(const HomeSpec&, const HomeSpec&) = default;
};

// "SRC[:DST]", without escapes.
[[nodiscard]] Result<HomeSpec> parse_home(std::string_view value);

// The bind as parse_bind_list reads it back (its origin aside), also when joined with others by commas.
// `recursive` and `nested` have no word in that grammar and are left out; blanks at the ends of a path
// are lost.
[[nodiscard]] std::string to_text(const BindSpec& bind);

// For the parsers of this room: what both grammars demand of a finished bind.
[[nodiscard]] Error relative_target_error(std::string_view source);
// "image-src=PATH" or "id=N": the source is an image file whose data is to be shown.
[[nodiscard]] Status apply_image_option(std::string_view word, BindSpec& bind);

}  // namespace swrun
