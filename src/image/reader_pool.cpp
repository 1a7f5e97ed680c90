#include "image/reader_pool.h"

#include <utility>

namespace swrun {

Result<ReaderPool::Lease> ReaderPool::borrow() {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [this] { return !idle_.empty() || open_ < limit_; });
    if (!idle_.empty()) {
        // The last one back is the one whose metadata is warm.
        std::unique_ptr<SquashReader> reader = std::move(idle_.back());
        idle_.pop_back();
        return Lease(this, std::move(reader));
    }
    ++open_;
    lock.unlock();
    Result<SquashReader> reader = SquashReader::open(source_, cache_);
    if (reader) return Lease(this, std::make_unique<SquashReader>(std::move(reader).value()));
    lock.lock();
    --open_;
    lock.unlock();
    returned_.notify_one();
    return std::move(reader).error();
}

void ReaderPool::add(SquashReader reader) {
    {
        const std::lock_guard lock(mutex_);
        ++open_;
    }
    give_back(std::make_unique<SquashReader>(std::move(reader)));
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
