// The processes that swrun makes, and what all of them need: pipes, forks with one owner who reaps, orphans, the tie to a
// parent, argument vectors, streams on nothing.  Nobody else calls pipe2(2), fork(2) or prctl(PR_SET_PDEATHSIG).
// After a fork of a process with threads a body may do system calls only; of the launcher, which has one, anything.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/fd.h"
#include "support/result.h"

namespace swrun {

// Both ends are closed on exec, as all that swrun opens.
struct Pipe {
    Fd reader;
    Fd writer;
};
[[nodiscard]] Result<Pipe> make_pipe(int more_flags = 0);  // of pipe2(2)

// Sole owner of one child; the destructor waits for it.
class [[nodiscard]] Child {
public:
    Child() = default;
    explicit Child(pid_t pid) : pid_(pid) {}
    Child(Child&& other) noexcept : pid_(other.release()) {}
    Child& operator=(Child&&) = delete;
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child();

    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] pid_t release() {
        const pid_t pid = pid_;
        pid_ = -1;
        return pid;
    }
    // The raw wait(2) status.
    [[nodiscard]] Result<int> wait();

private:
    pid_t pid_ = -1;
};

// fork(2): 0 in the child, which goes on as its caller; `what` is for the error.
[[nodiscard]] Result<pid_t> fork_process(std::string_view what);

// Runs `body` in a child, which ends with 255 should it return.
[[nodiscard]] Result<Child> start_child(std::string_view what, const std::function<void()>& body);

// "by signal 9", "with status 3", of a wait(2) status.
[[nodiscard]] std::string ended_how(int status);

// Lets no child outlive its parent.  Made before the fork, and kept by the parent as long as it lives.
class [[nodiscard]] Tether {
public:
    [[nodiscard]] static Result<Tether> make();

    // In the child: SIGKILL when the parent ends.  A parent that has ended before sends no signal any more, and its
    // number says nothing across a pid namespace: its end of a pipe, held by nobody else, tells.  Ends the process then.
    void bind();

private:
    explicit Tether(Pipe pipe) : pipe_(std::move(pipe)) {}

    Pipe pipe_;
};

// For execve(2) and its kin, which take char* and change nothing: one pointer for each word, and a null pointer.
// Good as long as the words are.
[[nodiscard]] std::vector<char*> pointers_to(const std::vector<std::string>& words);

// Standard input, output and error on /dev/null, for who must keep no stream of the caller.  Needs no free descriptor.
void drop_streams();

// Runs `body`, which must not return, in a process that is nobody's child.
[[nodiscard]] Status start_orphan(std::string_view what, const std::function<void()>& body);

// How many processors this process may run on (sched_setaffinity(2)).
[[nodiscard]] int usable_processors();

// Closes every descriptor from 3 on but those (ascending, -1 for none): an inherited pipe would hold a pipeline open, a
// directory its file system busy.
void close_all_but(std::span<const int> kept);
inline void close_all_but(std::initializer_list<int> kept) { close_all_but(std::span(kept.begin(), kept.size())); }

// What ps(1) and /proc/PID/cmdline show of this process from now on, in place of its arguments and variables, which are
// wiped there; environ goes on with copies that are never freed.  False, and nothing done, where there is no room.
bool set_process_title(const std::string& title);

// Runs a program of ours or the system's by absolute path, stdin from /dev/null, and gives its standard
// output; a failing status is an error.  No shell, the environment is passed on.  With `patience` (0: as long as it
// takes) a program that is not done in time is killed, and that is an error as well.
[[nodiscard]] Result<std::string> capture_output(const std::vector<std::string>& argv, std::size_t limit,
                                                 std::chrono::milliseconds patience = {});

}  // namespace swrun
