// S9 and S10: the working directory, the program's environment, the choice of the program and execve.
// Runs inside the container with the program's own rights; nothing here touches a mount.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "plan/launch_plan.h"
#include "support/result.h"

namespace swrun {

// S9.  Enters the first candidate that lets us in, says so when it was not the first, gives the
// physical path ("" when the kernel cannot tell it).
[[nodiscard]] Result<std::string> enter_directory(const std::vector<CwdCandidate>& candidates);

// The file that `name` means: with a slash as it is, else through PATH (an empty element is the working
// directory); not looked for where it is known to be absent.  Errors as the tools of the field print them.
[[nodiscard]] Result<std::string> find_program(const std::string& name, const std::string& path_variable,
                                               std::span<const std::string> absent = {});

// S10, last half: takes the first candidate that fits and becomes it.  Returns only on failure.  `absent`: paths that are
// known to lead nowhere, so that the search through PATH can leave them out.
[[nodiscard]] Error execute(const ProgramPlan& program, std::vector<Variable> environment,
                            std::span<const std::string> absent = {});

}  // namespace swrun
