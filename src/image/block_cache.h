// BlockCache: decompressed data blocks of one image, shared by all its readers.  Bounded in bytes, least
// recently used first out.  Thread-safe; when two threads want the same block, one decodes it and the
// others wait for it.  May be filled by a single-threaded process and used by its forked child.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <unordered_set>

#include "support/result.h"

namespace swrun {

// Immutable once it is in the cache; lives as long as anybody holds it, evicted or not.
struct Block {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size = 0;

    [[nodiscard]] std::span<const std::byte> view() const { return {bytes.get(), size}; }
};
using BlockPtr = std::shared_ptr<const Block>;

// Where a block is and how it is stored: a hostile image may claim one place with two sizes.
struct BlockKey {
    std::uint64_t position = 0;
    std::uint32_t header = 0;

    friend bool operator==(const BlockKey&, const BlockKey&) = default;
};

class BlockCache {
public:
    struct Counters {
        std::uint64_t decodes = 0;
        std::uint64_t repeats = 0;  // decodes of a block that had been decoded before; see remember_decodes()
        std::uint64_t hits = 0;     // found, or waited for
        std::uint64_t bytes = 0;    // held now
    };

    explicit BlockCache(std::size_t capacity) : shard_capacity_(capacity / kShards) {}

    // The block, from the cache or from `decode`, which runs without a lock and must not call get().  Its
    // error goes to its caller alone; a waiting thread then tries for itself.
    [[nodiscard]] Result<BlockPtr> get(BlockKey key, const std::function<Result<BlockPtr>()>& decode);

    // The block if it is there now; null otherwise.
    [[nodiscard]] BlockPtr peek(BlockKey key) const;

    // Forgets every block, e.g. when nobody has asked for a while.
    void clear();

    [[nodiscard]] Counters counters() const;

    // From now on, repeats are counted; what is in the cache counts as decoded once.  Costs memory for every
    // block ever decoded, so only who measures asks for it, before the cache is shared.
    void remember_decodes();

private:
    static constexpr std::size_t kShards = 8;

    struct Hash {
        std::size_t operator()(BlockKey key) const { return key.position * 0x9E3779B97F4A7C15u; }
    };
    struct Slot {
        BlockPtr block;  // null: being decoded
        std::list<BlockKey>::iterator order;
    };
    struct Shard {
        mutable std::mutex mutex;
        std::condition_variable changed;
        std::unordered_map<BlockKey, Slot, Hash> slots;
        std::list<BlockKey> order;  // most recently used first; decoded blocks only
        std::size_t bytes = 0;
        std::unordered_set<BlockKey, Hash> decoded;  // ever; only where repeats are counted
    };

    [[nodiscard]] Shard& shard_of(BlockKey key) { return shards_[(Hash{}(key) >> 32) % kShards]; }
    [[nodiscard]] const Shard& shard_of(BlockKey key) const { return shards_[(Hash{}(key) >> 32) % kShards]; }
    void store(Shard& shard, BlockKey key, BlockPtr block);

    std::size_t shard_capacity_;
    std::array<Shard, kShards> shards_;
    bool remembers_ = false;
    std::atomic<std::uint64_t> decodes_ = 0;
    std::atomic<std::uint64_t> repeats_ = 0;
    std::atomic<std::uint64_t> hits_ = 0;
};

}  // namespace swrun
