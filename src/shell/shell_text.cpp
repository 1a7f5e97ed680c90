#include "shell/shell_text.h"

#include <cstdint>

namespace swrun {

namespace {

std::optional<unsigned> digit_of(char c, unsigned base) {
    unsigned value = 99;
    if (c >= '0' && c <= '9') value = static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') value = static_cast<unsigned>(c - 'a') + 10;
    if (c >= 'A' && c <= 'F') value = static_cast<unsigned>(c - 'A') + 10;
    return value < base ? std::optional<unsigned>(value) : std::nullopt;
}

// Up to `most` digits at `at`; nullopt when there is none.
std::optional<std::uint32_t> number_at(std::string_view text, std::size_t& at, unsigned base, int most) {
    std::optional<std::uint32_t> number;
    for (int i = 0; i < most && at < text.size(); ++i, ++at) {
        const std::optional<unsigned> digit = digit_of(text[at], base);
        if (!digit) break;
        number = number.value_or(0) * base + *digit;
    }
    return number;
}

// UTF-8 of a code point; nullopt for surrogates and what lies beyond Unicode, which shells write in their own ways.
std::optional<std::string> utf8(std::uint32_t point) {
    const auto byte = [](std::uint32_t value) { return static_cast<char>(static_cast<unsigned char>(value)); };
    const auto rest = [&](std::uint32_t value, unsigned shift) { return byte(0x80U | ((value >> shift) & 0x3fU)); };
    if (point == 0 || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return std::nullopt;
    if (point < 0x80) return std::string{byte(point)};
    if (point < 0x800) return std::string{byte(0xc0U | (point >> 6U)), rest(point, 0)};
    if (point < 0x10000) return std::string{byte(0xe0U | (point >> 12U)), rest(point, 6), rest(point, 0)};
    return std::string{byte(0xf0U | (point >> 18U)), rest(point, 12), rest(point, 6), rest(point, 0)};
}

// One escape; `at` stands behind the backslash.
std::optional<std::string> escape_at(std::string_view text, std::size_t& at) {
    if (at >= text.size()) return std::nullopt;
    const char c = text[at];
    if (digit_of(c, 8)) {
        const std::uint32_t number = *number_at(text, at, 8, 3);
        if (number == 0 || number > 255) return std::nullopt;  // a string ends there, or a byte overflows
        return std::string{static_cast<char>(static_cast<unsigned char>(number))};
    }
    ++at;
    if (c == 'x' || c == 'u' || c == 'U') {
        const std::optional<std::uint32_t> number = number_at(text, at, 16, c == 'x' ? 2 : (c == 'u' ? 4 : 8));
        if (!number || *number == 0) return std::nullopt;
        if (c != 'x') return utf8(*number);
        return std::string{static_cast<char>(static_cast<unsigned char>(*number))};
    }
    constexpr std::string_view kLetters = "abeEfnrtv\\'\"?";
    constexpr std::string_view kMeanings = "\a\b\033\033\f\n\r\t\v\\'\"?";
    const std::size_t which = kLetters.find(c);
    if (which == std::string_view::npos) return std::nullopt;
    return std::string{kMeanings[which]};
}

std::string octal_bytes(std::string_view bytes) {
    std::string text;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        text += '\\';
        for (const unsigned shift : {6U, 3U, 0U}) text += static_cast<char>('0' + ((byte >> shift) & 7U));
    }
    return text;
}

// Copies $'...', `at` behind the first quote.
void copy_ansi_quotes(std::string_view text, std::size_t& at, std::string& copy) {
    while (at < text.size()) {
        const char c = text[at];
        if (c == '\\' && at + 1 < text.size()) {
            std::size_t end = at + 1;
            const bool unicode = text[end] == 'u' || text[end] == 'U';
            const std::optional<std::string> bytes = unicode ? escape_at(text, end) : std::nullopt;
            copy += bytes ? octal_bytes(*bytes) : std::string(text.substr(at, 2));
            at = bytes ? end : at + 2;
            continue;
        }
        copy += c;
        ++at;
        if (c == '\'') return;
    }
}

// Copies up to and with `last`, in which a backslash takes the next character along.
void copy_until(std::string_view text, std::size_t& at, std::string& copy, char last, bool escapes) {
    while (at < text.size()) {
        const char c = text[at++];
        copy += c;
        if (c == last) return;
        if (escapes && c == '\\' && at < text.size()) copy += text[at++];
    }
}

}  // namespace

std::string without_foreign_bytes(std::string_view text) {
    std::string kept;
    kept.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool line_end = i + 1 == text.size() || text[i + 1] == '\n';
        if (text[i] != '\0' && !(text[i] == '\r' && line_end)) kept += text[i];
    }
    return kept;
}

std::optional<std::string> read_ansi_quotes(std::string_view text, std::size_t& at) {
    std::string value;
    while (at < text.size()) {
        const char c = text[at++];
        if (c == '\'') return value;
        if (c != '\\') {
            value += c;
            continue;
        }
        const std::optional<std::string> meant = escape_at(text, at);
        if (!meant) return std::nullopt;
        value += *meant;
    }
    return std::nullopt;
}

std::string with_unicode_as_bytes(std::string_view text) {
    if (text.find("\\u") == std::string_view::npos && text.find("\\U") == std::string_view::npos)
        return std::string(text);
    std::string copy;
    std::size_t at = 0;
    char before = '\n';
    while (at < text.size()) {
        const std::string_view rest = text.substr(at);
        if (rest.starts_with("<<")) return copy + std::string(rest);
        const char c = text[at];
        copy += c;
        ++at;
        if (c == '\\' && at < text.size()) {
            copy += text[at++];
        } else if (c == '$' && at < text.size() && text[at] == '\'') {
            copy += text[at++];
            copy_ansi_quotes(text, at, copy);
        } else if (c == '\'' || c == '"') {
            copy_until(text, at, copy, c, c == '"');
        } else if (c == '#' && std::string_view(" \t\n;&|(").find(before) != std::string_view::npos) {
            copy_until(text, at, copy, '\n', false);
        }
        before = copy.back();
    }
    return copy;
}

}  // namespace swrun
