#include "image/image_format.h"

#include <string_view>

#include "support/byte_reader.h"

namespace swrun {

std::size_t launch_line_size(std::span<const std::byte> start) {
    constexpr std::string_view kLaunch = " run-singularity";
    const std::string_view text(reinterpret_cast<const char*>(start.data()), start.size());
    const std::size_t found = text.find(kLaunch);
    if (found == std::string_view::npos || found == 0) return 0;
    return found + kLaunch.size() + 1;  // and its newline
}

ExtKind ext_kind(std::span<const std::byte> start) {
    // linux/fs/ext2/ext2.h: the superblock is at 1024, s_magic at 56, s_feature_compat at 92.
    constexpr std::uint32_t kHasJournal = 0x4;
    constexpr std::uint32_t kKnownIncompat = 0x2 | 0x4 | 0x10;
    constexpr std::uint32_t kKnownReadOnly = 0x1 | 0x2 | 0x4;
    ByteReader reader(start);
    reader.skip(1024 + 56);
    const std::uint16_t magic = reader.u16();
    reader.skip(34);
    const std::uint32_t compat = reader.u32();
    const std::uint32_t incompat = reader.u32();
    const std::uint32_t read_only = reader.u32();
    if (!reader.ok() || magic != 0xEF53) return ExtKind::none;
    const bool fits = (compat & kHasJournal) != 0 && (incompat & ~kKnownIncompat) == 0 &&
                      (read_only & ~kKnownReadOnly) == 0;
    return fits ? ExtKind::ext3 : ExtKind::unsupported;
}

}  // namespace swrun
