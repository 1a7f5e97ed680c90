#include "squashfs/reader_pool.h"

#include <utility>

namespace swrun {

ReaderPool::ReaderPool(SquashReader first, std::size_t limit) : first_(std::move(first)), limit_(limit) {}

ReaderPool::Lease ReaderPool::borrow() {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [this] { return !idle_.empty() || open_ < limit_; });
    if (!idle_.empty()) {
        std::unique_ptr<SquashReader> reader = std::move(idle_.back());
        idle_.pop_back();
        return {this, std::move(reader)};
    }
    ++open_;
    return {this, std::make_unique<SquashReader>(first_.another())};
}

void ReaderPool::give_back(std::unique_ptr<SquashReader> reader) {
    {
        const std::lock_guard lock(mutex_);
        idle_.push_back(std::move(reader));
    }
    returned_.notify_one();
}

std::size_t ReaderPool::open_count() const {
    const std::lock_guard lock(mutex_);
    return open_;
}

}  // namespace swrun
