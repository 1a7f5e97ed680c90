// The Linux capabilities: names, numbers and what each allows.  For --add-caps and for `capability avail`.
// Pure data; a number never changes, new ones get the next.  Source: capabilities(7), linux/capability.h.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace swrun {

struct CapabilityName {
    std::string_view name;     // "CAP_CHOWN"
    std::string_view meaning;  // one line, no period
};

// In the kernel's order: the index is the number.
[[nodiscard]] std::span<const CapabilityName> capability_names();

// "chown", "CAP_CHOWN": nullopt when there is no such capability.
[[nodiscard]] std::optional<int> capability_number(std::string_view name);

// "all", "CAP_ALL"
[[nodiscard]] bool is_every_capability(std::string_view name);

}  // namespace swrun
