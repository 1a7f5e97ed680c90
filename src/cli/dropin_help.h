// The option table as Apptainer prints it, for the drop-in names: tools and users compare it.  Sorted by
// name, types instead of value names, wrapped at 80 columns the way its flag library wraps.  Pure.
#pragma once

#include <string>
#include <string_view>

#include "cli/option_table.h"

namespace swrun {

// One or more lines for each option that Apptainer lists for this command.  `name` is named in the line of
// --help, `home` in that of --home.
[[nodiscard]] std::string dropin_option_table(Command command, std::string_view name, std::string_view home);

}  // namespace swrun
