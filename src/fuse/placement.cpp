#include "fuse/placement.h"

#include <algorithm>
#include <string>

#include "support/io.h"
#include "support/path.h"
#include "support/proc_text.h"
#include "support/text.h"

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

// Where a thread runs or ran last.
std::optional<int> processor_of(pid_t thread) {
    constexpr std::size_t kMaxLine = 1024;
    const std::string line = read_file("/proc/" + std::to_string(thread) + "/stat", kMaxLine).value_or(std::string());
    const auto cpu = parse_decimal(stat_field(line, StatField::processor));
    if (!cpu || *cpu >= CPU_SETSIZE) return std::nullopt;
    return static_cast<int>(*cpu);
}

// Some file of that name, at the group or above it, that does not say "no limit".
bool is_limited(const std::string& mount, std::string_view group, const char* file, std::string_view none) {
    constexpr std::size_t kMaxLine = 256;
    return std::ranges::any_of(group_and_above(group), [&](const std::string& one) {
        const Result<std::string> text = read_file(join_path(mount + one, file), kMaxLine);
        return text && !text->starts_with(none);
    });
}

}  // namespace

bool has_processor_quota() {
    constexpr std::size_t kMaxGroups = 64U << 10U;
    const std::string groups = read_file("/proc/self/cgroup", kMaxGroups).value_or(std::string());
    for (const GroupLine& line : group_lines(groups)) {
        if (line.is_unified() && is_limited(kGroupMount, line.path, "cpu.max", "max")) return true;
        if (line.has("cpu") && is_limited("/sys/fs/cgroup/cpu", line.path, "cpu.cfs_quota_us", "-1")) return true;
    }
    return false;
}

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

std::optional<Placement> Placement::beside(pid_t asker) const {
    if (others() != 1 || asker <= 0) return std::nullopt;
    const std::optional<int> cpu = processor_of(asker);
    if (!cpu || *cpu == cpu_ || !CPU_ISSET(*cpu, &all_)) return std::nullopt;
    Placement there = *this;
    there.cpu_ = *cpu;
    return there;
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
