// The Linux capabilities and what each allows, for `capability avail`.  Pure data.
// Source: capabilities(7) and linux/capability.h, in the kernel's order.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace swrun {

struct CapabilityName {
    std::string_view name;     // "CAP_CHOWN"
    std::string_view meaning;  // one line, no period
};

[[nodiscard]] std::span<const CapabilityName> capability_names();

// "chown", "CAP_CHOWN": null when there is no such capability.
[[nodiscard]] const CapabilityName* find_capability(std::string_view name);

}  // namespace swrun
