#include "fuse/prefetch.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "support/io.h"
#include "support/text.h"

namespace swrun {
namespace {

// As in linux/sched/types.h, which cannot be included beside this C library's sched.h.
struct SchedAttributes {
    std::uint32_t size = sizeof(SchedAttributes);
    std::uint32_t policy = 0;
    std::uint64_t flags = 0;
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t runtime = 0;  // nanoseconds
    std::uint64_t deadline = 0;
    std::uint64_t period = 0;
};

// How many threads of the host want to run right now (proc_loadavg(5)); 0 when it does not say.
std::uint64_t runnable() {
    constexpr std::size_t kMaxLine = 256;
    const std::string line = read_file("/proc/loadavg", kMaxLine).value_or(std::string());
    const auto fields = split(line, ' ');
    if (fields.size() < 4) return 0;
    return parse_decimal(fields[3].substr(0, fields[3].find('/'))).value_or(0);
}

// Up to three are ours: the launcher, this process, and the one between them, which ends just now.
bool has_idle_core() { return runnable() <= std::thread::hardware_concurrency() + 2; }

}  // namespace

Prefetch::Prefetch(const SquashSource& source, BlockCache& cache, ReaderPool& readers, const StartHint& hint,
                   PredictedFiles* told, const Placement& placement, std::function<void()> done)
    : source_(source), cache_(cache), hint_(hint), told_(told), placement_(placement), done_(std::move(done)) {
    if (hint.programs.empty() || !has_idle_core()) return;
    try {
        finder_ = std::thread([this, &readers] { find(readers); });
        runs_ = true;
        // One for each processor but the launcher's: more would take turns, and what is needed first be late.
        if (placement_.others() > 1) helper_ = std::thread([this] { help(); });
    } catch (const std::system_error&) {
        // The limit of processes is reached (ulimit -u): less is done ahead, or nothing.
    }
}

Prefetch::~Prefetch() { end(); }

void Prefetch::end() {
    const std::lock_guard ending(ending_);
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
    }
    changed_.notify_all();
    if (finder_.joinable()) finder_.join();
    if (helper_.joinable()) helper_.join();
    while (do_deferred()) {}
}

// Whoever wants the processor gets nearly all of it, and soon: Linux 6.12 takes sched_runtime for the time slice, which
// somebody who wakes up may have to wait for.  SCHED_IDLE would give way at once, but to the scheduler a processor that
// does only such work is an idle one, and it moves the waking program there (sched(7)).
void Prefetch::stand_back() const {
    SchedAttributes wishes;
    wishes.policy = SCHED_BATCH;
    wishes.nice = 19;
    wishes.runtime = 100'000;  // the least
    ::syscall(SYS_sched_setattr, 0, &wishes, 0U);
    placement_.push_away();
    BlockCache::works_ahead = true;
}

void Prefetch::announce(const PredictedBlock& block) {
    {
        const std::lock_guard lock(mutex_);
        found_.push_back(block.key);
    }
    changed_.notify_one();
    if (told_ == nullptr) return;
    const auto [at, is_new] = announced_.try_emplace(block.path);
    if (is_new) at->second = told_->add(block.path, block.size);
    if (at->second) told_->add_block(*at->second, block.number);
}

void Prefetch::find(ReaderPool& readers) {
    stand_back();
    {
        const ReaderPool::Lease reader = readers.borrow();
        const auto tell_absent = [this](std::size_t program) {
            if (told_ != nullptr) told_->mark_absent(program);
        };
        Prediction(*reader, stopped_, {[this](const PredictedBlock& block) { announce(block); }, tell_absent})
            .run(hint_);
    }
    {
        const std::lock_guard lock(mutex_);
        complete_ = true;
    }
    work();
}

void Prefetch::help() {
    stand_back();
    work();
}

// Until the end: a thread that ends early costs the others an interrupt each for the memory that it gives back.
void Prefetch::work() {
    for (;;) {
        while (do_deferred() || decode_one()) {}
        std::unique_lock lock(mutex_);
        if (complete_ && done_) std::exchange(done_, nullptr)();
        changed_.wait(lock, [this] { return stopped_ || !deferred_.empty() || taken_ < found_.size(); });
        if (stopped_) return;
    }
}

bool Prefetch::decode_one() {
    BlockKey next;
    {
        const std::lock_guard lock(mutex_);
        if (stopped_ || taken_ == found_.size()) return false;
        next = found_[taken_++];
        if (std::ranges::find(skipped_, next) != skipped_.end()) return true;
    }
    (void)source_.block(next, cache_);  // damage shows to whoever asks for it
    return true;
}

void Prefetch::skip(BlockKey block) {
    const std::lock_guard lock(mutex_);
    const bool is_left = !complete_ || taken_ < found_.size();
    if (!stopped_ && is_left) skipped_.push_back(block);
}

bool Prefetch::defer(std::function<void()> job) {
    {
        const std::lock_guard lock(mutex_);
        if (stopped_ || !runs_) return false;
        deferred_.push_back(std::move(job));
        deferred_count_.fetch_add(1);
    }
    changed_.notify_one();
    return true;
}

bool Prefetch::do_deferred() {
    std::function<void()> job;
    {
        const std::lock_guard lock(mutex_);
        if (deferred_.empty()) return false;
        job = std::move(deferred_.front());
        deferred_.pop_front();
        deferred_count_.fetch_sub(1);
    }
    job();
    return true;
}

}  // namespace swrun
