// Decompression of one squashfs block, for every compression that mksquashfs writes.  Called by the
// readers of this room, from any thread: working memory is kept per thread and released with it.  Never
// allocates by what the bytes claim: an xz or lzma stream that wants more than a fixed limit is refused.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "squashfs/squash_super.h"

namespace swrun {

// The number of bytes written to `out`; nullopt when the input is damaged or larger than `out` once
// decompressed.
using Inflated = std::optional<std::size_t>;
using Decompressor = Inflated (*)(std::span<const std::byte> in, std::span<std::byte> out);

[[nodiscard]] Inflated inflate_zlib(std::span<const std::byte> in, std::span<std::byte> out);
[[nodiscard]] Inflated inflate_lzma(std::span<const std::byte> in, std::span<std::byte> out);
[[nodiscard]] Inflated inflate_lzo(std::span<const std::byte> in, std::span<std::byte> out);
[[nodiscard]] Inflated inflate_xz(std::span<const std::byte> in, std::span<std::byte> out);
[[nodiscard]] Inflated inflate_lz4(std::span<const std::byte> in, std::span<std::byte> out);
[[nodiscard]] Inflated inflate_zstd(std::span<const std::byte> in, std::span<std::byte> out);

[[nodiscard]] Decompressor decompressor_for(SquashCompression compression);

}  // namespace swrun
