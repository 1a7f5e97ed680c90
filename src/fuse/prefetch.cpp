#include "fuse/prefetch.h"

#include <sched.h>

#include <system_error>

#include "support/io.h"
#include "support/text.h"

namespace swrun {
namespace {

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

// A thread that decodes ahead would keep the one that answers off its core for a whole time slice (2 to 3 ms): the
// scheduler wakes a thread where it ran last, even when another core is idle.  SCHED_IDLE gives way at once (sched(7)).
void stand_back() {
    const sched_param none{};
    ::sched_setscheduler(0, SCHED_IDLE, &none);
    BlockCache::works_ahead = true;
}

}  // namespace

Prefetch::Prefetch(const SquashSource& source, BlockCache& cache, ReaderPool& readers, const StartHint& hint,
                   std::atomic<bool>& stop)
    : source_(source), cache_(cache), hint_(hint), stopped_(stop) {
    if (hint.programs.empty() || !has_idle_core()) return;
    try {
        finder_ = std::thread([this, &readers] { find(readers); });
        helper_ = std::thread([this] { decode_found(); });
    } catch (const std::system_error&) {
        // The limit of processes is reached (ulimit -u): less is done ahead, or nothing.
    }
}

Prefetch::~Prefetch() {
    stopped_ = true;
    if (finder_.joinable()) finder_.join();
    if (helper_.joinable()) helper_.join();
}

void Prefetch::find(ReaderPool& readers) {
    stand_back();
    const ReaderPool::Lease reader = readers.borrow();
    Prediction(*reader, stopped_, [this](BlockKey found) {
        {
            const std::lock_guard lock(mutex_);
            found_.push_back(found);
        }
        changed_.notify_one();
    }).run(hint_);
    {
        const std::lock_guard lock(mutex_);
        complete_ = true;
    }
    changed_.notify_all();
    while (decode_one()) {}
}

void Prefetch::decode_found() {
    stand_back();
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return complete_ || taken_ < found_.size(); });
        }
        if (!decode_one()) return;
    }
}

bool Prefetch::decode_one() {
    BlockKey key;
    {
        const std::lock_guard lock(mutex_);
        if (stopped_ || taken_ == found_.size()) return false;
        key = found_[taken_++];
    }
    (void)source_.block(key, cache_);  // damage shows to whoever asks for it
    return true;
}

}  // namespace swrun
