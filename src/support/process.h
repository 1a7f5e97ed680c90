// Child processes: a handle that reaps, so that the program never meets a child of ours.
#pragma once

#include <sys/types.h>

#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
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

// Runs `body`, which must not return, in a process that is nobody's child.  `started` is called with its number as soon
// as there is one, in a process that shares this one's memory: system calls only.
[[nodiscard]] Status start_orphan(
    std::string_view what, const std::function<void()>& body, const std::function<void(pid_t)>& started = [](pid_t) {});

// Closes every descriptor from 3 on but those (ascending, -1 for none): an inherited pipe would hold a pipeline open, a
// directory its file system busy.
void close_all_but(std::span<const int> kept);
inline void close_all_but(std::initializer_list<int> kept) { close_all_but(std::span(kept.begin(), kept.size())); }

// What ps(1) and /proc/PID/cmdline show of this process from now on, in place of its arguments and variables, which are
// wiped there; environ goes on with copies that are never freed.  False, and nothing done, where there is no room.
bool set_process_title(const std::string& title);

// Runs a program of ours or the system's by absolute path, stdin from /dev/null, and gives its standard
// output; a failing status is an error.  No shell, the environment is passed on.
[[nodiscard]] Result<std::string> capture_output(const std::vector<std::string>& argv, std::size_t limit);

}  // namespace swrun
