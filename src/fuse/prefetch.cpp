#include "fuse/prefetch.h"

#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <system_error>
#include <utility>

#include "support/io.h"
#include "support/process.h"
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

}  // namespace

Prefetch::Effort Prefetch::effort_now() {
    constexpr int kMost = 2;  // more were no faster
    const int usable = usable_processors();
    if (usable == 1) return {0, Prediction::Scope::sure};
    // Up to three of those that run are ours: the launcher, this process, and the one between them, which ends just now.
    constexpr std::uint64_t kOurs = 3;
    const long online = ::sysconf(_SC_NPROCESSORS_ONLN);
    if (online > 0 && runnable() >= static_cast<std::uint64_t>(online) + kOurs) return {};
    return {std::min(usable - 1, kMost)};
}

Prefetch::Prefetch(const SquashSource& source, BlockCache& cache, ReaderPool& readers, const StartHint& hint,
                   PredictedFiles* told, const Placement& placement, Effort effort)
    : source_(source), cache_(cache), hint_(hint), told_(told), placement_(placement), scope_(effort.scope) {
    if (hint.programs.empty()) return;
    if (effort.threads == 0) {
        find(readers);
        return;
    }
    cache_.remember_drops(true);
    runs_ = true;
    try {
        finder_ = std::thread([this, &readers] {
            placement_.push_away();
            find(readers);
            work();
        });
        if (effort.threads > 1) {
            helper_ = std::thread([this] {
                placement_.push_away();
                work();
            });
        }
    } catch (const std::system_error&) {
        // The limit of processes is reached (ulimit -u): less is done ahead, or nothing.
        if (!finder_.joinable()) runs_ = false;
    }
}

Prefetch::~Prefetch() { end(); }

void Prefetch::end_start() {
    starting_ = false;
    cache_.remember_drops(false);
}

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
    cache_.remember_drops(false);
}

void Prefetch::announce(const PredictedBlock& block) {
    if (runs_) {
        {
            const std::lock_guard lock(mutex_);
            found_.push_back(block.key);
        }
        changed_.notify_one();
    }
    if (told_ == nullptr) return;
    const auto [at, is_new] = announced_.try_emplace(block.path);
    if (is_new) at->second = told_->add(block.path, block.size);
    if (at->second) told_->add_block(*at->second, block.number);
}

void Prefetch::find(ReaderPool& readers) {
    const ReaderPool::Lease reader = readers.borrow();
    const auto tell_absent = [this](std::size_t program) {
        if (told_ != nullptr) told_->mark_absent(program);
    };
    const auto tell_program = [this](const std::string& path) {
        const auto at = announced_.find(path);
        if (at != announced_.end() && at->second) told_->mark_program(*at->second);
    };
    Prediction(*reader, stopped_, scope_,
               {[this](const PredictedBlock& block) { announce(block); }, tell_absent, tell_program})
        .run(hint_);
    const std::lock_guard lock(mutex_);
    complete_ = true;
}

void Prefetch::work() {
    while (!stopped_) {
        if (do_deferred() || decode_one()) continue;
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stopped_ || !deferred_.empty() || !found_.empty(); });
    }
}

bool Prefetch::decode_one() {
    BlockKey next;
    {
        const std::lock_guard lock(mutex_);
        if (stopped_ || found_.empty()) return false;
        next = found_.front();
        found_.pop_front();
    }
    source_.fetch(next, cache_);
    return true;
}

void Prefetch::follow(std::span<const BlockKey> blocks) { add(blocks, Turn::last); }
void Prefetch::begin(std::span<const BlockKey> blocks) { add(blocks, Turn::next); }

void Prefetch::add(std::span<const BlockKey> blocks, Turn turn) {
    constexpr std::size_t kEnough = 16;
    {
        const std::lock_guard lock(mutex_);
        const bool last = turn == Turn::last;
        if (stopped_ || !guesses() || (last && (!complete_ || found_.size() >= kEnough))) return;
        std::vector<BlockKey> added;
        std::ranges::copy_if(blocks, std::back_inserter(added), [&](const BlockKey& block) {
            return !cache_.knows(block) && !(last && std::ranges::find(found_, block) != found_.end());
        });
        if (added.empty()) return;
        found_.insert(last ? found_.end() : found_.begin(), added.begin(), added.end());
    }
    changed_.notify_one();
}

bool Prefetch::defer(std::function<void()> job) {
    {
        const std::lock_guard lock(mutex_);
        if (stopped_ || !is_starting()) return false;
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
