// Stops and continues, between the program and whoever started the launch.  A shell gives its prompt back when the
// process that it has started stops, and for no other one: a process of ours that waits for the program has to stop
// with it and to go on with it.
#pragma once

#include <sys/types.h>

#include <functional>

#include "support/process.h"
#include "support/result.h"

namespace swrun {

[[nodiscard]] bool is_stop_signal(int number);  // those that terminals send; SIGSTOP is none of them

// How process 1 tells the supervisor of the program's stops.  No signal can: none leaves a pid namespace, and process 1
// cannot stop itself for its parent to see (pid_namespaces(7)).  Whatever is told also continues the supervisor when it
// has been stopped: the kernel then sends it SIGCONT, with a si_code above 0, which no process can give to a signal.
// Neither end blocks.
[[nodiscard]] Result<Pipe> make_stop_news();
void listen_to_stop_news(int reader);
void tell_stop_news(int writer, int number);               // what has stopped the program; 0 when it goes on
[[nodiscard]] int read_stop_news(int reader, int before);  // the latest; `before` when nothing was told

// For a program that has left our process group: an interactive shell in a pid namespace cannot go back to it before
// it suspends itself, as it would elsewhere, and the caller's shell gives the terminal to our group only.
class TerminalLoan {
public:
    void stopped(pid_t program);    // notes whether the terminal was its group's
    void continued(pid_t program);  // gives it back, where our group is the foreground one

private:
    bool had_ = false;
};

// Whether a process does not leave a signal to its default action.  `proc`: descriptor of the host's /proc.  False
// when nothing can be learned.
[[nodiscard]] bool handles_signal(int proc, pid_t process, int number);

// Stops this process, which has blocked all signals, by the signal that has stopped its child, and comes back when it
// goes on.  `still_stopped` is asked once any SIGCONT from then on undoes the stop, so that none comes too late.
// `is_woken`: somebody continues this process when the child alone is continued.  Where nobody does, SIGSTOP is
// followed only below a shell with job control: otherwise who has held the child and lets it go would leave this
// process stopped for ever.
void stop_with_child(int number, bool is_woken, const std::function<bool()>& still_stopped);

}  // namespace swrun
