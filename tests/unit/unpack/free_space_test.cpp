#include "unpack/free_space.h"

#include <fcntl.h>

#include "support/image_fixture.h"

namespace swrun {
namespace {

constexpr std::uint64_t kMiB = 1U << 20U;

TEST(FreeMemory, WhatTheKernelCallsAvailable) {
    const TempDir dir;
    EXPECT_EQ(free_memory(dir.path()).bytes, UINT64_MAX);
    write_file(dir / "proc/meminfo", "MemTotal:  100 kB\nMemFree: 1 kB\nMemAvailable:   2048 kB\n");
    EXPECT_EQ(free_memory(dir.path()).bytes, 2 * kMiB);
}

TEST(FreeMemory, TheTightestGroupCounts) {
    const TempDir dir;
    write_file(dir / "proc/meminfo", "MemAvailable: 1048576 kB\n");
    write_file(dir / "proc/self/cgroup", "0::/job/step\n");
    write_file(dir / "sys/fs/cgroup/job/memory.max", "104857600\n");
    write_file(dir / "sys/fs/cgroup/job/memory.current", "62914560\n");
    write_file(dir / "sys/fs/cgroup/job/memory.stat", "anon 5\nactive_file 10485760\ninactive_file 10485760\n");
    write_file(dir / "sys/fs/cgroup/job/step/memory.max", "max\n");
    write_file(dir / "sys/fs/cgroup/job/step/memory.current", "62914560\n");
    EXPECT_EQ(free_memory(dir.path()).bytes, 60 * kMiB);
    write_file(dir / "sys/fs/cgroup/job/memory.current", "999999999999\n");  // over its limit
    EXPECT_EQ(free_memory(dir.path()).bytes, 0U);
}

TEST(FreeMemory, GroupsOfVersionOne) {
    const TempDir dir;
    write_file(dir / "proc/self/cgroup", "9:cpu,cpuacct:/x\n4:memory:/slurm/job_1\n0::/\n");
    write_file(dir / "sys/fs/cgroup/memory/slurm/job_1/memory.limit_in_bytes", "20971520\n");
    write_file(dir / "sys/fs/cgroup/memory/slurm/job_1/memory.usage_in_bytes", "10485760\n");
    write_file(dir / "sys/fs/cgroup/memory/slurm/job_1/memory.stat", "inactive_file 1\ntotal_inactive_file 5242880\n");
    EXPECT_EQ(free_memory(dir.path()).bytes, 15 * kMiB);
}

TEST(FreeDisk, OfAFileSystem) {
    const TempDir dir;
    const Fd here(::open(dir.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const auto space = free_disk(here.get(), dir.path());
    ASSERT_TRUE(space);
    EXPECT_GT(space->bytes, 0U);
    EXPECT_FALSE(free_disk(-1, "nothing"));
}

TEST(SizeText, Units) {
    EXPECT_EQ(size_text(0), "0.0 KiB");
    EXPECT_EQ(size_text(1536), "1.5 KiB");
    EXPECT_EQ(size_text(kMiB), "1.0 MiB");
    EXPECT_EQ(size_text(kMiB - 1), "1.0 MiB");
    EXPECT_EQ(size_text(3328599654), "3.1 GiB");
    EXPECT_EQ(size_text(UINT64_MAX), "16.0 EiB");
}

}  // namespace
}  // namespace swrun
