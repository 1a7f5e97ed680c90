// The files of a control group of version 2, and the words that systemd has for them.  Used by
// runtime/control_group and by those who look at a group or enter it.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "plan/launch_plan.h"
#include "support/result.h"

namespace swrun {

// One file below a group's directory.
[[nodiscard]] Status write_group_file(int directory, const std::string& file, std::string_view value);
[[nodiscard]] Result<std::string> read_group_file(int directory, const std::string& file);

// The call that asks systemd for a scope with this process in it, as arguments of busctl(1).
[[nodiscard]] std::vector<std::string> scope_call(const LimitPlan& plan, pid_t pid, const std::string& scope);

// Writes every setting below the group's directory, in order.
[[nodiscard]] Status write_settings(int group, const LimitPlan& plan);

// Moves this process into the group of another one, as far as the kernel lets us.
[[nodiscard]] Status enter_group_of(int process);

// The directory of a process's group; fails on hosts with version 1.  `process` is a descriptor of /proc/PID.
[[nodiscard]] Result<std::string> group_directory_of(int process);

}  // namespace swrun
