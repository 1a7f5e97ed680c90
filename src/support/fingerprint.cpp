#include "support/fingerprint.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>

namespace swrun {

Fingerprint& Fingerprint::add(std::string_view text) {
    add(text.size());
    bytes_.append(text);
    return *this;
}

Fingerprint& Fingerprint::add(std::uint64_t number) {
    bytes_.append(reinterpret_cast<const char*>(&number), sizeof number);
    return *this;
}

std::string Fingerprint::hex() const {
    const XXH128_hash_t hash = XXH3_128bits(bytes_.data(), bytes_.size());
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, hash);
    constexpr std::array<char, 17> kDigits{"0123456789abcdef"};
    std::string text;
    for (const unsigned char byte : canonical.digest) {
        text.push_back(kDigits[byte >> 4U]);
        text.push_back(kDigits[byte & 15U]);
    }
    return text;
}

std::uint64_t checksum_of(std::span<const std::byte> bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

}  // namespace swrun
