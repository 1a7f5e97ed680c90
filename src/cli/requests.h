// What the small commands (sif, cache, config, capability, overlay) ask for, from settings and operands.
// Called by cli/options for these commands only; launches and inspect have cli/precedence.  Pure.
#pragma once

#include <optional>
#include <string>

#include "cli/argv_pass.h"
#include "cli/invocation.h"
#include "cli/settings.h"
#include "cli/variables.h"

namespace swrun {

// `line` has passed check_operands().  What is wrong with an operand, in the words of a usage error; nullopt
// when nothing is.
[[nodiscard]] std::optional<std::string> fill_small_request(const Settings& settings, const CommandLine& line,
                                                            Invocation& into);

// $SWRUN_CACHEDIR or $APPTAINER_CACHEDIR or $SINGULARITY_CACHEDIR, else $XDG_CACHE_HOME, else ~/.cache; below it always
// a directory of swrun's own, so that emptying it can harm nobody.  Empty when there is no home either.
[[nodiscard]] std::string cache_directory(const Variables& variables, const std::string& home);

// Every option that has a value, for `config show`.
[[nodiscard]] std::vector<ShownSetting> shown_settings(const Settings& settings);

}  // namespace swrun
