// The rules that turn the caller's variables and wishes into the two lists of a StartupPlan: what is
// forwarded, and what is forced on top of the image's own values.  Called by resolve.  Reads no
// file and asks nobody: everything comes in as data.
#pragma once

#include <string>
#include <vector>

#include "plan/host_facts.h"
#include "plan/image_facts.h"
#include "plan/launch_plan.h"
#include "plan/launch_request.h"

namespace swrun {

struct EnvInputs {
    const LaunchRequest& request;
    const HostFacts& host;
    const ImageFacts& image;
    std::string home;                          // where the home directory appears inside
    std::vector<std::string> bind_targets;     // what *_BIND lists
    std::vector<EnvOverride> env_file_values;  // of all --env-file files, in order
};

struct EnvRules {
    std::vector<Variable> forwarded;     // sorted by name
    std::vector<EnvOverride> overrides;  // in the order of application
    std::vector<Note> notes;
};

// Rank of overrides: --env, --env-file (a later file first), APPTAINERENV_X, SINGULARITYENV_X.  Order of
// application: prefixed variables by name, then --env-file in file order, then --env as given; a name
// that occurs again keeps its first place and takes the value of the highest rank, so that every value
// that refers to it sees the final one.
[[nodiscard]] EnvRules apply_env_rules(const EnvInputs& inputs);

// apply_env_rules, and the rest of the plan that the request alone decides.  files, has_env_directory,
// late and libs_present are left to the caller (see collect_env_files in env/startup.h).
[[nodiscard]] StartupPlan make_startup_plan(const EnvInputs& inputs, std::vector<Note>& notes);

// --cleanenv or an option that implies it.
[[nodiscard]] bool wants_clean_environment(const LaunchRequest& request);

}  // namespace swrun
