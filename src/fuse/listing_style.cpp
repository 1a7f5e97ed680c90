#include "fuse/listing_style.h"

#include <algorithm>

namespace swrun {

// Two threads that count at a time may lose one of many; nothing depends on it.
bool ListingStyle::brings_files(std::uint64_t directory) {
    const std::uint32_t credit = credit_.load(std::memory_order_relaxed);
    if (credit > 0) {
        credit_.store(credit - 1, std::memory_order_relaxed);
        return true;
    }
    slot(directory).store(directory + 1, std::memory_order_relaxed);
    return false;
}

void ListingStyle::note_lookup(std::uint64_t directory) {
    if (slot(directory).load(std::memory_order_relaxed) != directory + 1) return;
    credit_.store(std::min(credit_.load(std::memory_order_relaxed) + kCredit, kMost), std::memory_order_relaxed);
}

}  // namespace swrun
