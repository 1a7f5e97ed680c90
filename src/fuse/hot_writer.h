// HotWriter: hands what an image server has decoded to the cache between launches (squashfs/hot_cache), when nobody waits
// for the server: while it is idle, in a thread of its own, and at the end of its life.  A home directory may be slow, and the
// thread that notices idleness lets others in.  What goes wrong here is nobody's concern: the next launch tries again.
#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "squashfs/block_cache.h"
#include "squashfs/hot_cache.h"

namespace swrun {

class HotWriter {
public:
    // `hot` null: nothing is kept.  The caches are borrowed.
    HotWriter(std::shared_ptr<const HotCache> hot, BlockCache& data, BlockCache& metadata);
    ~HotWriter();
    HotWriter(const HotWriter&) = delete;
    HotWriter& operator=(const HotWriter&) = delete;

    // Returns at once; nothing while the last call still writes.  Always from the same thread.
    void write_aside();

    // The rest, when that thread has ended.
    void finish();

private:
    [[nodiscard]] std::vector<KeptBlock> take();

    std::shared_ptr<const HotCache> hot_;
    BlockCache& data_;
    BlockCache& metadata_;
    std::atomic<bool> writes_ = false;
    std::thread writer_;
};

}  // namespace swrun
