// What is said of a refusal: one table for launches and for doctor.
#include "mounts/kernel/refusals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace swrun {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

TEST(Refusals, LimitsOfNamespaces) {
    for (const int err : {ENOSPC, EUSERS})
        EXPECT_THAT(refusal_hint(KernelCall::unshare, err), ContainsRegex("user\\.max_[a-z]+_namespaces")) << err;
    EXPECT_THAT(refusal_hint(KernelCall::unshare, EPERM), Not(HasSubstr("is reached")));
    EXPECT_THAT(refusal_hint(KernelCall::unshare, EPERM),
                ContainsRegex("AppArmor|unprivileged_userns_clone|max_user_namespaces|seccomp"));
}

TEST(Refusals, EachStepOfALaunchHasItsOwn) {
    EXPECT_THAT(refusal_hint(KernelCall::id_maps, EROFS), HasSubstr("/proc is mounted read-only"));
    EXPECT_THAT(refusal_hint(KernelCall::id_maps, ENOENT), HasSubstr("/proc must be mounted"));
    EXPECT_THAT(refusal_hint(KernelCall::root_map, EPERM), ContainsRegex("CAP_SETFCAP|AppArmor"));
    EXPECT_THAT(refusal_hint(KernelCall::root_map, EROFS), HasSubstr("/proc is mounted read-only"));
    EXPECT_THAT(refusal_hint(KernelCall::fuse_device, ENOENT), HasSubstr("modprobe fuse"));
    EXPECT_THAT(refusal_hint(KernelCall::fuse_device, EACCES), HasSubstr("chmod 0666"));
    EXPECT_THAT(refusal_hint(KernelCall::fuse_mount, EPERM), HasSubstr("--image-mode=unpack"));
    EXPECT_THAT(refusal_hint(KernelCall::overlay, EPERM), HasSubstr("5.11"));
    EXPECT_THAT(refusal_hint(KernelCall::switch_root, EINVAL), HasSubstr("chroot"));
    for (const KernelCall call : {KernelCall::clone_mount, KernelCall::attach_mount})
        EXPECT_THAT(refusal_hint(call, ENOSPC), HasSubstr("fs.mount-max"));
    for (const KernelCall call : {KernelCall::propagation, KernelCall::clone_mount, KernelCall::make_tmpfs,
                                  KernelCall::restrict_mount, KernelCall::attach_mount, KernelCall::switch_root})
        EXPECT_THAT(refusal_hint(call, EPERM), ContainsRegex("Landlock|AppArmor"));
}

TEST(Refusals, NothingIsInvented) {
    EXPECT_EQ(refusal_hint(KernelCall::make_other, EPERM), "");
    EXPECT_EQ(refusal_hint(KernelCall::attach_mount, ENOENT), "");
}

TEST(Refusals, AHintThatIsThereStays) {
    Error error = sys_error(Error::Kind::host, "unshare", "", EPERM);
    EXPECT_NE(with_refusal_hint(error, KernelCall::unshare).hint, "");
    error.hint = "nearer";
    EXPECT_EQ(with_refusal_hint(error, KernelCall::unshare).hint, "nearer");
}

}  // namespace
}  // namespace swrun
