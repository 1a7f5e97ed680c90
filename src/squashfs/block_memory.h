// Memory for decoded blocks.  Fresh pages cost a fault each, for a block of 128 KiB a fifth of the time that decoding
// takes: so those of a block are asked for together, and what one block leaves, the next gets.  Thread-safe; a child that is
// forked while others run in here leaves it alone.
#pragma once

#include <cstddef>
#include <memory>

namespace swrun {

struct BlockFree {
    std::size_t size = 0;
    void operator()(std::byte* bytes) const noexcept;
};
using BlockBytes = std::unique_ptr<std::byte[], BlockFree>;

// Not initialized.
[[nodiscard]] BlockBytes block_memory(std::size_t size);

// Gives back what is kept for blocks to come.
void free_spare_blocks();

}  // namespace swrun
