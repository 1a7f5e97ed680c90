// From settings to a request: puts each option's winning value where it belongs and works out what one
// option means for others (--compat, --containall, --hostname, ...).  Pure.
#pragma once

#include <string>
#include <vector>

#include "cli/invocation.h"
#include "cli/settings.h"
#include "cli/variables.h"
#include "support/result.h"

namespace swrun {

// Does the request ask for something that swrun does not do?  Names who asked, why not, what instead.
[[nodiscard]] Status check_supported(const Settings& settings, std::vector<Note>& notes);

// Fills launch, the texts and the switches of `into`, whose command and operands are set already.
[[nodiscard]] Status fill_launch(const Settings& settings, Invocation& into);

void fill_inspect(const Settings& settings, Invocation& into);

// --debug over --verbose over --quiet over --silent, else *_MESSAGELEVEL, else info.
[[nodiscard]] Level level_of(const Settings& settings, const Variables& variables);

// The boolean as asked; false with a built-in origin when nobody asked.
[[nodiscard]] Flag flag_of(const Settings& settings, OptionId id);
[[nodiscard]] Text text_of(const Settings& settings, OptionId id);

}  // namespace swrun
