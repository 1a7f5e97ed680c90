// ByteReader: little-endian reads from bytes that nobody vouches for.  Used by every parser of this
// room.  A read past the end gives zeros and marks the reader as failed for good, so a parser reads a
// whole record first and asks ok() once.  Never reads outside the span, never throws.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace swrun {

class ByteReader {
public:
    explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

    [[nodiscard]] bool ok() const { return ok_; }
    [[nodiscard]] std::size_t left() const { return bytes_.size() - at_; }

    template <std::unsigned_integral T> [[nodiscard]] T number() {
        const std::span<const std::byte> part = take(sizeof(T));
        T value = 0;
        for (std::size_t i = part.size(); i > 0; --i) {
            value = static_cast<T>((std::uint64_t{value} << 8) | std::to_integer<std::uint64_t>(part[i - 1]));
        }
        return value;
    }
    [[nodiscard]] std::uint8_t u8() { return number<std::uint8_t>(); }
    [[nodiscard]] std::uint16_t u16() { return number<std::uint16_t>(); }
    [[nodiscard]] std::uint32_t u32() { return number<std::uint32_t>(); }
    [[nodiscard]] std::uint64_t u64() { return number<std::uint64_t>(); }
    [[nodiscard]] std::int32_t i32() { return static_cast<std::int32_t>(u32()); }
    [[nodiscard]] std::int64_t i64() { return static_cast<std::int64_t>(u64()); }

    // The next `count` bytes; empty after a failure.
    [[nodiscard]] std::span<const std::byte> take(std::size_t count) {
        if (!ok_ || count > left()) {
            ok_ = false;
            return {};
        }
        const std::span<const std::byte> part = bytes_.subspan(at_, count);
        at_ += count;
        return part;
    }
    // A text field of fixed width, up to its first NUL if it has one.
    [[nodiscard]] std::string_view text(std::size_t width) {
        const std::span<const std::byte> part = take(width);
        const std::string_view all(reinterpret_cast<const char*>(part.data()), part.size());
        return all.substr(0, all.find('\0'));
    }
    void skip(std::size_t count) { (void)take(count); }

private:
    std::span<const std::byte> bytes_;
    std::size_t at_ = 0;
    bool ok_ = true;
};

// The bytes of a text, for parsers that take bytes.
[[nodiscard]] inline std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span<const char>(text.data(), text.size()));
}

}  // namespace swrun
