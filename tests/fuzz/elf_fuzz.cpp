// A program or library of an image: what its loader will ask for.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "image/elf_needs.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    std::size_t reads = 0;
    const auto needs = swrun::elf_needs([&](std::uint64_t offset, std::span<std::byte> into) {
        ++reads;
        if (offset > bytes.size() || into.size() > bytes.size() - offset) return false;
        std::ranges::copy(bytes.subspan(static_cast<std::size_t>(offset), into.size()), into.begin());
        return true;
    });
    constexpr std::size_t kMostReads = 1U << 20U;  // each is a look into an image
    if (reads > kMostReads) std::abort();
    if (needs && (needs->needed.size() > 64 || needs->search.size() > 64)) std::abort();
    return 0;
}
