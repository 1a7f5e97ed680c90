#include "squashfs/block_cache.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace swrun {

Result<BlockPtr> BlockCache::get(BlockKey key, const std::function<Result<BlockPtr>()>& decode) {
    Shard& shard = shard_of(key);
    std::unique_lock lock(shard.mutex);
    for (;;) {
        const auto found = shard.slots.find(key);
        if (found == shard.slots.end()) {
            shard.slots.emplace(key, Slot{nullptr, shard.order.end()});
            break;
        }
        if (found->second.block) {
            shard.order.splice(shard.order.begin(), shard.order, found->second.order);
            hits_.fetch_add(1, std::memory_order_relaxed);
            return found->second.block;
        }
        shard.changed.wait(lock);
    }
    lock.unlock();
    return fill(shard, key, decode);
}

void BlockCache::fetch(BlockKey key, const std::function<Result<BlockPtr>()>& decode) {
    Shard& shard = shard_of(key);
    {
        const std::lock_guard lock(shard.mutex);
        if (shard.slots.contains(key) || shard.dropped.contains(key)) return;
        shard.slots.emplace(key, Slot{nullptr, shard.order.end()});
    }
    (void)fill(shard, key, decode);
}

// Of a slot that the caller has made: all others wait for it.
Result<BlockPtr> BlockCache::fill(Shard& shard, BlockKey key, const std::function<Result<BlockPtr>()>& decode) {
    BlockPtr hot = find_ ? find_(key) : nullptr;
    const bool decodes = hot == nullptr;
    Result<BlockPtr> block = decodes ? decode() : Result<BlockPtr>(std::move(hot));
    std::unique_lock lock(shard.mutex);
    if (decodes) {
        count_decode(shard, key, block);
    } else {
        hot_.fetch_add(1, std::memory_order_relaxed);
    }
    if (block) {
        store(shard, key, *block);
    } else {
        shard.slots.erase(key);
    }
    lock.unlock();
    shard.changed.notify_all();
    return block;
}

// Called with the lock held.
void BlockCache::count_decode(Shard& shard, BlockKey key, const Result<BlockPtr>& block) {
    decodes_.fetch_add(1, std::memory_order_relaxed);
    if (remembers_ && !shard.decoded.insert(key).second) repeats_.fetch_add(1, std::memory_order_relaxed);
    if (!block || room_.load(std::memory_order_relaxed) <= 0) return;
    const auto size = static_cast<std::int64_t>((*block)->size);
    if (room_.fetch_sub(size) >= size) {
        shard.kept.push_back({key, *block});
    } else {
        room_.fetch_add(size);
    }
}

// Called with the lock held.  The newest block stays even when it alone is over the limit.
void BlockCache::store(Shard& shard, BlockKey key, BlockPtr block) {
    Slot& slot = shard.slots[key];
    shard.bytes += block->size;
    shard.order.push_front(key);
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

bool BlockCache::knows(BlockKey key) const {
    const Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    return shard.slots.contains(key) || shard.dropped.contains(key);
}

void BlockCache::remember_drops(bool remembers) {
    remembers_drops_ = remembers;
    if (remembers) return;
    for (Shard& shard : shards_) {
        const std::lock_guard lock(shard.mutex);
        shard.dropped = {};
    }
}

void BlockCache::drop(BlockKey key) {
    Shard& shard = shard_of(key);
    BlockPtr dropped;  // freed without the lock
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.slots.find(key);
    if (found == shard.slots.end() || !found->second.block) return;
    if (remembers_drops_) shard.dropped.insert(key);
    shard.bytes -= found->second.block->size;
    shard.order.erase(found->second.order);
    dropped = std::move(found->second.block);
    shard.slots.erase(found);
}

void BlockCache::clear() {
    for (Shard& shard : shards_) {
        const std::lock_guard lock(shard.mutex);
        for (const BlockKey& key : shard.order) shard.slots.erase(key);
        shard.order.clear();
        shard.bytes = 0;
    }
}

void BlockCache::look_first(std::function<BlockPtr(BlockKey)> find, std::size_t keep) {
    find_ = std::move(find);
    room_ = static_cast<std::int64_t>(keep);
}

std::vector<KeptBlock> BlockCache::take_kept() {
    std::vector<KeptBlock> all;
    for (Shard& shard : shards_) {
        const std::lock_guard lock(shard.mutex);
        std::ranges::move(shard.kept, std::back_inserter(all));
        shard.kept.clear();
    }
    return all;
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
    counters.hot = hot_.load(std::memory_order_relaxed);
    for (const Shard& shard : shards_) {
        const std::lock_guard lock(shard.mutex);
        counters.bytes += shard.bytes;
    }
    return counters;
}

}  // namespace swrun
