// Fingerprint: a short name of plain data, by which things of the same user are told apart.  Fast, not a defence: whoever
// wants two different things with one fingerprint can make them (XXH3, 128 bits, xxhash.com).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace swrun {

class Fingerprint {
public:
    // Every text is taken in with its length, every number with eight bytes: "ab","c" is not "a","bc".
    Fingerprint& add(std::string_view text);
    Fingerprint& add(std::uint64_t number);

    // 32 hexadecimal digits of all that was added.
    [[nodiscard]] std::string hex() const;

private:
    std::string bytes_;
};

// Of 64 bits, from the same family: tells damage.
[[nodiscard]] std::uint64_t checksum_of(std::span<const std::byte> bytes);

}  // namespace swrun
