// S10, first half: the program's environment.  Usually the plan has it ready; otherwise the image's
// files are evaluated now, inside the container, by a shell in a child that is reaped before exec.
#pragma once

#include <string>
#include <vector>

#include "plan/launch_plan.h"
#include "support/result.h"

namespace swrun {

struct MadeEnvironment {
    std::vector<Variable> variables;
    ProgramPlan program;  // with what the plan left to the image's files
};

// `directory` becomes PWD.  `static_bash` is a descriptor of the host's static bash, or -1: it is used
// where the image has no bash, because environment files are written for one.  Error::Kind::status
// when a file of the image ended the launch.
[[nodiscard]] Result<MadeEnvironment> make_environment(const ProcessPlan& plan, const std::string& directory,
                                                       int static_bash);

}  // namespace swrun
