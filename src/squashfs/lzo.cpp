#include "squashfs/lzo.h"

#include <cstdint>
#include <cstring>

namespace swrun {
namespace {

// Copies are made in pieces of this size where there is room behind them: one fixed move in place of a call.
constexpr std::size_t kPiece = 8;

// How many literals stand before an instruction decides what the codes 0 to 15 mean.
enum class Before : std::uint8_t { nothing = 0, one, two, three, run };

// What an instruction asks for: `length` bytes from `distance` bytes back, then up to three literals.
struct Match {
    std::size_t length = 0;
    std::size_t distance = 0;
    unsigned literals = 0;
};

// A position in each span, and one failure for both: it is sticky, and every step after it does nothing.
class Stream {
public:
    Stream(std::span<const std::byte> in, std::span<std::byte> out)
        : from_(in.data()),
          from_end_(in.data() + in.size()),
          start_(out.data()),
          to_(out.data()),
          to_end_(out.data() + out.size()) {}

    [[nodiscard]] bool ok() const { return ok_; }
    [[nodiscard]] bool at_end() const { return from_ == from_end_; }
    [[nodiscard]] std::size_t written() const { return static_cast<std::size_t>(to_ - start_); }

    unsigned byte() {
        if (at_end()) return fail();
        return std::to_integer<unsigned>(*from_++);
    }
    unsigned little_endian_16() {
        const unsigned low = byte();
        return low | byte() << 8;
    }

    // A length whose field in the code was 0: each zero byte stands for 255 more, the first other byte ends it.  A sum
    // that there is no room for stops growing, so it cannot run over; it is no failure yet, for an end mark may have it.
    std::size_t long_length(std::size_t length) {
        unsigned next = byte();
        while (next == 0 && ok_) {
            if (length <= room()) length += 255;
            next = byte();
        }
        return length + next;
    }

    void copy_literals(std::size_t count) {
        if (count > left() || count > room()) {
            fail();
            return;
        }
        if (left() - count >= kPiece && room() - count >= kPiece) {
            copy_pieces(from_, count);
        } else if (count > 0) {
            std::memcpy(to_, from_, count);
        }
        from_ += count;
        to_ += count;
    }

    // The two ranges may overlap: a distance shorter than the length repeats what was just written.
    void copy_match(std::size_t distance, std::size_t length) {
        if (distance > written() || length > room()) {
            fail();
            return;
        }
        const std::byte* source = to_ - distance;
        if (distance >= kPiece && room() - length >= kPiece) {
            copy_pieces(source, length);
        } else if (distance == 1) {
            std::memset(to_, std::to_integer<int>(*source), length);
        } else {
            for (std::size_t at = 0; at < length; ++at) to_[at] = source[at];
        }
        to_ += length;
    }

private:
    [[nodiscard]] std::size_t left() const { return static_cast<std::size_t>(from_end_ - from_); }
    [[nodiscard]] std::size_t room() const { return static_cast<std::size_t>(to_end_ - to_); }

    unsigned fail() {
        ok_ = false;
        return 0;
    }

    // Writes up to kPiece bytes behind `count`; the caller has made sure of them.  `source` is outside the piece that
    // is being written, so an overlap further on reads what an earlier piece has written.
    void copy_pieces(const std::byte* source, std::size_t count) {
        for (std::size_t at = 0; at < count; at += kPiece) std::memcpy(to_ + at, source + at, kPiece);
    }

    const std::byte* from_;
    const std::byte* from_end_;
    std::byte* start_;
    std::byte* to_;
    std::byte* to_end_;
    bool ok_ = true;
};

// Codes 0 to 15 behind literals: two bytes from near, or three from just behind what the others reach.
Match short_match(Stream& stream, unsigned code, Before before) {
    const std::size_t back = (std::size_t{stream.byte()} << 2) + (code >> 2) + 1;
    if (before == Before::run) return {.length = 3, .distance = back + 2048, .literals = code & 3};
    return {.length = 2, .distance = back, .literals = code & 3};
}

// Codes 16 to 31: from 16 to 48 KiB back.  The distance 0 marks the end of the stream.
Match far_match(Stream& stream, unsigned code) {
    const std::size_t field = code & 7;
    const std::size_t length = 2 + (field != 0 ? field : stream.long_length(7));
    const unsigned operand = stream.little_endian_16();
    const std::size_t back = (std::size_t{code & 8} << 11) + (operand >> 2);
    return {.length = length, .distance = back == 0 ? 0 : back + 16384, .literals = operand & 3};
}

// Codes 32 to 63: up to 16 KiB back.
Match middle_match(Stream& stream, unsigned code) {
    const std::size_t field = code & 31;
    const std::size_t length = 2 + (field != 0 ? field : stream.long_length(31));
    const unsigned operand = stream.little_endian_16();
    return {.length = length, .distance = std::size_t{operand >> 2} + 1, .literals = operand & 3};
}

// Codes 64 to 255: three to eight bytes from up to 2 KiB back.
Match near_match(Stream& stream, unsigned code) {
    const std::size_t length = (code >> 5) + 1;
    const std::size_t distance = (std::size_t{stream.byte()} << 3) + ((code >> 2) & 7) + 1;
    return {.length = length, .distance = distance, .literals = code & 3};
}

Match read_match(Stream& stream, unsigned code, Before before) {
    if (code >= 64) return near_match(stream, code);
    if (code >= 32) return middle_match(stream, code);
    if (code >= 16) return far_match(stream, code);
    return short_match(stream, code, before);
}

// The first byte may stand for literals alone: there is nothing yet that a match could copy.
Before read_start(Stream& stream, std::span<const std::byte> in) {
    if (in.empty() || std::to_integer<unsigned>(in.front()) <= 17) return Before::nothing;
    const unsigned count = stream.byte() - 17;
    stream.copy_literals(count);
    return count < 4 ? Before{static_cast<std::uint8_t>(count)} : Before::run;
}

}  // namespace

std::optional<std::size_t> decompress_lzo1x(std::span<const std::byte> in, std::span<std::byte> out) {
    Stream stream(in, out);
    Before before = read_start(stream, in);
    while (stream.ok()) {
        const unsigned code = stream.byte();
        if (code < 16 && before == Before::nothing) {
            stream.copy_literals(3 + (code != 0 ? code : stream.long_length(15)));
            before = Before::run;
            continue;
        }
        const Match match = read_match(stream, code, before);
        if (match.distance == 0) break;
        stream.copy_match(match.distance, match.length);
        stream.copy_literals(match.literals);
        before = Before{static_cast<std::uint8_t>(match.literals)};
    }
    // Only the end mark leaves the loop without a failure, and nothing may follow it.
    if (!stream.ok() || !stream.at_end()) return std::nullopt;
    return stream.written();
}

}  // namespace swrun
