// What to make of an errno whatever the call was.  Pure.
#pragma once

#include <string_view>

namespace swrun {

// Limits of open files, file systems whose server has gone, links and names that no kernel follows; empty for all
// others.  sys_error() takes it as the hint.
[[nodiscard]] std::string_view errno_hint(int err);

}  // namespace swrun
