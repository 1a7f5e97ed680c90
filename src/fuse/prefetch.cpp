#include "fuse/prefetch.h"

#include <chrono>
#include <optional>
#include <thread>

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

}  // namespace

void Prefetch::run(SquashReader& reader, const StartHint& hint) {
    // This thread and the launcher are two of them.
    const bool idle = runnable() <= std::thread::hardware_concurrency() + 1;
    if (idle && !hint.programs.empty()) {
        Prediction(reader, stopped_, [this](BlockKey key) {
            {
                const std::lock_guard lock(mutex_);
                waiting_.push_back(key);
            }
            changed_.notify_one();
        }).run(hint);
    }
    {
        const std::lock_guard lock(mutex_);
        complete_ = true;
    }
    changed_.notify_all();
    while (decode_one()) {}
}

bool Prefetch::decode_one() {
    BlockKey key;
    {
        const std::lock_guard lock(mutex_);
        if (stopped_ || waiting_.empty()) return false;
        key = waiting_.front();
        waiting_.pop_front();
    }
    (void)source_->block(key, *cache_);  // damage shows to whoever asks for it
    return true;
}

bool Prefetch::wait_for_more() {
    std::unique_lock lock(mutex_);
    constexpr std::chrono::microseconds kNap(50);
    changed_.wait_for(lock, kNap, [this] { return complete_ || !waiting_.empty(); });
    return !complete_ || !waiting_.empty();
}

}  // namespace swrun
