// Reading an --env-file: shell text in which every assignment is exported, evaluated on the host side
// by shell_lite and never by a shell, so that it cannot run programs or touch files.  Called by
// resolve's caller for each file in order; the caller reads the files and reports missing ones.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plan/host_facts.h"
#include "plan/launch_request.h"
#include "support/result.h"

namespace swrun {

// The variables of one file, in the order of their first assignment.  The caller's variables are
// visible to the text, and `image` (the image argument) as APPTAINER_IMAGE; `positional` is "$@".
// EUID GID HOME IFS OPTIND PWD UID are left out.  Error::Kind::request names the file and line of the
// first thing that would run a program, open a file, or is not understood.
[[nodiscard]] Result<std::vector<EnvOverride>> evaluate_env_file(std::string_view text, const std::string& path,
                                                                 const HostFacts& host, const std::string& image,
                                                                 const std::vector<std::string>& positional);

}  // namespace swrun
