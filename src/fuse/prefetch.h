// Decodes the blocks that a program's start will read, ahead of the requests: found by image/prediction, decoded by
// threads of their own where a processor is idle.  They also answer requests that nobody waits for yet.
// Belongs to the image server; thread-safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "fuse/placement.h"
#include "fuse/predicted_files.h"
#include "image/prediction.h"
#include "squashfs/reader_pool.h"

namespace swrun {

class Prefetch {
public:
    struct Effort {
        int threads = 0;  // up to two
        Prediction::Scope scope = Prediction::Scope::likely;
    };
    // What pays now: threads on processors that nobody else wants, and with one processor no more than what is sure.  To be
    // asked before any thread has been kept on some of the processors.
    [[nodiscard]] static Effort effort_now();

    // Begins at once; with no thread it finds out what will be read before it returns, and decodes nothing ahead: the
    // processor is that of who asks.  Nothing to predict, nothing done.  Everything is borrowed.
    // `told` gets what has been found; null: nobody does.
    Prefetch(const SquashSource& source, BlockCache& cache, ReaderPool& readers, const StartHint& hint,
             PredictedFiles* told, const Placement& placement, Effort effort);
    ~Prefetch();
    Prefetch(const Prefetch&) = delete;
    Prefetch& operator=(const Prefetch&) = delete;

    // Whether threads work ahead.
    [[nodiscard]] bool runs() const { return runs_; }
    [[nodiscard]] bool is_starting() const { return runs_ && starting_; }

    // During the start: has the job done by one of the threads, or by whoever calls do_deferred; jobs come before blocks.
    // False: the caller does it himself.
    [[nodiscard]] bool defer(std::function<void()> job);
    [[nodiscard]] bool has_deferred() const { return deferred_count_.load() > 0; }
    bool do_deferred();  // the oldest; false when there is none

    // Whether guesses at what will be asked for next are welcome.
    [[nodiscard]] bool guesses() const { return is_starting() && guesses_; }
    // From the beginning: what launches before have read is kept decoded.  Guesses differ from launch to launch, so they would
    // mostly be about what is not.
    void guess_nothing() { guesses_ = false; }

    // What is likely to be asked for next, after an answer; what has been met before is left out, and all of it when
    // enough is waiting already.
    void follow(std::span<const BlockKey> blocks);
    // Whether so much has been asked for that guesses pay which go beyond a file: a small program has ended before.
    [[nodiscard]] bool can_guess() const { return guesses() && requests_.load() >= kMuch; }

    // What is being waited for, but for a block that comes first: before all else.
    void begin(std::span<const BlockKey> blocks);

    // For every request, from any thread.
    void note_request() { requests_.fetch_add(1, std::memory_order_relaxed); }

    // The start is over: nothing is deferred or followed any more.
    void end_start();

    // No block is begun any more, all that is deferred gets done; then the threads are gone.  From any thread.
    void end();

private:
    static constexpr unsigned kMuch = 256;  // requests

    enum class Turn { next, last };

    void find(ReaderPool& readers);
    void announce(const PredictedBlock& block);
    void work();
    bool decode_one();
    void add(std::span<const BlockKey> blocks, Turn turn);

    const SquashSource& source_;
    BlockCache& cache_;
    const StartHint& hint_;
    PredictedFiles* told_;
    const Placement& placement_;
    const Prediction::Scope scope_;
    std::map<std::string, std::optional<std::size_t>> announced_;  // by path; the finder's
    std::atomic<bool> starting_ = true;
    std::atomic<bool> guesses_ = true;
    std::atomic<unsigned> requests_ = 0;
    std::atomic<bool> stopped_ = false;
    bool runs_ = false;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<BlockKey> found_;
    std::deque<std::function<void()>> deferred_;
    std::atomic<std::size_t> deferred_count_ = 0;
    bool complete_ = false;  // nothing more will be found
    std::mutex ending_;
    // Last: they use all of the above.
    std::thread finder_;
    std::thread helper_;
};

}  // namespace swrun
