// A site file (TOML).
#include <cstdint>

#include "cli/site_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    (void)swrun::parse_site_file(text, "s.toml", swrun::Origin::Kind::site_file, "/home/u");
    return 0;
}
