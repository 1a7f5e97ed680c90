// What the requests of a mount tell about those who ask: whether the next one is worth waiting for without sleeping,
// and whether one thread is enough to answer.  Pure.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace swrun {

// What of a request matters here.
struct SeenRequest {
    std::uint32_t asker = 0;  // thread
    bool lists = false;       // the names in a directory
    bool reads = false;       // pages, for which the kernel asks ahead
    bool was_there = false;   // before anybody waited for it
};

// Requests come back to back, as from find(1), and being woken for each costs more than a few looks.
class Eagerness {
public:
    using Time = std::chrono::nanoseconds;

    static constexpr Time kSpin = std::chrono::microseconds(50);

    // `in_turns`: there are two processors, one for who asks and who answers, one for who works ahead.
    explicit Eagerness(bool in_turns = false) : in_turns_(in_turns) {}

    [[nodiscard]] bool spins() const { return score_ >= kEnough; }
    // Somebody asks for one directory after another, and will go on: no need to see much of it.
    [[nodiscard]] bool sees_walk() const { return listings_ == kWalk; }

    void note(const SeenRequest& request) { listings_ = request.lists ? std::min(listings_ + 1, kWalk) : 0; }
    // How the last wait was spent, and how long it was until the request was there.
    enum class Wait { looking, asleep_here, asleep_elsewhere };  // here: on the processor of who asks
    void note(Time waited, Wait kind);

private:
    // The wait of one who sleeps elsewhere has the time in it that waking takes, which is what shall be saved.
    static constexpr Time kSoon = std::chrono::microseconds(60);
    static constexpr Time kSoonElsewhere = std::chrono::microseconds(200);
    static constexpr int kEnough = 256;
    static constexpr int kMost = 272;
    static constexpr int kLoss = 16;  // looking in vain a few times in a row ends it
    static constexpr int kWalk = 16;  // listings in a row

    bool in_turns_;
    int score_ = 0;
    int listings_ = 0;
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
