#include "support/text.h"

#include <algorithm>
#include <charconv>

namespace swrun {

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    std::size_t start = 0;
    for (;;) {
        const std::size_t end = text.find(separator, start);
        parts.push_back(text.substr(start, end - start));
        if (end == std::string_view::npos) return parts;
        start = end + 1;
    }
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
    std::string text;
    for (const std::string& part : parts) {
        if (&part != &parts.front()) text.append(separator);
        text.append(part);
    }
    return text;
}

std::string_view trim(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n\v\f";
    const std::size_t first = text.find_first_not_of(kSpace);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

bool is_identifier(std::string_view text) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    if (text.empty() || !letter(text[0])) return false;
    return std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

std::optional<std::uint64_t> parse_decimal(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::string printable(std::string_view text) {
    constexpr char kHex[] = "0123456789abcdef";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte != 0x7f) {
            out.push_back(c);
        } else {
            out.append({'\\', 'x', kHex[byte >> 4], kHex[byte & 15]});
        }
    }
    return out;
}

std::optional<std::vector<std::string>> split_csv(std::string_view record) {
    std::vector<std::string> fields;
    std::size_t at = 0;
    for (;;) {
        std::string field;
        if (at < record.size() && record[at] == '"') {
            for (++at;; ++at) {
                if (at >= record.size()) return std::nullopt;
                if (record[at] != '"') {
                    field.push_back(record[at]);
                } else if (at + 1 < record.size() && record[at + 1] == '"') {
                    field.push_back(record[at++]);
                } else {
                    break;
                }
            }
            ++at;
            if (at < record.size() && record[at] != ',') return std::nullopt;
        } else {
            while (at < record.size() && record[at] != ',') {
                if (record[at] == '"') return std::nullopt;
                field.push_back(record[at++]);
            }
        }
        fields.push_back(std::move(field));
        if (at >= record.size()) return fields;
        ++at;
    }
}

std::string shell_quote(std::string_view text) {
    std::string word = "'";
    for (const char c : text) {
        if (c == '\'') {
            word.append("'\\''");
        } else {
            word.push_back(c);
        }
    }
    word.push_back('\'');
    return word;
}

}  // namespace swrun
