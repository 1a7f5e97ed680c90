// Should the image server be killed, its mount answers ENOTCONN and no process of swrun's is left to say why.  So a
// server that has lived a while forks a watcher, which sleeps until it is dismissed or the server is gone without
// that, and then writes one line to where the launch's messages went.  It holds no pipe or terminal of the caller's: others wait
// for their end.
#pragma once

#include <string>

#include "support/fd.h"

namespace swrun {

// Where the standard error of this process leads.  A file is kept open, because who writes at his own place in it would
// write over what is appended; a terminal is only named.  Anything else, above all a pipe, whose reader waits for the
// last writer, is none.
struct MessagePlace {
    std::string terminal;
    Fd file;

    [[nodiscard]] static MessagePlace of_this_process();
    [[nodiscard]] bool is_any() const { return file.valid() || !terminal.empty(); }
};

class Watcher {
public:
    Watcher() = default;
    Watcher(Watcher&&) noexcept = default;
    Watcher& operator=(Watcher&&) noexcept = default;
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;
    ~Watcher();  // dismisses it

    // May be called with other threads running.  Without a place, or without room for a process, there is none.
    static Watcher start(const MessagePlace& place, const std::string& image);

private:
    Fd dismissal_;
};

}  // namespace swrun
