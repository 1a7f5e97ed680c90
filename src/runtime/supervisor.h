// The parent and the init of a launch with its own pid namespace, the only launches that keep a process
// of ours beside the program.  Both forward signals and reproduce how the program ended.
#pragma once

#include <sys/types.h>
#include <csignal>
#include <functional>

namespace swrun {

// In the process that the caller started: forwards every signal it gets to `child` (process 1 of the
// namespace) and ends as the child did: same status, or 128+N after a signal.  Never returns.
// `written_back`: end of file tells that all that the child wrote has reached its image; -1 when it writes to
// none.  What background processes of the program still hold open is not waited for long.
// `ended` is called before the end.
[[noreturn]] void supervise(pid_t child, int written_back, const std::function<void()>& ended = {});

// In process 1: reaps whatever ends, forwards signals to `program`, ends when that does with its
// status (128+N after a signal); the kernel then kills the rest (pid_namespaces(7)).  `ended` is called before
// that.  Never returns.
[[noreturn]] void run_init(pid_t program, const std::function<void()>& ended = {});

// In process 1 of an instance, which stays when its program has ended: others may have joined.  Signals go to
// the program's process group; one that asks to end ends the instance once nobody is left in it.  `executed` is
// at its end when the program runs, or holds a byte when it could not be started: then the byte goes on to
// `ready`, and this process ends.  All other descriptors but `kept` (-1 for none) are closed; `ended` is called
// before the end.  Never returns.
[[noreturn]] void run_instance_init(pid_t program, int executed, int ready, int kept = -1,
                                    const std::function<void()>& ended = {});

// All signals are blocked until supervise or run_init take them, so that none is lost in between; the
// child restores `before` (in: uninitialised, out: the mask to restore).
void block_signals(sigset_t* before);
void restore_signals(const sigset_t* before);

}  // namespace swrun
