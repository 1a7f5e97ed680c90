#include "unpack/progress.h"

#include <unistd.h>

#include <algorithm>

#include "support/log.h"
#include "unpack/free_space.h"

namespace swrun {
namespace {

constexpr std::int64_t kFirst = 1000;  // milliseconds
constexpr std::int64_t kStep = 200;

std::int64_t now() {
    timespec at{};
    ::clock_gettime(CLOCK_MONOTONIC, &at);
    return static_cast<std::int64_t>(at.tv_sec) * 1000 + at.tv_nsec / 1000000;
}

void put(const std::string& text) {
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

Progress::Progress(std::string what, std::uint64_t total)
    : what_(std::move(what)),
      total_(total),
      wanted_(log_enabled(Level::info) && ::isatty(STDERR_FILENO) == 1),
      next_(now() + kFirst) {}

Progress::~Progress() {
    if (drawn_) put("\r\033[K");  // erases the line
}

void Progress::show() {
    if (!wanted_ || now() < next_) return;
    next_ = now() + kStep;
    drawn_ = true;
    const std::uint64_t done = std::min(done_.load(std::memory_order_relaxed), total_);
    const auto percent = static_cast<unsigned>(
        total_ == 0 ? 100 : static_cast<double>(done) * 100 / static_cast<double>(total_));
    put("\r" + what_ + ": " + std::to_string(percent) + " % of " + size_text(total_) + "\033[K");
}

}  // namespace swrun
