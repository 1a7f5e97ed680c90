// On which processors the threads of an image server run while a program starts.  Who asks and who answers take turns: on one
// processor that is a switch each way, on two an interrupt to a processor that may have gone to sleep.  So who answers stays
// where the launcher is, which waits meanwhile anyway, and who decodes ahead keeps away from there.
#pragma once

#include <sched.h>
#include <sys/types.h>

namespace swrun {

class Placement {
public:
    // Of a server that the calling process will start.  Nothing is ever moved without a second processor, on a machine with
    // more than the C library's cpu_set_t holds, or where the caller has a real-time class (who spins there starves others).
    [[nodiscard]] static Placement here();

    // 0 is the calling thread.
    void keep_here(pid_t thread = 0) const;  // on the launcher's processor only
    void push_away(pid_t thread = 0) const;  // anywhere but there
    void release(pid_t thread = 0) const;    // wherever the launcher was allowed to run

    // Keeps the launcher where it is while it asks for much; afterwards it may run where it might before.  Not where somebody
    // else has changed that meanwhile.
    class Stay {
    public:
        explicit Stay(const Placement* placement);
        ~Stay();
        Stay(const Stay&) = delete;
        Stay& operator=(const Stay&) = delete;

    private:
        const Placement* placement_;
    };

private:
    void move(pid_t thread, const cpu_set_t& to) const;

    bool possible_ = false;
    int cpu_ = 0;
    cpu_set_t all_{};   // where the launcher may run
    cpu_set_t wish_{};  // what sched_setaffinity(2) gets for that
};

}  // namespace swrun
