#include "mounts/caret.h"

#include <algorithm>

#include "support/text.h"

namespace swrun {
namespace {

constexpr std::size_t kBefore = 50;  // bytes shown before the mark
constexpr std::size_t kAfter = 40;   // bytes shown from the start of the mark on
constexpr std::string_view kIndent = "\n    ";
constexpr std::string_view kCut = "...";

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Columns on a UTF-8 terminal, as far as that can be said without tables of wide characters.
std::size_t columns(std::string_view printed) {
    return static_cast<std::size_t>(
        std::count_if(printed.begin(), printed.end(), [](char c) { return !is_continuation(c); }));
}

}  // namespace

std::string point_at(std::string_view value, std::size_t at, std::size_t length) {
    at = std::min(at, value.size());
    std::size_t first = at > kBefore ? at - kBefore : 0;
    while (first > 0 && is_continuation(value[first])) --first;
    std::size_t last = value.size() - at > kAfter ? at + kAfter : value.size();
    while (last < value.size() && is_continuation(value[last])) ++last;

    const std::string before = (first > 0 ? std::string(kCut) : "") + printable(value.substr(first, at - first));
    const std::string marked = printable(value.substr(at, std::min(length, last - at)));
    const std::string after = printable(value.substr(at, last - at));

    std::string text(kIndent);
    text.append(before).append(after);
    if (last < value.size()) text.append(kCut);
    text.append(kIndent).append(columns(before), ' ').push_back('^');
    const std::size_t width = columns(marked);
    if (width > 1) text.append(width - 1, '~');
    return text;
}

}  // namespace swrun
