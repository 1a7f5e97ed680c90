// What each command does once the command line has been understood: glue between cli, plan and runtime.
// Each gives the exit status; errors are printed here, once, and nowhere else.
#pragma once

#include "cli/invocation.h"
#include "plan/host_facts.h"
#include "support/result.h"
#include "support/stopwatch.h"

namespace swrun {

// exec, run, shell, test.  Returns only when the program was not started (or for --dry-run).
[[nodiscard]] int launch_command(const Invocation& invocation, const HostFacts& host, Stopwatch& watch);

[[nodiscard]] int inspect_command(const Invocation& invocation, const HostFacts& host);
[[nodiscard]] int run_help_command(const Invocation& invocation, const HostFacts& host);
[[nodiscard]] int doctor_command(const HostFacts& host);

// Prints the error in the style of the name that swrun was called by; gives the exit status.
int report(const Error& error);

void say(const std::vector<Note>& notes);

}  // namespace swrun
