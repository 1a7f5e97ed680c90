// On which processors the threads of an image server run while a program starts.  A request from one processor to a
// thread on another wakes that one by an interrupt, twice per request, which in a virtual machine costs more than the
// answer.  So who answers stays where the launcher is, which waits meanwhile anyway; who decodes ahead keeps away from
// there, and the scheduler, which would move the launcher to an idle processor, finds none.
#pragma once

#include <sched.h>
#include <sys/types.h>

#include <optional>

namespace swrun {

class Placement {
public:
    // Of a server that the calling process will start.  Nothing is ever moved without a second processor, on a machine with
    // more than the C library's cpu_set_t holds, or where the caller has a real-time class (who spins there starves others).
    [[nodiscard]] static Placement here();

    // Processors that this process may use beside the launcher's; 0 when nothing is known.
    [[nodiscard]] int others() const { return possible_ ? CPU_COUNT(&all_) - 1 : 0; }

    // For who answers, once the program asks from somewhere else: beside that thread.  Nothing when it is there, or cannot be
    // found (proc(5), another PID namespace, hidepid), or where there are idle processors left for it to be moved to again.
    [[nodiscard]] std::optional<Placement> beside(pid_t asker) const;

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

// Whether a control group limits the processor time of this process (cpu.max, or cfs_quota_us of version 1): then no thread
// may burn any for the sake of another.
[[nodiscard]] bool has_processor_quota();

}  // namespace swrun
