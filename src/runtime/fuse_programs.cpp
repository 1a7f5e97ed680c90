#include "runtime/fuse_programs.h"

#include <fcntl.h>

#include <cerrno>

#include <string>

#include "mounts/kernel/mount_syscalls.h"
#include "runtime/root.h"
#include "support/io.h"

namespace swrun {
namespace {

Result<Fd> open_device() {
    Result<Fd> device = open_file("/dev/fuse", O_RDWR, Error::Kind::host);
    if (!device) {
        device.error().with_hint(
            "--fusemount needs the FUSE device, usable by everybody: modprobe fuse, chmod 0666 /dev/fuse");
    }
    return device;
}

Result<Fd> make_fuse_mount(const NamespacePlan& names, int device) {
    const std::vector<FsOption> options = {
        {"source", "fuse"},
        {"fd", std::to_string(device)},
        {"rootmode", "40000"},  // octal: a directory, fuse(4)
        {"user_id", std::to_string(names.uid.inside)},
        {"group_id", std::to_string(names.gid.inside)},
        {"allow_other", ""},  // whoever else is in the container; others do not get there
    };
    return make_mount("fuse", options, MountFlags{});
}

// A program of the host knows files by the ids of the host, and the kernel takes those of the mount's namespace.
// Where they differ the program enters it; else it stays where it has always worked.
bool ids_differ(const NamespacePlan& names) {
    return names.user && (names.uid.inside != names.uid.outside || names.gid.inside != names.gid.outside);
}

std::string described(const FuseMount& mount) {
    return "starting the FUSE program " + mount.argv.at(0) + " (from " + to_text(mount.origin) + ")";
}

}  // namespace

Status FusePrograms::start_keeper(const LaunchPlan& plan) {
    SWRUN_TRY(host_, FuseKeeper::on_host(plan));
    return {};
}

Status FusePrograms::mount(const LaunchPlan& plan) {
    Fd user_namespace;
    if (plan.has_fuse_mounts(false) && ids_differ(plan.namespaces)) {
        SWRUN_TRY(user_namespace, open_file("/proc/self/ns/user", O_RDONLY, Error::Kind::host));
    }
    for (std::size_t i = 0; i < plan.fuse_mounts.size(); ++i) {
        const FuseMount& mount = plan.fuse_mounts[i];
        SWRUN_TRY(Fd device, open_device());
        Result<Fd> made = make_fuse_mount(plan.namespaces, device.get());
        if (!made && made.error().sys_errno == EMFILE) {
            SWRUN_TRY(device, open_device());
            made = make_fuse_mount(plan.namespaces, device.get());
        }
        if (!made) return with_context(std::move(made), described(mount)).error();
        mounts_.push_back(std::move(made).value());
        if (!mount.inside) {
            SWRUN_CHECK(with_context(host_.start(i, device.get(), user_namespace.get()), described(mount)));
            device.reset();
        }
        devices_.push_back(std::move(device));
    }
    host_.let_go();
    return {};
}

Status FusePrograms::start_inside(const LaunchPlan& plan, bool has_init) {
    SWRUN_TRY(inside_, FuseKeeper::inside(plan, !has_init));
    for (std::size_t i = 0; i < plan.fuse_mounts.size(); ++i) {
        const FuseMount& mount = plan.fuse_mounts[i];
        if (mount.inside) SWRUN_CHECK(with_context(inside_.start(i, devices_.at(i).get(), -1), described(mount)));
    }
    devices_.clear();
    return {};
}

void FusePrograms::end_inside() const {
    inside_.end();
    inside_.wait_ended();
}

void FusePrograms::end_on_host() const {
    if (host_.link() < 0) return;
    host_.end();
    // In the launch's mount namespace this process would keep the mounts from going.
    (void)leave_mounts();
    host_.wait_ended();
}

}  // namespace swrun
