#include "image/block_memory.h"

#include <array>
#include <mutex>
#include <utility>

namespace swrun {
namespace {

constexpr std::size_t kSmall = 32U << 10U;  // bytes; of these malloc(3) takes good care by itself
constexpr std::size_t kLarge = 1U << 20U;   // the largest block of a squashfs

class Spare {
public:
    std::byte* take(std::size_t size) {
        const std::lock_guard lock(mutex_);
        for (Piece& piece : pieces_) {
            if (piece.bytes != nullptr && piece.size == size) return std::exchange(piece.bytes, nullptr);
        }
        return nullptr;
    }
    bool keep(std::byte* bytes, std::size_t size) {
        const std::lock_guard lock(mutex_);
        for (Piece& piece : pieces_) {
            if (piece.bytes != nullptr) continue;
            piece = {bytes, size};
            return true;
        }
        return false;
    }
    void free() {
        const std::lock_guard lock(mutex_);
        for (Piece& piece : pieces_) delete[] std::exchange(piece.bytes, nullptr);
    }

private:
    struct Piece {
        std::byte* bytes = nullptr;
        std::size_t size = 0;
    };

    std::mutex mutex_;
    std::array<Piece, 8> pieces_;
};

// Never destroyed: blocks may be freed while the process ends.
Spare& spare() {
    static auto* one = new Spare;
    return *one;
}

bool is_kept(std::size_t size) { return size > kSmall && size <= kLarge; }

}  // namespace

void BlockFree::operator()(std::byte* bytes) const noexcept {
    if (bytes != nullptr && !(is_kept(size) && spare().keep(bytes, size))) delete[] bytes;
}

BlockBytes block_memory(std::size_t size) {
    std::byte* bytes = is_kept(size) ? spare().take(size) : nullptr;
    return {bytes != nullptr ? bytes : new std::byte[size], BlockFree{size}};
}

void free_spare_blocks() { spare().free(); }

}  // namespace swrun
