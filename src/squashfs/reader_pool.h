// ReaderPool: lends SquashReaders to the threads of the image server, one per request.  Readers are made
// when they are first needed, up to a limit; then a borrower waits.  All share one file and what is cached of
// it.  Thread-safe.  Leases must not outlive the pool.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "squashfs/block_cache.h"
#include "squashfs/squash_reader.h"
#include "squashfs/squash_source.h"
#include "support/result.h"

namespace swrun {

class ReaderPool {
public:
    // A borrowed reader; goes back when this dies.
    class Lease {
    public:
        Lease(Lease&& other) noexcept : pool_(other.pool_), reader_(std::move(other.reader_)) {}
        Lease& operator=(Lease&&) = delete;
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;
        ~Lease() {
            if (reader_) pool_->give_back(std::move(reader_));
        }

        SquashReader* operator->() const { return reader_.get(); }
        SquashReader& operator*() const { return *reader_; }

    private:
        friend class ReaderPool;
        Lease(ReaderPool* pool, std::unique_ptr<SquashReader> reader) : pool_(pool), reader_(std::move(reader)) {}

        ReaderPool* pool_;
        std::unique_ptr<SquashReader> reader_;
    };

    // `first`: a reader that has looked at the image before; the others share what it knows.
    ReaderPool(SquashReader first, std::size_t limit);

    [[nodiscard]] Lease borrow();

    [[nodiscard]] std::size_t open_count() const;

private:
    void give_back(std::unique_ptr<SquashReader> reader);

    const SquashReader first_;
    std::size_t limit_;
    mutable std::mutex mutex_;
    std::condition_variable returned_;
    std::vector<std::unique_ptr<SquashReader>> idle_;
    std::size_t open_ = 0;
};

}  // namespace swrun
