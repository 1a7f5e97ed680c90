// Recognizes the runscript that builders generate for OCI images and composes the command that it
// would run, so that such images need no shell, and so that the user's arguments arrive as he wrote
// them: the script itself would evaluate them a second time.  Called by resolve.  Pure text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace swrun {

struct OciRunscript {
    std::vector<std::string> entrypoint;
    std::vector<std::string> cmd;

    friend bool operator==(const OciRunscript&, const OciRunscript&) = default;
};

// nullopt: not the generated script, or its words need a shell to evaluate.
[[nodiscard]] std::optional<OciRunscript> parse_oci_runscript(std::string_view text);

// entrypoint, then the arguments or else cmd.  Empty when the image has neither and none are given.
[[nodiscard]] std::vector<std::string> compose_oci_command(const OciRunscript& script,
                                                           const std::vector<std::string>& arguments);

}  // namespace swrun
