// What people write for --bind, --mount and --home.
#include <cstdint>
#include <cstdlib>

#include "mounts/bind_spec.h"

namespace {

// What has been understood can be written so that it is understood alike.
void check_text(const swrun::BindSpec& bind) {
    const auto again = swrun::parse_bind_list(to_text(bind), bind.origin);
    if (!again || again->size() != 1 || (*again)[0] != bind) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto binds = swrun::parse_bind_list(text, {})) {
        for (const swrun::BindSpec& bind : *binds) check_text(bind);
    }
    (void)swrun::parse_mount_spec(text, {});
    (void)swrun::parse_home(text);
    return 0;
}
