#include "fuse/placement.h"

namespace swrun {
namespace {

// Since Linux 6.2 the kernel remembers what sched_setaffinity(2) was told, through exec, and a later change of the cpuset is
// cut down to it.  Whoever never asked for processors must not be left with a wish for those of today: all that there
// could ever be is no wish.
cpu_set_t wish_for(const cpu_set_t& all) {
    cpu_set_t every;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) CPU_SET(cpu, &every);
    cpu_set_t got;
    if (::sched_setaffinity(0, sizeof every, &every) == 0 && ::sched_getaffinity(0, sizeof got, &got) == 0 &&
        CPU_EQUAL(&got, &all)) {
        return every;
    }
    ::sched_setaffinity(0, sizeof all, &all);
    return all;
}

}  // namespace

Placement Placement::here() {
    Placement placement;
    const int policy = ::sched_getscheduler(0);
    placement.cpu_ = ::sched_getcpu();
    placement.possible_ = (policy == SCHED_OTHER || policy == SCHED_BATCH) && placement.cpu_ >= 0 &&
                          placement.cpu_ < CPU_SETSIZE &&
                          ::sched_getaffinity(0, sizeof placement.all_, &placement.all_) == 0 &&
                          CPU_COUNT(&placement.all_) > 1 && CPU_ISSET(placement.cpu_, &placement.all_);
    if (placement.possible_) placement.wish_ = wish_for(placement.all_);
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

void Placement::release(pid_t thread) const { move(thread, wish_); }

Placement::Stay::Stay(const Placement* placement) : placement_(placement) {
    cpu_set_t now;
    if (placement_ == nullptr || !placement_->possible_) return;
    if (::sched_getaffinity(0, sizeof now, &now) == 0 && CPU_EQUAL(&now, &placement_->all_)) {
        placement_->keep_here();
    } else {
        placement_ = nullptr;
    }
}

Placement::Stay::~Stay() {
    if (placement_ != nullptr) placement_->release();
}

}  // namespace swrun
