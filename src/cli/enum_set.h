// A set of enumerators, as many as there are, which the compiler can work out: std::bitset cannot be changed in a
// constant expression before C++23.  Pure data.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace swrun {

// `Count`: the enumerators of E have the values 0 to Count - 1.
template <class E, std::size_t Count> class EnumSet {
public:
    constexpr EnumSet() = default;
    constexpr EnumSet(E one) { add(one); }  // NOLINT(google-explicit-constructor): one alone is a set, too
    constexpr EnumSet(std::initializer_list<E> several) {
        for (const E one : several) add(one);
    }
    [[nodiscard]] static constexpr EnumSet all() {
        EnumSet set;
        for (std::size_t i = 0; i < Count; ++i) set.add(static_cast<E>(i));
        return set;
    }

    constexpr void add(E one) { words_[word_of(one)] |= bit_of(one); }
    [[nodiscard]] constexpr bool has(E one) const { return (words_[word_of(one)] & bit_of(one)) != 0; }
    [[nodiscard]] constexpr bool empty() const { return *this == EnumSet(); }

    // Is there one that is in both?
    [[nodiscard]] constexpr bool meets(const EnumSet& other) const {
        for (std::size_t i = 0; i < words_.size(); ++i) {
            if ((words_[i] & other.words_[i]) != 0) return true;
        }
        return false;
    }

    // All that are in one of them, or in both.
    friend constexpr EnumSet operator|(EnumSet a, const EnumSet& b) {
        for (std::size_t i = 0; i < a.words_.size(); ++i) a.words_[i] |= b.words_[i];
        return a;
    }
    friend constexpr bool operator==(const EnumSet&, const EnumSet&) = default;

private:
    static constexpr std::size_t kBits = 64;
    static constexpr std::size_t word_of(E one) { return static_cast<std::size_t>(one) / kBits; }
    static constexpr std::uint64_t bit_of(E one) { return std::uint64_t{1} << (static_cast<std::size_t>(one) % kBits); }

    std::array<std::uint64_t, (Count + kBits - 1) / kBits> words_{};
};

}  // namespace swrun
