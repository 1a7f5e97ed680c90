#include "plan/capabilities.h"

namespace swrun {
namespace {

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

bool same(std::string_view a, std::string_view upper_case) {
    if (a.size() != upper_case.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (upper(a[i]) != upper_case[i]) return false;
    }
    return true;
}

}  // namespace

std::optional<int> capability_number(std::string_view name) {
    constexpr std::string_view kPrefix = "CAP_";
    for (std::size_t i = 0; i < kCapabilityNames.size(); ++i) {
        if (same(name, kCapabilityNames[i]) || same(name, kCapabilityNames[i].substr(kPrefix.size()))) {
            return static_cast<int>(i);
        }
    }
    return std::nullopt;
}

}  // namespace swrun
