// Decodes the blocks that a program's start will read, ahead of the requests: found by image/prediction, decoded by
// threads that use only what nobody else wants of the processor.  They also answer requests that nobody waits for yet.
// Belongs to the image server; thread-safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "fuse/placement.h"
#include "fuse/predicted_files.h"
#include "image/prediction.h"
#include "squashfs/reader_pool.h"

namespace swrun {

class Prefetch {
public:
    // Begins at once, unless there is nothing to predict or no core to spare: the program then waits for its own blocks
    // only.  Everything is borrowed.
    // `told` gets what has been found; null: nobody does.
    Prefetch(const SquashSource& source, BlockCache& cache, ReaderPool& readers, const StartHint& hint,
             PredictedFiles* told, const Placement& placement);
    ~Prefetch();
    Prefetch(const Prefetch&) = delete;
    Prefetch& operator=(const Prefetch&) = delete;

    [[nodiscard]] bool runs() const { return runs_; }
    // Before end_start(): a block that is let go might be decoded once more by a thread that has just taken it up.
    [[nodiscard]] bool is_starting() const { return runs_ && starting_; }

    // During the start: has the job done by one of the threads, or by whoever calls do_deferred; jobs come before blocks.
    // False: the caller does it himself.
    [[nodiscard]] bool defer(std::function<void()> job);
    [[nodiscard]] bool has_deferred() const { return deferred_count_.load() > 0; }
    bool do_deferred();  // the oldest; false when there is none

    // What is likely to be asked for next, after an answer; what has been met before is left out, and all of it when
    // enough is waiting already.
    void follow(std::span<const BlockKey> blocks);
    // Whether so much has been asked for that guesses pay which go beyond a file: a small program has ended before.
    [[nodiscard]] bool can_guess() const { return is_starting() && requests_.load() >= kMuch; }

    // What is being waited for, but for a block that comes first: before all else.
    void begin(std::span<const BlockKey> blocks);

    // For every request, from any thread.  While they come in a row, a thread stays awake between its blocks: then its
    // processor is not the idle one that the scheduler moves the program to, away from who answers.  Each wake-up that
    // crosses processors takes as long as several answers where the processors are virtual.  Not where processor time is
    // limited, and no longer when waking has proved quick.
    void note_request();

    // Who answers has moved.
    void keep_away_from(const Placement& answerer);

    // The start is over, or who answers has left his place: nobody stays awake, nothing is deferred or followed any more.
    void end_start() { starting_ = false; }

    // No block is begun any more, all that is deferred gets done; then the threads are gone.  From any thread.
    void end();

private:
    static constexpr unsigned kMuch = 256;  // requests

    enum class Turn { next, last };

    void stand_back();
    void find(ReaderPool& readers);
    void announce(const PredictedBlock& block);
    void help();
    void work();
    bool decode_one();
    void add(std::span<const BlockKey> blocks, Turn turn);
    [[nodiscard]] bool finds_work() const;
    void rest();

    const SquashSource& source_;
    BlockCache& cache_;
    const StartHint& hint_;
    PredictedFiles* told_;
    const Placement& placement_;
    std::map<std::string, std::optional<std::size_t>> announced_;  // by path; the finder's
    std::atomic<bool> starting_ = true;
    std::atomic<bool> stays_awake_ = false;
    std::atomic<int> asleep_ = 0;  // threads
    std::atomic<unsigned> requests_ = 0;
    std::atomic<std::int64_t> last_request_ = 0;  // as now_ns() of the .cpp, like the next
    std::atomic<std::int64_t> called_ = 0;        // who sleeps was woken; 0: nobody was
    std::atomic<int> quick_wakes_ = 0;            // in a row
    std::atomic<bool> stopped_ = false;
    bool runs_ = false;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<pid_t> threads_;
    std::deque<BlockKey> found_;
    std::atomic<std::size_t> left_ = 0;            // of found_
    std::unordered_set<BlockKey, BlockHash> met_;  // decoded or being decoded
    std::deque<std::function<void()>> deferred_;
    std::atomic<std::size_t> deferred_count_ = 0;
    bool complete_ = false;  // nothing more will be found
    std::mutex ending_;
    // Last: they use all of the above.
    std::thread finder_;
    std::thread helper_;
};

}  // namespace swrun
