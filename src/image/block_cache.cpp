#include "image/block_cache.h"

#include <utility>

namespace swrun {

Result<BlockPtr> BlockCache::get(BlockKey key, const std::function<Result<BlockPtr>()>& decode) {
    Shard& shard = shard_of(key);
    std::unique_lock lock(shard.mutex);
    for (;;) {
        const auto found = shard.slots.find(key);
        if (found == shard.slots.end()) break;
        if (found->second.block) {
            shard.order.splice(shard.order.begin(), shard.order, found->second.order);
            hits_.fetch_add(1, std::memory_order_relaxed);
            return found->second.block;
        }
        shard.changed.wait(lock);
    }
    shard.slots.emplace(key, Slot{nullptr, shard.order.end()});
    if (remembers_ && !shard.decoded.insert(key).second) repeats_.fetch_add(1, std::memory_order_relaxed);
    lock.unlock();
    decodes_.fetch_add(1, std::memory_order_relaxed);
    Result<BlockPtr> block = decode();
    lock.lock();
    if (block) {
        store(shard, key, *block);
    } else {
        shard.slots.erase(key);
    }
    lock.unlock();
    shard.changed.notify_all();
    return block;
}

// Called with the lock held.  The newest block stays even when it alone is over the limit.
void BlockCache::store(Shard& shard, BlockKey key, BlockPtr block) {
    shard.bytes += block->size;
    shard.order.push_front(key);
    Slot& slot = shard.slots[key];
    slot.block = std::move(block);
    slot.order = shard.order.begin();
    while (shard.bytes > shard_capacity_ && shard.order.size() > 1) {
        const auto last = shard.slots.find(shard.order.back());
        shard.bytes -= last->second.block->size;
        shard.slots.erase(last);
        shard.order.pop_back();
    }
}

BlockPtr BlockCache::peek(BlockKey key) const {
    const Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.slots.find(key);
    return found == shard.slots.end() ? nullptr : found->second.block;
}

void BlockCache::clear() {
    for (Shard& shard : shards_) {
        const std::lock_guard lock(shard.mutex);
        for (const BlockKey& key : shard.order) shard.slots.erase(key);
        shard.order.clear();
        shard.bytes = 0;
    }
}

void BlockCache::remember_decodes() {
    remembers_ = true;
    for (Shard& shard : shards_) {
        const std::lock_guard lock(shard.mutex);
        for (const auto& [key, slot] : shard.slots) shard.decoded.insert(key);
    }
}

BlockCache::Counters BlockCache::counters() const {
    Counters counters;
    counters.decodes = decodes_.load(std::memory_order_relaxed);
    counters.repeats = repeats_.load(std::memory_order_relaxed);
    counters.hits = hits_.load(std::memory_order_relaxed);
    for (const Shard& shard : shards_) {
        const std::lock_guard lock(shard.mutex);
        counters.bytes += shard.bytes;
    }
    return counters;
}

}  // namespace swrun
