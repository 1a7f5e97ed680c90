// Decodes the blocks that a program's start will read, ahead of the requests: found by image/prediction in one
// thread, decoded by whoever has nothing else to do.  Belongs to the image server; thread-safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>

#include "image/prediction.h"

namespace swrun {

class Prefetch {
public:
    Prefetch(std::shared_ptr<const SquashSource> source, std::shared_ptr<BlockCache> cache)
        : source_(std::move(source)), cache_(std::move(cache)) {}

    // Looks for blocks and, when it has found all, decodes what nobody has taken yet.  Does nothing when the host
    // has no core to spare: the program then waits for its own blocks only.
    void run(SquashReader& reader, const StartHint& hint);

    // Decodes one block that has been found; false when there is none now.
    bool decode_one();

    // For the main thread while it has nothing to serve: decodes until `busy` says that there is other work.
    template <class Busy> void help(Busy busy) {
        while (!busy()) {
            if (!decode_one() && !wait_for_more()) return;
        }
    }

    void stop() { stopped_ = true; }

private:
    // False when no more will be found; gives up its sleep often.
    bool wait_for_more();

    std::shared_ptr<const SquashSource> source_;
    std::shared_ptr<BlockCache> cache_;
    std::atomic<bool> stopped_ = false;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<BlockKey> waiting_;
    bool complete_ = false;
};

}  // namespace swrun
