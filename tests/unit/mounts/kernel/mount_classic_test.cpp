// What mount_classic does without a mount: reading mountinfo, and turning options into mount(2)'s arguments.
#include "mounts/kernel/mount_classic.h"

#include <gtest/gtest.h>
#include <sys/mount.h>

#include "mounts/kernel/mount_lines.h"

namespace swrun {
namespace {

constexpr std::string_view kTable =
    "42 1 0:30 / / rw,nosuid,nodev,relatime - tmpfs swrun rw,mode=700\n"
    "43 42 254:0 / /host rw,relatime master:1 - ext4 /dev/vda rw\n"
    "50 42 254:0 /home /3 ro,nosuid,nodev,noexec,noatime shared:4 master:2 - ext4 /dev/vda rw\n"
    "51 50 0:40 / /3/a\\040b\\134c rw,relatime - tmpfs x ro\n"
    "52 51 0:41 / /3/a\\040b\\134c/deep rw,nosymfollow - tmpfs x rw\n"
    "53 42 0:42 / /30 rw - tmpfs x rw\n"
    "x 42 0:42 / /3/bad rw - tmpfs x rw\n"
    "54 42 0:42 /\n"
    "\n";

TEST(MountLines, ReadsWhatTheKernelWrites) {
    const std::vector<MountLine> table = parse_mount_lines(kTable);
    ASSERT_EQ(table.size(), 6U);
    EXPECT_EQ(table[2], (MountLine{50, "/3", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC}));
    EXPECT_EQ(table[3], (MountLine{51, "/3/a b\\c", 0}));  // "ro" behind the dash is the file system's own
    EXPECT_EQ(table[4].flags, 256U);
}

TEST(MountLines, HostileTextIsHarmless) {
    EXPECT_TRUE(parse_mount_lines("").empty());
    EXPECT_TRUE(parse_mount_lines(std::string(10000, ' ')).empty());
    EXPECT_EQ(parse_mount_lines("1 2 3 4 \\ rw - x").at(0).point, "\\");
    EXPECT_EQ(parse_mount_lines("1 2 3 4 \\04 rw - x").at(0).point, "\\04");
    EXPECT_EQ(parse_mount_lines("1 2 3 4 \\999 rw - x").at(0).point, "\\999");
}

TEST(MountLines, TheMountsBelowOne) {
    const std::vector<MountLine> table = parse_mount_lines(kTable);
    const auto ids = [&](int id, bool recursive) {
        std::vector<int> found;
        for (const MountLine& line : mounts_below(table, id, recursive)) found.push_back(line.id);
        return found;
    };
    EXPECT_EQ(ids(50, true), (std::vector<int>{50, 51, 52}));  // and not /30
    EXPECT_EQ(ids(50, false), std::vector<int>{50});
    EXPECT_EQ(ids(52, true), std::vector<int>{52});
    EXPECT_TRUE(ids(99, true).empty());
    EXPECT_TRUE(ids(-1, true).empty());
}

TEST(MountLines, MountIdOfADescriptor) {
    EXPECT_EQ(mount_id_of("pos:\t0\nflags:\t012000000\nmnt_id:\t51\nino:\t3\n"), 51);
    EXPECT_EQ(mount_id_of("pos:\t0\n"), -1);
    EXPECT_EQ(mount_id_of("mnt_id:\tx1\n"), -1);
}

TEST(ClassicOptions, FlagsLeaveTheText) {
    MountFlags flags;
    flags.read_only = false;
    const ClassicOptions fuse = classic_options(
        {{"source", "swrun"}, {"fd", "7"}, {"rootmode", "40000"}, {"allow_other", ""}, {"ro", ""}}, flags);
    EXPECT_EQ(fuse.source, "swrun");
    EXPECT_EQ(fuse.data, "fd=7,rootmode=40000,allow_other");
    EXPECT_EQ(fuse.flags, static_cast<unsigned long>(MS_RDONLY | MS_NOSUID | MS_NODEV));

    flags.no_dev = false;
    flags.no_exec = true;
    const ClassicOptions bare = classic_options({}, flags);
    EXPECT_EQ(bare.source, "none");
    EXPECT_EQ(bare.data, "");
    EXPECT_EQ(bare.flags, static_cast<unsigned long>(MS_NOSUID | MS_NOEXEC));
}

}  // namespace
}  // namespace swrun
