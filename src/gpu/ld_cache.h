// Reads the bytes of /etc/ld.so.cache: the list from library names to files that the dynamic loader
// keeps, so that no ldconfig process is needed.  Called by gpu/host/nvidia.  Pure; trusts no offset.
// Format: glibc sysdeps/generic/dl-cache.h; the old table, when there is one, only precedes the new.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace swrun {

struct LdCacheEntry {
    std::string_view name;    // "libcuda.so.1"
    std::string_view path;    // "/usr/lib64/libcuda.so.1"
    std::uint32_t flags = 0;  // kind and ABI: 0x0303 is x86-64 with glibc; a hint, the file itself decides
    std::uint64_t hwcap = 0;  // 0: for every processor of the ABI

    friend bool operator==(const LdCacheEntry&, const LdCacheEntry&) = default;
};

// The entries in the loader's order.  They point into `bytes`, which the caller keeps.  Damaged bytes,
// a foreign byte order and a cache of only the old format are errors of kind host.
[[nodiscard]] Result<std::vector<LdCacheEntry>> parse_ld_cache(std::string_view bytes);

}  // namespace swrun
