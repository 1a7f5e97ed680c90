// Image arguments that are addresses: docker://alpine, library://user/image, oci-archive:FILE.  swrun runs
// files and directories; an address gets an error that says so, instead of one about a path nobody wrote.
// Pure.
#pragma once

#include <optional>
#include <string_view>

#include "support/error.h"

namespace swrun {

// nullopt for paths, also those with a colon in them, and for instance://NAME.
[[nodiscard]] std::optional<Error> refused_transport(std::string_view image);

}  // namespace swrun
