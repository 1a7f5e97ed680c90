// Our LZO1X decoder against liblzo2, which only this test is linked with: for every stream the same verdict and the
// same bytes.  What the library compressed, that with bytes changed, and streams made of random instructions; as many
// each time, from one seed, so that a failure comes back.
#include <gtest/gtest.h>

#include "squashfs/lzo.h"
#include "support/skip.h"
#if SWRUN_HAVE_LZO2
#include <lzo/lzo1x.h>
#endif

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace swrun {
namespace {

#if SWRUN_HAVE_LZO2

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kStreams = 100'000;
#else
constexpr int kStreams = 1'200'000;
#endif

using Bytes = std::vector<unsigned char>;
using Random = std::mt19937;

unsigned below(Random& random, unsigned limit) { return static_cast<unsigned>(random()) % limit; }

// For a failure: the stream as another test can hold it.
std::string written_out(const Bytes& stream) {
    std::string text;
    for (const unsigned char byte : stream) text += std::to_string(byte) + ", ";
    return text.substr(0, 4000);
}

// Both decoders on one stream.  Exact sizes on the heap: the sanitizer sees one byte too far.
void expect_same(const Bytes& stream, std::size_t room) {
    // Reused: making them anew would take most of the time.  They differ where either writes nothing.
    static Bytes theirs;
    static Bytes ours;
    theirs.assign(room, 1);
    ours.assign(room, 1);
    theirs.shrink_to_fit();
    ours.shrink_to_fit();
    lzo_uint length = room;
    const int verdict = lzo1x_decompress_safe(stream.data(), stream.size(), theirs.data(), &length, nullptr);
    const auto written = decompress_lzo1x(std::as_bytes(std::span(stream)), std::as_writable_bytes(std::span(ours)));
    ASSERT_EQ(written.has_value(), verdict == LZO_E_OK)
        << "the library says " << verdict << " of " << written_out(stream);
    if (!written) return;
    ASSERT_EQ(*written, length);
    ASSERT_TRUE(std::equal(ours.begin(), ours.begin() + static_cast<std::ptrdiff_t>(length), theirs.begin()));
}

// Data of one of several characters: noise, few letters, repeats from far and near, zeros.
Bytes data(Random& random, std::size_t size) {
    Bytes made;
    const unsigned letters = 1 + below(random, below(random, 2) == 0 ? 4 : 256);
    const unsigned repeats = below(random, 100);
    while (made.size() < size) {
        if (!made.empty() && below(random, 100) < repeats) {
            const auto farthest = static_cast<unsigned>(std::min<std::size_t>(made.size(), 49151));
            const std::size_t distance = 1 + below(random, farthest);
            const std::size_t length = 1 + below(random, below(random, 8) == 0 ? 700 : 12);
            for (std::size_t i = 0; i < length; ++i) made.push_back(made[made.size() - distance]);
        } else {
            for (unsigned i = 1 + below(random, 9); i > 0; --i) {
                made.push_back(static_cast<unsigned char>(below(random, letters)));
            }
        }
    }
    made.resize(size);
    return made;
}

using Compressor = int (*)(const lzo_bytep, lzo_uint, lzo_bytep, lzo_uintp, lzo_voidp);
constexpr std::size_t kWork = std::max<std::size_t>(
    {LZO1X_999_MEM_COMPRESS, LZO1X_1_MEM_COMPRESS, LZO1X_1_15_MEM_COMPRESS});

Bytes compressed(const Bytes& from, Compressor compress) {
    static std::vector<lzo_align_t> work(kWork / sizeof(lzo_align_t) + 1);
    Bytes stream(from.size() + from.size() / 16 + 67);
    lzo_uint length = stream.size();
    EXPECT_EQ(compress(from.data(), from.size(), stream.data(), &length, work.data()), LZO_E_OK);
    stream.resize(length);
    stream.shrink_to_fit();
    return stream;
}

// mksquashfs offers these five.
constexpr Compressor kCompressors[] = {lzo1x_1_compress, lzo1x_1_11_compress, lzo1x_1_12_compress, lzo1x_1_15_compress,
                                       lzo1x_999_compress};

// One to four changes of the kinds that find a wrong bound: a byte, a bit, a zero, a cut, a piece twice or gone.
void damage(Random& random, Bytes& stream) {
    for (unsigned times = 1 + below(random, 4); times > 0 && !stream.empty(); --times) {
        const auto at = static_cast<std::ptrdiff_t>(below(random, static_cast<unsigned>(stream.size())));
        const auto to = std::min<std::ptrdiff_t>(at + 1 + below(random, 6), std::ssize(stream));
        switch (below(random, 6)) {
            case 0: stream[static_cast<std::size_t>(at)] = static_cast<unsigned char>(random()); break;
            case 1: stream[static_cast<std::size_t>(at)] ^= static_cast<unsigned char>(1U << below(random, 8)); break;
            case 2: stream[static_cast<std::size_t>(at)] = 0; break;
            case 3: stream.resize(static_cast<std::size_t>(at)); break;
            case 4: {
                const Bytes piece(stream.begin() + at, stream.begin() + to);
                stream.insert(stream.begin() + at, piece.begin(), piece.end());
                break;
            }
            default: stream.erase(stream.begin() + at, stream.begin() + to);
        }
    }
}

// Instructions drawn by their code, with operands that mostly stay inside what has been written so far.
Bytes instructions(Random& random) {
    Bytes stream;
    for (unsigned count = 1 + below(random, 12); count > 0; --count) {
        constexpr unsigned kLowest[] = {0, 0, 16, 32, 64, 128};
        constexpr unsigned kCodes[] = {16, 16, 16, 32, 64, 128};
        const unsigned kind = below(random, 6);
        stream.push_back(static_cast<unsigned char>(kLowest[kind] + below(random, kCodes[kind])));
        for (unsigned more = below(random, 5); more > 0; --more) {
            stream.push_back(static_cast<unsigned char>(below(random, 3) == 0 ? random() : below(random, 5)));
        }
    }
    if (below(random, 4) != 0) stream.insert(stream.end(), {17, 0, 0});
    return stream;
}

TEST(LzoAndTheLibrary, AgreeOnWhatTheLibraryCompressed) {
    ASSERT_EQ(lzo_init(), LZO_E_OK);
    Random random(1);  // NOLINT(cert-msc51-cpp,cert-msc32-c): the same streams each time
    for (int round = 0; round < 60; ++round) {
        const Bytes from = data(random, below(random, round % 4 == 0 ? 131072 : 3000));
        for (const Compressor compress : kCompressors) {
            const Bytes stream = compressed(from, compress);
            Bytes back(from.size());
            const auto written = decompress_lzo1x(std::as_bytes(std::span(stream)),
                                                  std::as_writable_bytes(std::span(back)));
            ASSERT_EQ(written, from.size());
            ASSERT_TRUE(back == from);
            ASSERT_NO_FATAL_FAILURE(expect_same(stream, from.size()));
            const std::size_t too_little = from.empty() ? 0 : from.size() - 1;
            ASSERT_NO_FATAL_FAILURE(expect_same(stream, too_little));
        }
    }
}

TEST(LzoAndTheLibrary, AgreeOnDamagedStreams) {
    ASSERT_EQ(lzo_init(), LZO_E_OK);
    Random random(2);  // NOLINT(cert-msc51-cpp,cert-msc32-c): the same streams each time
    constexpr int kOfOneStream = 300;
    for (int left = kStreams / 2; left > 0; left -= kOfOneStream) {
        const Bytes from = data(random, 1 + below(random, 400));
        const Bytes stream = compressed(from, kCompressors[below(random, 5)]);
        for (int i = 0; i < kOfOneStream; ++i) {
            Bytes changed = stream;
            damage(random, changed);
            changed.shrink_to_fit();
            ASSERT_NO_FATAL_FAILURE(expect_same(changed, from.size() + below(random, 3)));
        }
    }
}

TEST(LzoAndTheLibrary, AgreeOnDamagedStreamsOfAWholeBlock) {
    ASSERT_EQ(lzo_init(), LZO_E_OK);
    Random random(3);  // NOLINT(cert-msc51-cpp,cert-msc32-c): the same streams each time
    for (int round = 0; round < kStreams / 1000; ++round) {
        const Bytes from = data(random, 60000 + below(random, 6000));
        Bytes stream = compressed(from, lzo1x_1_compress);
        damage(random, stream);
        ASSERT_NO_FATAL_FAILURE(expect_same(stream, from.size() + 100));
    }
}

TEST(LzoAndTheLibrary, AgreeOnRandomInstructions) {
    Random random(4);  // NOLINT(cert-msc51-cpp,cert-msc32-c): the same streams each time
    for (int left = kStreams / 2; left > 0; --left) {
        Bytes stream = instructions(random);
        stream.shrink_to_fit();
        ASSERT_NO_FATAL_FAILURE(expect_same(stream, below(random, 2000)));
    }
}

#else

TEST(LzoAndTheLibrary, Agree) { SWRUN_SKIP() << "liblzo2 (package liblzo2-dev or lzo-devel) was not found"; }

#endif

}  // namespace
}  // namespace swrun
