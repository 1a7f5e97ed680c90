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
#include <vector>

#include "squashfs/block_memory.h"
#include "support/result.h"

namespace swrun {

// Immutable once it is in the cache; lives as long as anybody holds it, evicted or not.
struct Block {
    BlockBytes bytes;
    std::size_t size = 0;
    std::uint32_t stored = 0;  // of a metadata block: bytes that it takes in the image

    [[nodiscard]] std::span<const std::byte> view() const { return {bytes.get(), size}; }
};
using BlockPtr = std::shared_ptr<const Block>;

// Where a block is and how it is stored: a hostile image may claim one place with two sizes.
struct BlockKey {
    std::uint64_t position = 0;
    std::uint32_t header = 0;

    friend bool operator==(const BlockKey&, const BlockKey&) = default;
};

struct BlockHash {
    std::size_t operator()(BlockKey key) const { return key.position * 0x9E3779B97F4A7C15u; }
};

struct KeptBlock {
    BlockKey key;
    BlockPtr block;
};

class BlockCache {
public:
    struct Counters {
        std::uint64_t decodes = 0;
        std::uint64_t repeats = 0;  // decodes of a block that had been decoded before; see remember_decodes()
        std::uint64_t hits = 0;     // found, or waited for
        std::uint64_t bytes = 0;    // held now
        std::uint64_t hot = 0;      // not decoded: found by what look_first() was given
    };

    explicit BlockCache(std::size_t capacity) : shard_capacity_(capacity / kShards) {}

    // The block, from the cache or from `decode`, which runs without a lock and must not call get().  Its
    // error goes to its caller alone; a waiting thread then tries for itself.
    [[nodiscard]] Result<BlockPtr> get(BlockKey key, const std::function<Result<BlockPtr>()>& decode);

    // The same ahead of anybody's asking: does nothing when the block is there, being decoded, or was dropped before.
    void fetch(BlockKey key, const std::function<Result<BlockPtr>()>& decode);

    // Whether fetch() would do nothing.
    [[nodiscard]] bool knows(BlockKey key) const;

    // The block if it is there now; null otherwise.
    [[nodiscard]] BlockPtr peek(BlockKey key) const;

    // Forgets one that is there: whoever wanted it has put it where the next will find it sooner.
    void drop(BlockKey key);

    // While it is on, fetch() does not bring back what was dropped.  Costs memory for every block dropped.
    void remember_drops(bool remembers);

    // Forgets every block, e.g. when nobody has asked for a while.
    void clear();

    [[nodiscard]] Counters counters() const;

    // From now on `find` is asked before a block is decoded (null: it has none; called as `decode` is), and what
    // is decoded all the same is also kept for take_kept(), up to that many bytes in all.  To be called before the
    // cache is shared.
    void look_first(std::function<BlockPtr(BlockKey)> find, std::size_t keep);

    // What has been kept since the last time.
    [[nodiscard]] std::vector<KeptBlock> take_kept();

    // From now on, repeats are counted; what is in the cache counts as decoded once.  Costs memory for every
    // block ever decoded, so only who measures asks for it, before the cache is shared.
    void remember_decodes();

private:
    static constexpr std::size_t kShards = 8;

    struct Slot {
        BlockPtr block;  // null: being decoded
        std::list<BlockKey>::iterator order;
    };
    struct Shard {
        mutable std::mutex mutex;
        std::condition_variable changed;
        std::unordered_map<BlockKey, Slot, BlockHash> slots;
        std::list<BlockKey> order;  // most recently used first; decoded blocks only
        std::size_t bytes = 0;
        std::unordered_set<BlockKey, BlockHash> decoded;  // ever; only where repeats are counted
        std::unordered_set<BlockKey, BlockHash> dropped;  // only where drops are remembered
        std::vector<KeptBlock> kept;
    };

    [[nodiscard]] Shard& shard_of(BlockKey key) { return shards_[(BlockHash{}(key) >> 32) % kShards]; }
    [[nodiscard]] const Shard& shard_of(BlockKey key) const { return shards_[(BlockHash{}(key) >> 32) % kShards]; }
    [[nodiscard]] Result<BlockPtr> fill(Shard& shard, BlockKey key, const std::function<Result<BlockPtr>()>& decode);
    void store(Shard& shard, BlockKey key, BlockPtr block);
    void count_decode(Shard& shard, BlockKey key, const Result<BlockPtr>& block);

    std::size_t shard_capacity_;
    std::array<Shard, kShards> shards_;
    bool remembers_ = false;
    std::atomic<bool> remembers_drops_ = false;
    std::function<BlockPtr(BlockKey)> find_;
    std::atomic<std::int64_t> room_ = 0;  // for what is kept, bytes
    std::atomic<std::uint64_t> hot_ = 0;
    std::atomic<std::uint64_t> decodes_ = 0;
    std::atomic<std::uint64_t> repeats_ = 0;
    std::atomic<std::uint64_t> hits_ = 0;
};

}  // namespace swrun
