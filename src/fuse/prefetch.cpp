#include "fuse/prefetch.h"

#include <sched.h>

#include <optional>
#include <system_error>
#include <utility>

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
        finder_ = std::thread([this, &readers] { find_and_push(readers); });
        helper_ = std::thread([this] { decode_found(); });
    } catch (const std::system_error&) {
        // The limit of processes is reached (ulimit -u): less is done ahead, or nothing.
    }
}

Prefetch::~Prefetch() {
    stopped_ = true;
    can_push(nullptr, Fd());
    if (finder_.joinable()) finder_.join();
    if (helper_.joinable()) helper_.join();
}

void Prefetch::find_and_push(ReaderPool& readers) {
    stand_back();
    const ReaderPool::Lease reader = readers.borrow();
    Prediction(*reader, stopped_, [this](PredictedPart found) {
        {
            const std::lock_guard lock(mutex_);
            found_.push_back(std::move(found));
        }
        changed_.notify_one();
    }).run(hint_);
    {
        const std::lock_guard lock(mutex_);
        complete_ = true;
    }
    changed_.notify_all();
    do {
        push_decoded();
    } while (decode_one());
    {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return mounted_; });
    }
    if (helper_.joinable()) helper_.join();  // its last block
    push_decoded();
    const std::lock_guard lock(mutex_);
    pusher_.reset();
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

void Prefetch::can_push(fuse_session* session, Fd mount) {
    {
        const std::lock_guard lock(mutex_);
        // Without the thread that lets go of it in the end it would keep the mount, and with it the server, for ever.
        if (mount && !mounted_ && finder_.joinable()) pusher_.emplace(session, std::move(mount));
        mounted_ = true;
    }
    changed_.notify_all();
}

void Prefetch::push_decoded() {
    std::unique_lock lock(mutex_);
    if (!pusher_ || found_.empty()) return;
    if (!std::exchange(looked_up_, true)) {
        // Where the launcher will look for the program.
        lock.unlock();
        for (const std::string& path : hint_.programs) {
            if (stopped_ || pusher_->look_up(path)) break;
        }
        lock.lock();
    }
    while (!stopped_ && pushed_ < taken_) {
        const PredictedPart next = found_[pushed_];
        const bool last_round = mounted_ && complete_ && taken_ == found_.size();
        lock.unlock();
        const BlockPtr block = cache_.peek(next.part.key);
        if (!block) {
            if (!last_round) return;  // still being decoded
            ++pushed_;                // damaged, or gone: another file that begins with the same block has been pushed
            lock.lock();
            continue;
        }
        // What the kernel has, it will not ask for; the memory, still warm, is for the next block.
        if (pusher_->push(next, *block) && !next.part.fragment) cache_.drop(next.part.key);
        ++pushed_;
        lock.lock();
    }
}

bool Prefetch::decode_one() {
    BlockKey key;
    {
        const std::lock_guard lock(mutex_);
        if (stopped_ || taken_ == found_.size()) return false;
        key = found_[taken_++].part.key;
    }
    (void)source_.block(key, cache_, BlockCache::Decoder::ahead);  // damage shows to whoever asks for it
    return true;
}

}  // namespace swrun
