#include "squashfs/block_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace swrun {
namespace {

constexpr std::size_t kSmall = 32U << 10U;  // bytes; of these malloc(3) takes good care by itself
constexpr std::size_t kLarge = 1U << 20U;   // the largest block of a squashfs
constexpr std::size_t kRegion = 2U << 20U;  // bytes
constexpr int kPopulateWrite = 23;          // MADV_POPULATE_WRITE (madvise(2), Linux 5.14)

// AddressSanitizer takes what is free, and what is behind a block, for out of bounds.
void forbid([[maybe_unused]] const std::byte* bytes, [[maybe_unused]] std::size_t size) {
#if defined(__SANITIZE_ADDRESS__)
    ASAN_POISON_MEMORY_REGION(bytes, size);
#endif
}
void allow([[maybe_unused]] const std::byte* bytes, [[maybe_unused]] std::size_t size) {
#if defined(__SANITIZE_ADDRESS__)
    ASAN_UNPOISON_MEMORY_REGION(bytes, size);
#endif
}

// Slots of one size.
class Region {
public:
    // nullopt when there is no memory.
    static std::optional<Region> make(std::size_t slot) {
        void* const memory = ::mmap(nullptr, kRegion, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) return std::nullopt;
        auto* const base = static_cast<std::byte*>(memory);
        // Where a host makes huge pages of whatever it can, the server of a small program would be large.  For imports of
        // large packages they were tried: no faster.
        ::madvise(base, kRegion, MADV_NOHUGEPAGE);
        forbid(base, kRegion);
        return Region(base, slot);
    }
    void unmap() const {
        allow(base_, kRegion);
        ::munmap(base_, kRegion);
    }

    [[nodiscard]] bool holds(const std::byte* bytes) const { return bytes >= base_ && bytes < base_ + kRegion; }
    [[nodiscard]] bool is_free() const { return free_ == all(); }
    [[nodiscard]] bool has(std::size_t slot) const { return slot == slot_ && free_ != 0; }

    // The lowest free slot, so that those that were never taken, whose pages are not there yet, come last.
    std::byte* take(bool& fresh) {
        const int number = std::countr_zero(free_);
        fresh = number == touched_;
        touched_ += fresh ? 1 : 0;
        free_ &= ~(std::uint32_t{1} << number);
        return base_ + static_cast<std::size_t>(number) * slot_;
    }
    void give(const std::byte* bytes) {
        forbid(bytes, slot_);
        free_ |= std::uint32_t{1} << (static_cast<std::size_t>(bytes - base_) / slot_);
    }

private:
    Region(std::byte* base, std::size_t slot) : base_(base), slot_(slot), free_(all()) {}
    [[nodiscard]] std::uint32_t all() const { return ~std::uint32_t{0} >> (32 - kRegion / slot_); }

    std::byte* base_;
    std::size_t slot_;    // bytes
    std::uint32_t free_;  // slots, a bit each
    int touched_ = 0;     // slots that have been taken, from the lowest on
};

class Pool {
public:
    std::byte* take(std::size_t size) {
        const std::size_t slot = std::bit_ceil(size);
        bool fresh = false;
        std::byte* const bytes = find(slot, fresh);
        if (bytes == nullptr) return nullptr;
        allow(bytes, size);
        // Older kernels refuse: then each page is brought in by a fault of its own.
        if (fresh) ::madvise(bytes, size, kPopulateWrite);
        return bytes;
    }

    // One free region is kept.
    bool give(const std::byte* bytes) {
        const std::lock_guard lock(mutex_);
        const auto region = std::ranges::find_if(regions_, [&](const Region& one) { return one.holds(bytes); });
        if (region == regions_.end()) return false;
        region->give(bytes);
        if (region->is_free() && std::ranges::count_if(regions_, &Region::is_free) > 1) {
            region->unmap();
            regions_.erase(region);
        }
        return true;
    }

    void free_spare() {
        const std::lock_guard lock(mutex_);
        std::erase_if(regions_, [](const Region& one) {
            if (one.is_free()) one.unmap();
            return one.is_free();
        });
    }

private:
    std::byte* find(std::size_t slot, bool& fresh) {
        const std::lock_guard lock(mutex_);
        for (Region& region : regions_) {
            if (region.has(slot)) return region.take(fresh);
        }
        const std::optional<Region> region = Region::make(slot);
        return region ? regions_.emplace_back(*region).take(fresh) : nullptr;
    }

    std::mutex mutex_;
    std::vector<Region> regions_;
};

// Never destroyed: blocks may be freed while the process ends.
Pool& pool() {
    static auto* one = new Pool;
    return *one;
}

bool is_pooled(std::size_t size) { return size > kSmall && size <= kLarge; }

}  // namespace

void BlockFree::operator()(std::byte* bytes) const noexcept {
    if (bytes != nullptr && !(is_pooled(size) && pool().give(bytes))) delete[] bytes;
}

BlockBytes block_memory(std::size_t size) {
    std::byte* bytes = is_pooled(size) ? pool().take(size) : nullptr;
    return {bytes != nullptr ? bytes : new std::byte[size], BlockFree{size}};
}

void free_spare_blocks() { pool().free_spare(); }

}  // namespace swrun
