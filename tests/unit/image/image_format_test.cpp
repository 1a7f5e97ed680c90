#include "image/image_format.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "support/byte_reader.h"

namespace swrun {
namespace {

std::string ext_bytes(std::uint32_t compat, std::uint32_t incompat, std::uint32_t read_only) {
    std::string bytes(kProbeSize, '\0');
    bytes[1080] = '\x53';
    bytes[1081] = '\xEF';
    std::memcpy(bytes.data() + 1116, &compat, 4);
    std::memcpy(bytes.data() + 1120, &incompat, 4);
    std::memcpy(bytes.data() + 1124, &read_only, 4);
    return bytes;
}

TEST(LaunchLine, EndsBehindItsNewline) {
    const std::string standard = "#!/usr/bin/env run-singularity\nhsqs";
    EXPECT_EQ(launch_line_size(bytes_of(standard)), 31U);
    EXPECT_EQ(launch_line_size(bytes_of("#!/opt/x/env run-singularity\nhsqs")), 29U);
    EXPECT_EQ(launch_line_size(bytes_of("hsqs")), 0U);
    EXPECT_EQ(launch_line_size(bytes_of("")), 0U);
    EXPECT_EQ(launch_line_size(bytes_of(" run-singularity\nhsqs")), 0U) << "nothing before it: not a line";
    EXPECT_EQ(launch_line_size(bytes_of("#!/usr/bin/run-singularity\n")), 0U) << "the space belongs to it";
}

TEST(Ext, TellsUsableFromUnusable) {
    EXPECT_EQ(ext_kind(bytes_of(ext_bytes(0x4, 0x2, 0x1))), ExtKind::ext3);
    EXPECT_EQ(ext_kind(bytes_of(ext_bytes(0x3c, 0x16, 0x7))), ExtKind::ext3);
    EXPECT_EQ(ext_kind(bytes_of(ext_bytes(0x38, 0x2, 0x1))), ExtKind::unsupported) << "no journal";
    EXPECT_EQ(ext_kind(bytes_of(ext_bytes(0x4, 0x42, 0x1))), ExtKind::unsupported) << "extents: ext4";
    EXPECT_EQ(ext_kind(bytes_of(ext_bytes(0x4, 0x2, 0x8))), ExtKind::unsupported);
    EXPECT_EQ(ext_kind(bytes_of(std::string(kProbeSize, '\0'))), ExtKind::none);
    EXPECT_EQ(ext_kind(bytes_of(ext_bytes(0x4, 0x2, 0x1).substr(0, 1127))), ExtKind::none) << "cut";
}

}  // namespace
}  // namespace swrun
