#include "fuse/placement.h"

namespace swrun {

Placement Placement::here() {
    Placement placement;
    placement.cpu_ = ::sched_getcpu();
    placement.possible_ = placement.cpu_ >= 0 && placement.cpu_ < CPU_SETSIZE &&
                          ::sched_getaffinity(0, sizeof placement.all_, &placement.all_) == 0 &&
                          CPU_COUNT(&placement.all_) > 1 && CPU_ISSET(placement.cpu_, &placement.all_);
    return placement;
}

// A guess at what pays: failing changes nothing.
void Placement::move(pid_t thread, const cpu_set_t& to) const {
    if (possible_) ::sched_setaffinity(thread, sizeof to, &to);
}

void Placement::keep_here(pid_t thread) const {
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(cpu_, &only);
    move(thread, only);
}

void Placement::push_away(pid_t thread) const {
    cpu_set_t others = all_;
    CPU_CLR(cpu_, &others);
    move(thread, others);
}

void Placement::release(pid_t thread) const { move(thread, all_); }

}  // namespace swrun
