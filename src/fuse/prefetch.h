// Decodes the blocks that a program's start will read, ahead of the requests: found by
// image/prediction, decoded by two threads that use only what nobody else wants of the processor.  Belongs to the
// image server; thread-safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "image/prediction.h"
#include "image/reader_pool.h"

namespace swrun {

class Prefetch {
public:
    // Begins at once, unless there is nothing to predict or no core to spare: the program then waits for its own blocks
    // only.  Everything is borrowed.
    // `stop`: give up, from any thread.
    Prefetch(const SquashSource& source, BlockCache& cache, ReaderPool& readers, const StartHint& hint,
             std::atomic<bool>& stop);
    ~Prefetch();  // gives up soon
    Prefetch(const Prefetch&) = delete;
    Prefetch& operator=(const Prefetch&) = delete;

private:
    void find(ReaderPool& readers);
    void decode_found();
    bool decode_one();

    const SquashSource& source_;
    BlockCache& cache_;
    const StartHint& hint_;
    std::atomic<bool>& stopped_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<BlockKey> found_;
    std::size_t taken_ = 0;  // of found_: somebody decodes them or has
    bool complete_ = false;  // nothing more will be found
    // Last: they use all of the above.
    std::thread finder_;
    std::thread helper_;
};

}  // namespace swrun
