#include "image/machine.h"

#include <gtest/gtest.h>

#include "support/image_fixture.h"

namespace swrun {
namespace {

const std::string kArm64 =
    "enabled\ninterpreter /usr/bin/qemu-aarch64-static\nflags: OCF\noffset 0\n"
    "magic 7f454c460201010000000000000000000200b700\nmask ffffffffffffff00fffffffffffffffffeffffff\n";

std::string with(const std::string& from, const std::string& to) {
    std::string text = kArm64;
    return text.replace(text.find(from), from.size(), to);
}

TEST(Machine, OwnArchitectureAndItsSmallSibling) {
    EXPECT_TRUE(runs_natively("amd64", "amd64"));
    EXPECT_TRUE(runs_natively("386", "amd64"));
    EXPECT_TRUE(runs_natively("arm", "arm64"));
    EXPECT_FALSE(runs_natively("amd64", "386"));
    EXPECT_FALSE(runs_natively("arm64", "amd64"));
    EXPECT_FALSE(runs_natively("ppc64le", "ppc64"));
}

TEST(Machine, BinfmtEntryMustBeEnabledFixedAndOfThatArchitecture) {
    EXPECT_TRUE(binfmt_entry_runs(kArm64, "arm64"));
    EXPECT_FALSE(binfmt_entry_runs(kArm64, "arm"));
    EXPECT_FALSE(binfmt_entry_runs(kArm64, "nonsense"));
    EXPECT_FALSE(binfmt_entry_runs(with("enabled", "disabled"), "arm64"));
    EXPECT_FALSE(binfmt_entry_runs(with("flags: OCF", "flags: OC"), "arm64"));
    EXPECT_FALSE(binfmt_entry_runs(with("offset 0", "offset 4"), "arm64"));
    EXPECT_FALSE(binfmt_entry_runs(with("0200b700", "0200"), "arm64"));
    EXPECT_FALSE(binfmt_entry_runs(with("0200b700", "0200xx00"), "arm64"));
    EXPECT_FALSE(binfmt_entry_runs("", "arm64"));
}

TEST(Machine, BigEndianEntries) {
    const std::string s390x =
        "enabled\ninterpreter /usr/bin/qemu-s390x-static\nflags: F\noffset 0\n"
        "magic 7f454c4602020100000000000000000000020016\nmask ffffffffffffff00fffffffffffffffffffeffff\n";
    EXPECT_TRUE(binfmt_entry_runs(s390x, "s390x"));
    EXPECT_FALSE(binfmt_entry_runs(s390x, "ppc64"));
}

TEST(Machine, LooksAtAllEntriesOfAnEnabledDirectory) {
    const TempDir dir;
    write_file(dir / "qemu-aarch64", kArm64);
    write_file(dir / "register", "");
    EXPECT_FALSE(emulated_by_kernel("arm64", dir.path())) << "no status file: not mounted";
    write_file(dir / "status", "disabled\n");
    EXPECT_FALSE(emulated_by_kernel("arm64", dir.path()));
    write_file(dir / "status", "enabled\n");
    EXPECT_TRUE(emulated_by_kernel("arm64", dir.path()));
    EXPECT_FALSE(emulated_by_kernel("riscv64", dir.path()));
    EXPECT_FALSE(emulated_by_kernel("arm64", dir / "absent"));
}

}  // namespace
}  // namespace swrun
