// What the requests of a mount tell about those who ask: whether the next one is worth waiting for without sleeping,
// and whether one thread is enough to answer.  Pure.
#pragma once

#include <chrono>
#include <cstdint>

namespace swrun {

// What of a request matters here.
struct SeenRequest {
    std::uint32_t asker = 0;  // thread
    bool reads = false;       // pages, for which the kernel asks ahead
    bool was_there = false;   // before anybody waited for it
};

// Requests come back to back, as from find(1), and being woken for each costs more than a few looks.
class Eagerness {
public:
    using Time = std::chrono::nanoseconds;

    static constexpr Time kSpin = std::chrono::microseconds(50);

    [[nodiscard]] bool spins() const { return score_ >= kEnough; }
    // How the last wait was spent, and how long it was until the request was there.
    enum class Wait { looking, asleep };
    void note(Time waited, Wait kind);

private:
    // The wait of one who sleeps has the time in it that waking takes, which is what shall be saved.
    static constexpr Time kSoonAsleep = std::chrono::microseconds(200);
    static constexpr int kEnough = 256;
    static constexpr int kMost = 272;
    static constexpr int kLoss = 16;  // looking in vain a few times in a row ends it

    int score_ = 0;
};

// Requests that pile up: more than one asks at a time.
class Backlog {
public:
    void note(const SeenRequest& request);

    [[nodiscard]] bool wants_help() const { return row_ >= kRow; }
    [[nodiscard]] bool is_over() const { return row_ == 0; }

private:
    static constexpr unsigned kRow = 4;

    std::uint32_t asker_ = 0;  // of the last request, as the next
    bool reads_ = false;
    unsigned row_ = 0;  // requests that had to wait
};

}  // namespace swrun
