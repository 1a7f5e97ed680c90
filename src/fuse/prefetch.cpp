#include "fuse/prefetch.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <system_error>
#include <utility>

#include "support/io.h"
#include "support/pause.h"
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

constexpr std::int64_t kSpin = 100'000;   // nanoseconds, as all of these
constexpr std::int64_t kRow = 2'000'000;  // requests come in a row while there is no longer gap
constexpr std::int64_t kQuick = 15'000;   // to wake up, where processors are real
constexpr int kQuickWakes = 3;

std::int64_t now_ns() { return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1); }

}  // namespace

Prefetch::Prefetch(const SquashSource& source, BlockCache& cache, ReaderPool& readers, const StartHint& hint,
                   PredictedFiles* told, const Placement& placement)
    : source_(source), cache_(cache), hint_(hint), told_(told), placement_(placement) {
    if (hint.programs.empty() || !has_idle_core()) return;
    try {
        finder_ = std::thread([this, &readers] { find(readers); });
        runs_ = true;
        if (told_ != nullptr) told_->begin();
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
    met_ = {};
    const std::lock_guard lock(mutex_);
    threads_.clear();
}

// Whoever wants the processor gets nearly all of it, and soon: Linux 6.12 takes sched_runtime for the time slice, which
// somebody who wakes up may have to wait for.  SCHED_IDLE would give way at once, but to the scheduler a processor that
// does only such work is an idle one, and it moves the waking program there (sched(7)).
void Prefetch::stand_back() {
    SchedAttributes wishes;
    wishes.policy = SCHED_BATCH;
    wishes.nice = 19;
    wishes.runtime = 100'000;  // the least
    ::syscall(SYS_sched_setattr, 0, &wishes, 0U);
    placement_.push_away();
    BlockCache::works_ahead = true;
    const std::lock_guard lock(mutex_);
    threads_.push_back(::gettid());
}

void Prefetch::keep_away_from(const Placement& answerer) {
    const std::lock_guard lock(mutex_);
    for (const pid_t thread : threads_) answerer.push_away(thread);
}

void Prefetch::announce(const PredictedBlock& block) {
    {
        const std::lock_guard lock(mutex_);
        found_.push_back(block.key);
        left_ = found_.size();
    }
    changed_.notify_one();
    if (told_ == nullptr) return;
    const auto [at, is_new] = announced_.try_emplace(block.path);
    if (is_new) at->second = told_->add(block.path, block.size);
    if (at->second) told_->add_block(*at->second, block.number);
}

void Prefetch::find(ReaderPool& readers) {
    stand_back();
    stays_awake_ = placement_.others() > 0 && !has_processor_quota();
    {
        const ReaderPool::Lease reader = readers.borrow();
        const auto tell_absent = [this](std::size_t program) {
            if (told_ != nullptr) told_->mark_absent(program);
        };
        const auto tell_program = [this](const std::string& path) {
            const auto at = announced_.find(path);
            if (at != announced_.end() && at->second) told_->mark_program(*at->second);
        };
        Prediction(*reader, stopped_,
                   {[this](const PredictedBlock& block) { announce(block); }, tell_absent, tell_program})
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

// Whether there is some before it is time to sleep.  Waking a sleeper costs somebody who waits for an answer nearly what
// the sleeper saves him.
bool Prefetch::finds_work() const {
    const std::int64_t start = now_ns();
    for (;;) {
        if (stopped_) return false;
        if (left_ > 0 || deferred_count_ > 0) return true;
        const bool awake = starting_ && stays_awake_ && quick_wakes_ < kQuickWakes;
        const std::int64_t since = awake ? std::max(start, last_request_.load(std::memory_order_relaxed)) : start;
        if (now_ns() - since > (awake ? kRow : kSpin)) return false;
        pause_a_little();
    }
}

void Prefetch::rest() {
    std::unique_lock lock(mutex_);
    ++asleep_;
    changed_.wait(lock, [this] { return stopped_ || called_ != 0 || !deferred_.empty() || !found_.empty(); });
    --asleep_;
    if (const std::int64_t called = called_.exchange(0); called != 0) {
        quick_wakes_ = now_ns() - called < kQuick ? quick_wakes_ + 1 : 0;
    }
}

void Prefetch::note_request() {
    requests_.fetch_add(1, std::memory_order_relaxed);
    if (!starting_ || !stays_awake_) return;
    const std::int64_t now = now_ns();
    const std::int64_t last = last_request_.exchange(now, std::memory_order_relaxed);
    if (asleep_ == 0 || now - last > kRow / 2 || quick_wakes_ >= kQuickWakes) return;
    {
        const std::lock_guard lock(mutex_);
        called_ = now;
    }
    changed_.notify_one();
}

// Until the end: a thread that ends early costs the others an interrupt each for the memory that it gives back.
void Prefetch::work() {
    while (!stopped_) {
        while (do_deferred() || decode_one()) {}
        if (!finds_work()) rest();
    }
}

bool Prefetch::decode_one() {
    BlockKey next;
    {
        const std::lock_guard lock(mutex_);
        if (stopped_ || found_.empty()) return false;
        next = found_.front();
        found_.pop_front();
        left_ = found_.size();
        if (!met_.insert(next).second) return true;
    }
    (void)source_.block(next, cache_);  // damage shows to whoever asks for it
    return true;
}

void Prefetch::follow(std::span<const BlockKey> blocks) { add(blocks, Turn::last); }
void Prefetch::begin(std::span<const BlockKey> blocks) { add(blocks, Turn::next); }

void Prefetch::add(std::span<const BlockKey> blocks, Turn turn) {
    constexpr std::size_t kEnough = 16;
    {
        const std::lock_guard lock(mutex_);
        const bool last = turn == Turn::last;
        if (stopped_ || !starting_ || (last && (!complete_ || found_.size() >= kEnough))) return;
        std::vector<BlockKey> added;
        std::ranges::copy_if(blocks, std::back_inserter(added), [&](const BlockKey& block) {
            return !met_.contains(block) && !(last && std::ranges::find(found_, block) != found_.end());
        });
        if (added.empty()) return;
        found_.insert(last ? found_.end() : found_.begin(), added.begin(), added.end());
        left_ = found_.size();
    }
    changed_.notify_one();
}

bool Prefetch::defer(std::function<void()> job) {
    {
        const std::lock_guard lock(mutex_);
        if (stopped_ || !starting_ || !runs_) return false;
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
