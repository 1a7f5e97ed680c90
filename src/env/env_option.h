// Reading what people write as variables: one --env argument.  Called by cli for --env and its
// environment spelling.  Pure text; what the pairs then mean is env_rules' business.
#pragma once

#include <string_view>
#include <vector>

#include "plan/launch_request.h"
#include "support/result.h"

namespace swrun {

// With one '=' the text is one NAME=VALUE, commas and all; with more it is a CSV record of them, so
// that "A=1,B=2" is two and "\"A=1,2\",B=3" too.  Double quotes around the whole text or around the
// whole value are taken off in pairs, never one alone.  An empty name is kept: env_rules warns and
// skips it.  Error::Kind::usage with the text that --env reports when a pair lacks its '='.
[[nodiscard]] Result<std::vector<EnvOverride>> parse_env_option(std::string_view text, const Origin& origin);

}  // namespace swrun
