// A line on the terminal behind stderr that grows while something takes long.  Nothing without a terminal,
// with --quiet, or when it is done within a second.  Used by one thread; the counter is anybody's.
#pragma once

#include <atomic>
#include <cstdint>
#include <ctime>
#include <string>

namespace swrun {

class Progress {
public:
    Progress(std::string what, std::uint64_t total);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void add(std::uint64_t count) { done_.fetch_add(count, std::memory_order_relaxed); }

    // Draws when it is time to.
    void show();

private:
    std::string what_;
    std::uint64_t total_;
    std::atomic<std::uint64_t> done_ = 0;
    bool wanted_;
    bool drawn_ = false;
    std::int64_t next_;  // milliseconds of CLOCK_MONOTONIC
};

}  // namespace swrun
