// The parent and the init of a launch with its own pid namespace, the only launches that keep a process
// of ours beside the program.  Both forward signals and reproduce how the program ended.
#pragma once

#include <sys/types.h>
#include <csignal>
#include <functional>

namespace swrun {

struct Supervised {
    pid_t child = -1;       // the program, or process 1 of its namespace
    int written_back = -1;  // end of file: all that the child wrote has reached its image; -1 when it writes to none
    int news = -1;          // from an init of ours, which tells of the program's stops (make_stop_news); else -1
    int proc = -1;          // the host's /proc, when the program itself is process 1; else -1
};

// In the process that the caller started: forwards every signal it gets to the child, stops and goes on with the
// program, and ends as the child did: same status, or 128+N after a signal.  Never returns.
// What background processes of the program still hold open of the image is not waited for long.
// `ended` is called before the end.
[[noreturn]] void supervise(const Supervised& what, const std::function<void()>& ended = {});

// In process 1: reaps whatever ends, forwards signals to `program`, tells `news` of its stops, ends when that does with
// its status (128+N after a signal); the kernel then kills the rest (pid_namespaces(7)).  `ended` is called before
// that.  Never returns.
[[noreturn]] void run_init(pid_t program, int news, const std::function<void()>& ended = {});

// What process 1 of an instance says once it can be joined.
inline constexpr char kInstanceReady = 'R';

// In process 1 of an instance, which stays when its program has ended: others may have joined.  Signals go to
// the program's process group; one that asks to end ends the instance once nobody is left in it.  `executed` is
// at its end when the program runs, or holds a byte when it could not be started: then the byte goes on to
// `ready`, and this process ends.  All other descriptors but `kept` (-1 for none) are closed, kInstanceReady goes to
// `ready` when nothing is left to do, and that is closed; `ended` is called before the end.  Never returns.
[[noreturn]] void run_instance_init(pid_t program, int executed, int ready, int kept = -1,
                                    const std::function<void()>& ended = {});

// All signals are blocked until supervise or run_init take them, so that none is lost in between; the
// child restores `before` (in: uninitialised, out: the mask to restore; may be null).
void block_signals(sigset_t* before);
void restore_signals(const sigset_t* before);

}  // namespace swrun
