// A block that mksquashfs -comp lzo has compressed.  The first byte says how much room there is, in steps of 64 bytes.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "squashfs/lzo.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    // On the heap in their exact sizes: the sanitizer then sees one byte too far.
    const std::vector<std::uint8_t> in(data + 1, data + size);
    const std::size_t room = std::size_t{data[0]} * 64;
    std::vector<std::uint8_t> out(room);
    const auto written = swrun::decompress_lzo1x(std::as_bytes(std::span(in)), std::as_writable_bytes(std::span(out)));
    if (!written) return 0;
    if (*written > room) std::abort();
    // What fits is the same with just enough room, and nothing fits into less.
    std::vector<std::uint8_t> exact(*written);
    const auto again = swrun::decompress_lzo1x(std::as_bytes(std::span(in)), std::as_writable_bytes(std::span(exact)));
    out.resize(*written);
    if (again != written || exact != out) std::abort();
    if (*written == 0) return 0;
    std::vector<std::uint8_t> less(*written - 1);
    if (swrun::decompress_lzo1x(std::as_bytes(std::span(in)), std::as_writable_bytes(std::span(less)))) std::abort();
    return 0;
}
