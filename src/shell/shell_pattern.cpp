#include "shell/shell_pattern.h"

#include <algorithm>

namespace swrun {

namespace {

// One bracket expression; `at` stands behind '['.  nullopt: not one that every shell reads alike.
std::optional<bool> match_bracket(std::string_view pattern, std::size_t& at, char c) {
    const auto wanted = static_cast<unsigned char>(c);
    bool inverted = false;
    bool found = false;
    if (at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^')) {
        if (pattern[at] == '^') return std::nullopt;  // unspecified by POSIX
        inverted = true;
        ++at;
    }
    for (bool first = true; at < pattern.size(); first = false) {
        char low = pattern[at++];
        if (low == ']' && !first) return found != inverted;
        if (low == '[' || low == '\\') return std::nullopt;  // classes, and quoting inside brackets
        char high = low;
        if (at + 1 < pattern.size() && pattern[at] == '-' && pattern[at + 1] != ']') {
            high = pattern[at + 1];
            at += 2;
            if (high == '[' || high == '\\') return std::nullopt;
        }
        if (static_cast<unsigned char>(low) >= 0x80 || static_cast<unsigned char>(high) >= 0x80) return std::nullopt;
        found = found || (wanted >= static_cast<unsigned char>(low) && wanted <= static_cast<unsigned char>(high));
    }
    return std::nullopt;  // never closed
}

// One pattern element other than '*' against one byte.
std::optional<bool> match_one(std::string_view pattern, std::size_t& at, char c) {
    const char p = pattern[at++];
    const bool ascii = static_cast<unsigned char>(c) < 0x80;
    if (p == '?') return ascii ? std::optional<bool>(true) : std::nullopt;  // a character may be several bytes
    if (p == '[') return ascii ? match_bracket(pattern, at, c) : std::nullopt;
    if (p == '\\' && at < pattern.size()) return pattern[at++] == c;
    return p == c;
}

}  // namespace

std::optional<bool> match_pattern(std::string_view pattern, std::string_view text, std::size_t& budget) {
    // Going back only to the last '*' is enough: the earlier ones matched as little as they could.
    std::size_t p = 0;
    std::size_t t = 0;
    std::optional<std::size_t> star;
    std::size_t star_text = 0;
    while (true) {
        if (budget == 0) return std::nullopt;
        --budget;
        if (p < pattern.size() && pattern[p] == '*') {
            star = ++p;
            star_text = t;
            continue;
        }
        if (t == text.size() && p == pattern.size()) return true;
        if (t < text.size() && p < pattern.size()) {
            std::size_t next = p;
            const std::optional<bool> same = match_one(pattern, next, text[t]);
            if (!same) return std::nullopt;
            if (*same) {
                p = next;
                ++t;
                continue;
            }
        }
        if (!star || star_text >= text.size()) return false;
        p = *star;
        t = ++star_text;
    }
}

std::optional<std::string> trim_pattern(std::string_view pattern, std::string_view text, std::string_view op,
                                        std::size_t& budget) {
    const bool longest = op.size() == 2;
    const bool prefix = op[0] == '#';
    for (std::size_t i = 0; i <= text.size(); ++i) {
        const std::size_t length = longest ? text.size() - i : i;
        const std::string_view part = prefix ? text.substr(0, length) : text.substr(text.size() - length);
        const std::optional<bool> matches = match_pattern(pattern, part, budget);
        if (!matches) return std::nullopt;
        if (*matches) return std::string(prefix ? text.substr(length) : text.substr(0, text.size() - length));
    }
    return std::string(text);
}

}  // namespace swrun
