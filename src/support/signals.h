// Signals by name, as people write them on command lines.
#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>

namespace swrun {

// "SIGTERM", "term", "15": the number; nullopt for anything else.
[[nodiscard]] std::optional<int> signal_number(std::string_view text);

// For a process that serves the program's files: a signal to the job's group must not take them from under a
// program that is writing its checkpoint.  Ignores what terminals and batch systems send, and `also`, and
// unblocks all; execve(2) passes it on.
void outlive_job_signals(std::initializer_list<int> also = {});

// A caller that ignores SIGCHLD passes that on through execve(2); the kernel then reaps children by itself and
// wait(2) and sigwaitinfo(2) never hear of them.  The first makes it the default for our own time, the second,
// just before the program takes over, gives back what the caller had.
void hear_of_children();
void give_back_child_signal();

}  // namespace swrun
