// What each command does once the command line has been understood: glue between cli, plan and runtime.
// Each gives the exit status; errors are printed here, once, and nowhere else.
#pragma once

#include "cli/invocation.h"
#include "cli/usage.h"
#include "plan/host_facts.h"
#include "support/result.h"
#include "support/stopwatch.h"

namespace swrun {

// exec, run, shell, test, instance start and run.  Returns only when the program was not started (or for --dry-run).
[[nodiscard]] int launch_command(const Invocation& invocation, const HostFacts& host, Stopwatch& watch);

[[nodiscard]] int inspect_command(const Invocation& invocation, const HostFacts& host);
[[nodiscard]] int run_help_command(const Invocation& invocation, const HostFacts& host);
[[nodiscard]] int doctor_command(const HostFacts& host);

[[nodiscard]] int sif_command(const Invocation& invocation, const HostFacts& host);       // list, header, info, dump
[[nodiscard]] int cache_command(const Invocation& invocation);                            // list, clean
[[nodiscard]] int config_command(const Invocation& invocation);                           // show, global
[[nodiscard]] int capability_command(const Invocation& invocation);                       // list, avail
[[nodiscard]] int overlay_command(const Invocation& invocation, const HostFacts& host);   // create
[[nodiscard]] int instance_command(const Invocation& invocation, const HostFacts& host);  // list, stats, stop

// Both texts of a wrong command line; gives the exit status.
int report(const UsageError& wrong);

// Prints the error in the style of the name that swrun was called by; gives the exit status.
int report(const Error& error);

void say(const std::vector<Note>& notes);

}  // namespace swrun
