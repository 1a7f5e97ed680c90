// Gives the decoded blocks of an image server back when nobody has asked for a while: what a program reads
// again, the kernel's own cache has.  One thread, asleep nearly always; the server's other threads only count.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include "image/block_cache.h"
#include "support/fd.h"

namespace swrun {

class IdleTrimmer {
public:
    // `device`: readable when there is a request, in error when the mount has gone; both are borrowed.
    // Without a thread (limit of processes) nothing is ever trimmed.
    IdleTrimmer(int device, BlockCache& cache, std::chrono::milliseconds patience = std::chrono::seconds(2));
    ~IdleTrimmer();
    IdleTrimmer(const IdleTrimmer&) = delete;
    IdleTrimmer& operator=(const IdleTrimmer&) = delete;

    // For every request, from any thread.
    void note_request() { requests_.fetch_add(1, std::memory_order_relaxed); }

private:
    void watch();
    // False when the server ends.
    bool sleep();

    int device_;
    BlockCache& cache_;
    std::chrono::milliseconds patience_;
    std::atomic<std::uint64_t> requests_ = 0;
    Fd wake_;  // readable once the server ends
    std::thread thread_;
};

}  // namespace swrun
