#include "squashfs/decompress.h"

#include <libdeflate.h>
#include <lz4.h>
#include <lzma.h>
#include <zstd.h>

#include <climits>
#include <cstdint>
#include <memory>

#include "squashfs/lzo.h"

namespace swrun {
namespace {

// Dictionaries are at most one block (1 MiB) in squashfs; the decoder needs little more.
constexpr std::uint64_t kLzmaMemory = 32 * 1024 * 1024;

template <auto Free> struct Freed {
    template <class T> void operator()(T* object) const { Free(object); }
};

}  // namespace

Inflated inflate_zlib(std::span<const std::byte> in, std::span<std::byte> out) {
    // libdeflate takes 40 % of zlib's time here.
    thread_local const std::unique_ptr<libdeflate_decompressor, Freed<libdeflate_free_decompressor>> state(
        libdeflate_alloc_decompressor());
    std::size_t produced = 0;
    if (!state || libdeflate_zlib_decompress(state.get(), in.data(), in.size(), out.data(), out.size(), &produced) !=
                      LIBDEFLATE_SUCCESS) {
        return std::nullopt;
    }
    return produced;
}

Inflated inflate_lzma(std::span<const std::byte> in, std::span<std::byte> out) {
    lzma_stream stream = LZMA_STREAM_INIT;
    if (lzma_alone_decoder(&stream, kLzmaMemory) != LZMA_OK) return std::nullopt;
    stream.next_in = reinterpret_cast<const std::uint8_t*>(in.data());
    stream.avail_in = in.size();
    stream.next_out = reinterpret_cast<std::uint8_t*>(out.data());
    stream.avail_out = out.size();
    const lzma_ret result = lzma_code(&stream, LZMA_FINISH);
    const auto produced = static_cast<std::size_t>(stream.total_out);
    const bool done = result == LZMA_STREAM_END || (result == LZMA_OK && stream.avail_in == 0);
    lzma_end(&stream);
    if (!done) return std::nullopt;
    return produced;
}

Inflated inflate_lzo(std::span<const std::byte> in, std::span<std::byte> out) { return decompress_lzo1x(in, out); }

Inflated inflate_xz(std::span<const std::byte> in, std::span<std::byte> out) {
    std::uint64_t limit = kLzmaMemory;
    std::size_t consumed = 0;
    std::size_t produced = 0;
    const lzma_ret result = lzma_stream_buffer_decode(
        &limit, 0, nullptr, reinterpret_cast<const std::uint8_t*>(in.data()), &consumed, in.size(),
        reinterpret_cast<std::uint8_t*>(out.data()), &produced, out.size());
    if (result != LZMA_OK) return std::nullopt;
    return produced;
}

Inflated inflate_lz4(std::span<const std::byte> in, std::span<std::byte> out) {
    if (in.size() > INT_MAX || out.size() > INT_MAX) return std::nullopt;
    const int produced = LZ4_decompress_safe(reinterpret_cast<const char*>(in.data()),
                                             reinterpret_cast<char*>(out.data()), static_cast<int>(in.size()),
                                             static_cast<int>(out.size()));
    if (produced < 0) return std::nullopt;
    return static_cast<std::size_t>(produced);
}

Inflated inflate_zstd(std::span<const std::byte> in, std::span<std::byte> out) {
    // One context per thread: making one costs as much as decoding a metadata block.
    thread_local const std::unique_ptr<ZSTD_DCtx, Freed<ZSTD_freeDCtx>> state(ZSTD_createDCtx());
    if (!state) return std::nullopt;
    const std::size_t produced = ZSTD_decompressDCtx(state.get(), out.data(), out.size(), in.data(), in.size());
    if (ZSTD_isError(produced) != 0) return std::nullopt;
    return produced;
}

Decompressor decompressor_for(SquashCompression compression) {
    switch (compression) {
        case SquashCompression::zlib: return inflate_zlib;
        case SquashCompression::lzma: return inflate_lzma;
        case SquashCompression::lzo: return inflate_lzo;
        case SquashCompression::xz: return inflate_xz;
        case SquashCompression::lz4: return inflate_lz4;
        case SquashCompression::zstd: return inflate_zstd;
    }
    return inflate_zlib;
}

}  // namespace swrun
