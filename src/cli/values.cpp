#include "cli/values.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "support/text.h"

namespace swrun {
namespace {

// Up to the first line end that is not in quotes.
std::string_view first_record(std::string_view text) {
    bool inside = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '"') inside = !inside;
        if (text[i] == '\n' && !inside) return text.substr(0, i);
    }
    return text;
}

std::optional<std::string> fault_of_pairs(std::string_view value) {
    const auto equals = std::count(value.begin(), value.end(), '=');
    if (equals == 0) return std::string(value) + " must be formatted as key=value";
    if (equals == 1) return std::nullopt;  // taken literally, commas and quotes included
    const auto fields = split_csv(first_record(value));
    if (!fields) return "parse error on line 1: bare or unclosed \" in field";
    for (const std::string& field : *fields) {
        if (field.find('=') == std::string::npos) return field + " must be formatted as key=value";
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::int64_t> parse_number(std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    int base = 10;
    if (text.size() > 1 && text[0] == '0') {
        const char mark = static_cast<char>(text[1] | 0x20);
        base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
        text.remove_prefix(mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1);
    }
    std::int64_t value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, code] = std::from_chars(text.data(), end, value, base);
    if (text.empty() || text[0] == '-' || code != std::errc{} || stop != end) return std::nullopt;
    return negative ? -value : value;
}

std::optional<bool> parse_bool(std::string_view text) {
    for (const std::string_view literal : {"1", "t", "T", "TRUE", "true", "True"}) {
        if (text == literal) return true;
    }
    for (const std::string_view literal : {"0", "f", "F", "FALSE", "false", "False"}) {
        if (text == literal) return false;
    }
    return std::nullopt;
}

std::optional<std::string> fault_of(ValueKind kind, std::string_view value) {
    switch (kind) {
        case ValueKind::boolean:
            if (parse_bool(value)) return std::nullopt;
            return "strconv.ParseBool: parsing " + quote_text(value) + ": invalid syntax";
        case ValueKind::number:
            if (parse_number(value)) return std::nullopt;
            return "strconv.ParseInt: parsing " + quote_text(value) + ": invalid syntax";
        case ValueKind::slice:
            if (split_csv(value)) return std::nullopt;
            return "parse error on line 1: bare or unclosed \" in field";
        case ValueKind::map: return fault_of_pairs(value);
        case ValueKind::text:
        case ValueKind::array: return std::nullopt;
    }
    return std::nullopt;
}

std::vector<std::string> elements_of(ValueKind kind, std::string_view value) {
    if (kind != ValueKind::slice) return {std::string(value)};
    if (value.empty()) return {};
    return split_csv(value).value_or(std::vector<std::string>{});
}

std::vector<std::string> elements_of_variable(ValueKind kind, std::string_view value) {
    if (kind != ValueKind::slice) return {std::string(value)};
    std::vector<std::string> elements;
    for (const std::string_view part : split(value, ',')) {
        if (const std::string_view element = trim(part); !element.empty()) elements.emplace_back(element);
    }
    return elements;
}

std::string quote_text(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        switch (c) {
            case '"': out.append("\\\""); break;
            case '\\': out.append("\\\\"); break;
            case '\n': out.append("\\n"); break;
            case '\r': out.append("\\r"); break;
            case '\t': out.append("\\t"); break;
            default: out.append(printable(std::string_view(&c, 1)));
        }
    }
    return out.append("\"");
}

std::string flag_name(const OptionSpec& spec) {
    std::string name;
    if (spec.letter != 0) name.append("-").append(1, spec.letter).append(", ");
    return name.append("--").append(spec.name);
}

std::string invalid_argument(const OptionSpec& spec, std::string_view value, std::string_view why) {
    return "invalid argument " + quote_text(value) + " for " + quote_text(flag_name(spec)) +
           " flag: " + std::string(why);
}

}  // namespace swrun
