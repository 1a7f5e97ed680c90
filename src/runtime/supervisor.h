// The parent and the init of a launch with its own pid namespace, the only launches that keep a process
// of ours beside the program.  Both forward signals and reproduce how the program ended.
#pragma once

#include <sys/types.h>
#include <csignal>

namespace swrun {

// In the process that the caller started: forwards every signal it gets to `child` (process 1 of the
// namespace) and ends as the child did: same status, or 128+N after a signal.  Never returns.
[[noreturn]] void supervise(pid_t child);

// In process 1: reaps whatever ends, forwards signals to `program`, ends when that does with its
// status (128+N after a signal); the kernel then kills the rest (pid_namespaces(7)).  Never returns.
[[noreturn]] void run_init(pid_t program);

// All signals are blocked until supervise or run_init take them, so that none is lost in between; the
// child restores `before` (in: uninitialised, out: the mask to restore).
void block_signals(sigset_t* before);
void restore_signals(const sigset_t* before);

}  // namespace swrun
