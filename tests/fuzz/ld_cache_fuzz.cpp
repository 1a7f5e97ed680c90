// The host's /etc/ld.so.cache.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "gpu/ld_cache.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto entries = swrun::parse_ld_cache(bytes);
    if (!entries) return 0;
    for (const swrun::LdCacheEntry& entry : *entries) {
        for (const std::string_view text : {entry.name, entry.path}) {
            const bool inside = text.data() >= bytes.data() && text.data() + text.size() < bytes.data() + size;
            if (!inside || text.find('\0') != std::string_view::npos) std::abort();
        }
    }
    return 0;
}
