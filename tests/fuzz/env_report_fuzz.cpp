// The report of a shell that ran an image's environment files.
#include <cstdint>

#include "shell/shell_state.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    (void)swrun::parse_shell_state(std::string_view(reinterpret_cast<const char*>(data), size));
    return 0;
}
