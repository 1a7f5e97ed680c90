// Laps of the launch for --timings: name and microseconds since the process started its clock.
#pragma once

#include <ctime>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace swrun {

class Stopwatch {
public:
    Stopwatch() : start_(now()) {}
    void lap(const char* name) { laps_.emplace_back(name, now() - start_); }
    [[nodiscard]] const std::vector<std::pair<const char*, std::int64_t>>& laps() const { return laps_; }

private:
    static std::int64_t now() {
        timespec at{};
        ::clock_gettime(CLOCK_MONOTONIC, &at);
        return static_cast<std::int64_t>(at.tv_sec) * 1000000 + at.tv_nsec / 1000;
    }

    std::int64_t start_;
    std::vector<std::pair<const char*, std::int64_t>> laps_;
};

}  // namespace swrun
