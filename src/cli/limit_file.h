// The file of --apply-cgroups: limits in TOML, with the tables and keys of the OCI runtime specification's
// resources ([memory], [cpu], [pids], [blockIO], [unified], ...).  Pure; the file is read by the caller.
#pragma once

#include <string>
#include <string_view>

#include "resolve/limits.h"

namespace swrun {

// `path` is for messages, which have line and column.  What version 2 of control groups cannot do, or an
// unprivileged user may not, becomes a note.
[[nodiscard]] Result<LimitValues> parse_limit_file(std::string_view text, const std::string& path);

}  // namespace swrun
