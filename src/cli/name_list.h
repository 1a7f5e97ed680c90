// Lists of names in texts for people and for shells: "a, b, c".  Pure.
#pragma once

#include <string>
#include <string_view>

namespace swrun {

// Adds one name, behind the separator unless it is the first.
inline void append_name(std::string& list, std::string_view separator, std::string_view name) {
    if (!list.empty()) list.append(separator);
    list.append(name);
}

}  // namespace swrun
