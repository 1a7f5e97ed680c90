// The order in which an image's environment is made, as data: one list that both ways of making it,
// shell_lite and a real shell, walk.  Also the small rules about PATH that both apply.  Private to
// this room.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plan/launch_plan.h"

namespace swrun {

struct StartupStep {
    enum class Kind {
        default_path,   // PATH, if unset, becomes the default one
        source,         // reads files[file]
        complete_path,  // adds the missing components of the default PATH
        overrides,      // sets the user's values on top
        libraries,      // puts the image's own library directories before the injected ones
    };

    Kind kind = Kind::source;
    std::size_t file = 0;

    friend bool operator==(const StartupStep&, const StartupStep&) = default;
};

[[nodiscard]] std::vector<StartupStep> startup_steps(const StartupPlan& plan);

// `path` and then the components of the default PATH that it lacks.
[[nodiscard]] std::string complete_path(std::string_view path);

// The shell text that sets one override: evaluated like a double-quoted word unless the plan says
// no_eval.  PATH, PREPEND_PATH and APPEND_PATH set helper variables that take effect at the end.
[[nodiscard]] std::string override_text(const EnvOverride& override_value, bool no_eval);

// May the image's files see this forwarded variable?
[[nodiscard]] bool is_visible_to_image(std::string_view name);

}  // namespace swrun
