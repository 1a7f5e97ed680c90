// LZO1X: every instruction by hand, every stream cut at every place, and streams that lie.  Each buffer is a vector of
// exactly the size that it is given as, so the sanitizer sees one byte too far.
#include "squashfs/lzo.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace swrun {
namespace {

using Bytes = std::vector<std::uint8_t>;

// `room`: the size of the output that is offered.
std::optional<std::string> unpacked(const Bytes& stream, std::size_t room) {
    // Copied, so that the vector's capacity is its size.
    const std::vector<std::uint8_t> in(stream.begin(), stream.end());
    std::vector<std::uint8_t> out(room);
    const auto written = decompress_lzo1x(std::as_bytes(std::span(in)), std::as_writable_bytes(std::span(out)));
    if (!written) return std::nullopt;
    EXPECT_LE(*written, room);
    return std::string(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(*written));
}

constexpr std::uint8_t kEnd[] = {17, 0, 0};

Bytes operator+(Bytes left, const Bytes& right) {
    left.insert(left.end(), right.begin(), right.end());
    return left;
}
Bytes ended(Bytes stream) {
    stream.insert(stream.end(), std::begin(kEnd), std::end(kEnd));
    return stream;
}
Bytes text(const std::string& literals) { return {literals.begin(), literals.end()}; }

// The first byte of a stream that begins with `literals` (4 to 238 of them), and these.
Bytes start(const std::string& literals) {
    return Bytes{static_cast<std::uint8_t>(17 + literals.size())} + text(literals);
}
// `count` (274 or more) literals as the first instruction: 18, 255 for each zero byte, and a last byte.
Bytes long_run(const std::string& literals) {
    Bytes stream{0};
    std::size_t left = literals.size() - 18;
    for (; left > 255; left -= 255) stream.push_back(0);
    stream.push_back(static_cast<std::uint8_t>(left));
    return stream + text(literals);
}
std::string pattern(std::size_t size) {
    std::string made;
    for (std::size_t i = 0; i < size; ++i) made.push_back(static_cast<char>('a' + i * i % 23 + i / 1000 % 3));
    return made;
}

struct Case {
    const char* name;
    Bytes stream;
    std::string holds;
};
void PrintTo(const Case& one, std::ostream* out) { *out << one.name; }

std::vector<Case> cases() {
    const std::string far = pattern(20000);
    const std::string farther = pattern(40000);
    return {
        {"nothing", ended({}), ""},
        {"an_end_mark_with_a_length", {16, 0, 0, 9, 0, 0}, ""},
        {"an_end_mark_with_literals_to_come", {20, 'a', 'b', 'c', 21, 3, 0}, "abc"},
        {"one_literal", ended({18, 'a'}), "a"},
        {"three_literals", ended({20, 'a', 'b', 'c'}), "abc"},
        {"four_literals", ended(start("abcd")), "abcd"},
        {"most_in_the_first_byte", ended(start(pattern(238))), pattern(238)},
        {"a_run_of_four", ended({1, 'a', 'b', 'c', 'd'}), "abcd"},
        {"a_run_of_eighteen", ended(Bytes{15} + text(pattern(18))), pattern(18)},
        {"a_run_of_nineteen", ended(Bytes{0, 1} + text(pattern(19))), pattern(19)},
        {"a_run_of_273", ended(Bytes{0, 255} + text(pattern(273))), pattern(273)},
        {"a_run_with_zero_bytes", ended(long_run(pattern(5000))), pattern(5000)},
        // 01LDDDSS: three or four bytes; S literals behind.
        {"three_from_near", ended(start("abcd") + Bytes{64 | 3 << 2, 0}), "abcdabc"},
        {"four_from_near_and_two", ended(start("abcd") + Bytes{96 | 3 << 2 | 2, 0, 'x', 'y'}), "abcdabcdxy"},
        {"overlapping", ended(start("abcd") + Bytes{96 | 1 << 2, 0}), "abcdcdcd"},
        {"one_byte_repeated", ended(start("abcd") + Bytes{96, 0}), "abcddddd"},
        // 1LLDDDSS: five to eight.
        {"eight_from_near", ended(start("abcdefgh") + Bytes{0xe0 | 7 << 2, 0}), "abcdefghabcdefgh"},
        {"five_from_2048_back", ended(long_run(pattern(2048)) + Bytes{0x80 | 7 << 2, 255}), pattern(2048) + pattern(5)},
        // 0000DDSS behind one to three literals: two bytes.
        {"two_behind_one_literal", ended({18, 'a', 0, 0}), "aaa"},
        {"two_behind_literals", ended({20, 'a', 'b', 'c', 2 << 2 | 1, 0, 'z'}), "abcabz"},
        {"two_from_1024_back", ended(long_run(pattern(1021)) + Bytes{64 | 3, 0, 'x', 'y', 'z', 3 << 2, 255}),
         pattern(1021) + std::string(3, pattern(1021).back()) + "xyz" + pattern(5).substr(3)},
        // 0000DDSS behind a run: three bytes from 2 to 3 KiB back.
        {"three_behind_a_run", ended(long_run(pattern(2049)) + Bytes{0, 0}), pattern(2049) + pattern(3)},
        {"three_from_3072_back", ended(long_run(pattern(3072)) + Bytes{3 << 2, 255}), pattern(3072) + pattern(3)},
        // 001LLLLL: up to 16 KiB back.
        {"three_from_middle", ended(start("abcd") + Bytes{33, 3 << 2, 0}), "abcdabc"},
        {"most_without_a_byte_more", ended(start("abcd") + Bytes{32 | 31, 0, 0}), "abcd" + std::string(33, 'd')},
        {"a_long_length", ended(start("abcd") + Bytes{32, 0, 0, 7, 0, 0}), "abcd" + std::string(33 + 510 + 7, 'd')},
        {"middle_with_literals", ended(start("abcd") + Bytes{32, 1, 3 << 2 | 3, 0, 'x', 'y', 'z'}),
         "abcd" + std::string("abcdabcdabcdabcdabcdabcdabcdabcdab") + "xyz"},
        {"from_16384_back", ended(long_run(far) + Bytes{33, 0xfc, 0xff}), far + far.substr(20000 - 16384, 3)},
        // 0001HLLL: 16 to 48 KiB back.
        {"from_16385_back", ended(long_run(far) + Bytes{17, 1 << 2, 0}), far + far.substr(20000 - 16385, 3)},
        {"far_with_a_long_length", ended(long_run(far) + Bytes{16, 4, 1 << 2 | 1, 0, 'x'}),
         far + far.substr(20000 - 16385, 13) + "x"},
        {"from_32768_and_more", ended(long_run(farther) + Bytes{16 | 8 | 2, 0xfc, 0x3f}),
         farther + farther.substr(40000 - 32768 - 0xfff, 4)},
    };
}

class EveryInstruction : public ::testing::TestWithParam<Case> {};

TEST_P(EveryInstruction, GivesWhatItHolds) {
    const Case& one = GetParam();
    EXPECT_EQ(unpacked(one.stream, one.holds.size()), one.holds);
    EXPECT_EQ(unpacked(one.stream, one.holds.size() + 7), one.holds);
    EXPECT_EQ(unpacked(one.stream, one.holds.size() + 4096), one.holds);
}

TEST_P(EveryInstruction, RefusesTooLittleRoom) {
    const Case& one = GetParam();
    const std::size_t step = 1 + one.holds.size() / 40;
    for (std::size_t missing = 1; missing <= one.holds.size(); missing += step) {
        const std::size_t room = one.holds.size() - missing;
        EXPECT_EQ(unpacked(one.stream, room), std::nullopt) << room;
    }
}

TEST_P(EveryInstruction, RefusesAStreamThatIsCutOrGoesOn) {
    const Case& one = GetParam();
    const std::size_t step = 1 + one.stream.size() / 40;
    for (std::size_t size = 0; size < one.stream.size(); size += step) {
        EXPECT_EQ(unpacked(Bytes(one.stream.begin(), one.stream.begin() + static_cast<std::ptrdiff_t>(size)), 70000),
                  std::nullopt)
            << size;
    }
    EXPECT_EQ(unpacked(one.stream + Bytes{0}, 70000), std::nullopt);
    EXPECT_EQ(unpacked(ended(one.stream), 70000), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(Lzo, EveryInstruction, ::testing::ValuesIn(cases()),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST(Lzo, RefusesADistanceBeforeTheBeginning) {
    EXPECT_EQ(unpacked(ended({64, 0}), 100), std::nullopt);                                // nothing yet
    EXPECT_EQ(unpacked(ended({16 | 1, 4, 0}), 100), std::nullopt);                         // 16385 back, nothing yet
    EXPECT_EQ(unpacked(ended(start("abcd") + Bytes{64 | 4 << 2, 0}), 100), std::nullopt);  // five back of four
    EXPECT_EQ(unpacked(ended(start("abcd") + Bytes{0, 0}), 100), std::nullopt);            // 2049 back
    EXPECT_EQ(unpacked(ended({18, 'a', 1 << 2, 0}), 100), std::nullopt);                   // two back of one
    EXPECT_EQ(unpacked(ended(start("abcd") + Bytes{33, 4 << 2, 0}), 100), std::nullopt);
    EXPECT_EQ(unpacked(ended(start("abcd") + Bytes{24 | 1, 0xff, 0xff}), 100), std::nullopt);
}

// A length has no upper end: a megabyte of zeros is 255 MB.  The sum stops at what there is room for.
TEST(Lzo, RefusesLengthsWithoutEnd) {
    for (const Bytes& begins : {Bytes{0}, start("abcd") + Bytes{32}, start("abcd") + Bytes{16}}) {
        EXPECT_EQ(unpacked(begins + Bytes(1 << 20, 0), 65536), std::nullopt);
        EXPECT_EQ(unpacked(ended(begins + Bytes(1 << 20, 0) + Bytes{255, 0, 0}), 65536), std::nullopt);
    }
}

TEST(Lzo, RefusesLiteralsThatAreNotThere) {
    EXPECT_EQ(unpacked({255}, 65536), std::nullopt);
    EXPECT_EQ(unpacked({0, 0, 255, 'a'}, 65536), std::nullopt);
    EXPECT_EQ(unpacked({21, 'a', 'b', 'c', 'd', 64 | 3, 0, 'x'}, 65536), std::nullopt);
}

TEST(Lzo, TakesNothingForNothing) {
    EXPECT_EQ(decompress_lzo1x({}, {}), std::nullopt);
    EXPECT_EQ(unpacked({}, 10), std::nullopt);
    const std::vector<std::uint8_t> end(std::begin(kEnd), std::end(kEnd));
    EXPECT_EQ(decompress_lzo1x(std::as_bytes(std::span(end)), {}), 0U);
}

// LZO-RLE, which the kernel has for compressed memory, is another stream; squashfs never holds it.
TEST(Lzo, RefusesTheStreamWithZeroRuns) { EXPECT_EQ(unpacked(ended({17, 1, 'a', 'b'}), 100), std::nullopt); }

}  // namespace
}  // namespace swrun
