// The limit of open files (RLIMIT_NOFILE, getrlimit(2)): a launch with many mounts needs more descriptors than the soft
// limit that shells and batch systems give.  It is raised for our own time, on the first EMFILE or where many are about
// to be needed, and given back before any program of others runs.  One state per process, which fork(2) copies; not
// thread-safe.
#pragma once

#include <cerrno>
#include <cstddef>

namespace swrun {

// Lifts the soft limit to the hard one.  False: that gives nothing more.
bool raise_descriptor_limit();

// Puts the soft limit back where the caller had it.  For the process that is about to become a program, and nothing
// but system calls, so that a child of fork(2) or vfork(2) may call it.
void restore_descriptor_limit();

// Descriptor numbers that may be given out now: the soft limit.
[[nodiscard]] std::size_t descriptor_limit();

// Makes a call that opens something; once more, with the limit raised, when it fails for want of descriptors.
template <class Call> [[nodiscard]] auto with_room(Call call) {
    auto made = call();
    if (made < 0 && errno == EMFILE) {
        if (raise_descriptor_limit()) {
            made = call();
        } else {
            errno = EMFILE;
        }
    }
    return made;
}

}  // namespace swrun
