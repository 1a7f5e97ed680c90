// LZO1X decompression, for squashfs images that `mksquashfs -comp lzo` wrote.  Called by decompress.cpp, from any
// thread; keeps nothing between calls and allocates nothing.
//
// Our own, because the one library there is (liblzo2) is under the GPL and swrun is not.  Written from the stream
// description in the kernel's documentation (Documentation/staging/lzo.rst, version 0 of the stream), and held against
// the library by tests/unit/squashfs/lzo_library_test.cpp: the same verdict and the same bytes for every stream.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace swrun {

// The number of bytes written to the front of `out`; what lies behind them in `out` may be overwritten too.  nullopt
// when the stream is damaged, ends early, goes on behind its end mark, or holds more than `out` has room for.  No
// length or distance of the stream is believed: nothing outside the two spans is ever read or written.
[[nodiscard]] std::optional<std::size_t> decompress_lzo1x(std::span<const std::byte> in, std::span<std::byte> out);

}  // namespace swrun
