#include "runtime/root.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "fuse/link.h"
#include "mounts/mount_apply.h"
#include "mounts/mount_syscalls.h"
#include "support/io.h"

namespace swrun {
namespace {

constexpr const char* kFuseDevice = "/dev/fuse";

Error fuse_device_error(Error error) {
    if (error.sys_errno == ENOENT) {
        return error.with_hint(
            "the FUSE device is missing: the administrator can load it with 'modprobe fuse'; a container "
            "needs it passed in (--device /dev/fuse)");
    }
    return error.with_hint("the FUSE device must be usable by everybody: chmod 0666 /dev/fuse");
}

struct Served {
    const OwnerView& owners;
    const std::vector<Ghost>& ghosts;
    std::string part;  // of the image's tree
    bool is_directory = true;
};

Result<Fd> mount_squashfs(const Served& served, const IdMap& uid, const IdMap& gid, int link) {
    Result<Fd> device = open_file(kFuseDevice, O_RDWR, Error::Kind::host);
    if (!device) return fuse_device_error(std::move(device).error());
    // default_permissions: the kernel checks modes, and an overlay above gets EACCES without it.
    // allow_other: processes with other ids in the namespace (fakeroot, root in a nested one) may look.
    const std::vector<FsOption> options = {
        {"source", "swrun"},
        {"fd", std::to_string(device->get())},
        {"rootmode", served.is_directory ? "40000" : "100000"},  // octal file type of the root, fuse(4)
        {"user_id", std::to_string(uid.inside)},
        {"group_id", std::to_string(gid.inside)},
        {"default_permissions", ""},
        {"allow_other", ""},
        {"ro", ""},
    };
    MountFlags flags;
    flags.read_only = true;
    Result<Fd> mount = make_mount("fuse", options, flags);
    if (!mount) return std::move(mount).error();
    SWRUN_CHECK(send_device(link, device->get(), served.owners, served.part, served.ghosts));
    return mount;
}

Result<Fd> mount_directory(const RootPlan& plan) {
    // Not recursive: what is mounted below somebody's image directory is not part of the image.
    SWRUN_TRY(Fd mount, clone_mount(plan.image.real_path, false));
    MountFlags flags;
    flags.read_only = !plan.writable;
    flags.recursive = false;
    SWRUN_CHECK(restrict_mount(mount.get(), flags, plan.image.real_path));
    return mount;
}

Result<Fd> open_path(int directory, const char* name) {
    const int fd = ::openat(directory, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return sys_error(Error::Kind::host, "open", name, errno);
    return Fd(fd);
}

Status make_directory(int directory, const char* name) {
    if (::mkdirat(directory, name, 0755) != 0 && errno != EEXIST)
        return sys_error(Error::Kind::request, "mkdir", name, errno);
    return {};
}

// A mount at NAME inside the session tmpfs.
Status attach_in(int session, const char* name, const Fd& mount) {
    SWRUN_CHECK(make_directory(session, name));
    SWRUN_TRY(const Fd target, open_path(session, name));
    return attach_mount(mount.get(), target.get(), name);
}

Status attach_host_directory(int session, const char* name, const std::string& path, bool read_only) {
    SWRUN_TRY(const Fd mount, clone_mount(path, false));
    MountFlags flags;
    flags.read_only = read_only;
    SWRUN_CHECK(restrict_mount(mount.get(), flags, path));
    return attach_in(session, name, mount);
}

struct Layers {
    std::string lower;  // topmost first, relative to the session
    std::string upper;
    std::string work;
};

Result<Layers> prepare_layers(const RootPlan& plan, int session, const Fd& image, const std::vector<Fd>& made) {
    Layers layers;
    std::size_t next = 0;
    for (std::size_t i = 0; i < plan.read_only_layers.size(); ++i) {
        const std::string name = "layer" + std::to_string(i);
        const Layer& layer = plan.read_only_layers[i];
        Status attached = layer.image_index ? attach_in(session, name.c_str(), made.at(next++))
                                            : attach_host_directory(session, name.c_str(), layer.path, true);
        SWRUN_CHECK(with_context(std::move(attached), "using the overlay " + layer.path));
        layers.lower.append(name).append(":");
    }
    if (plan.image.kind == ImageFacts::Kind::directory && !plan.ghosts.empty()) {
        SWRUN_CHECK(make_directory(session, "ghosts"));
        SWRUN_TRY(const Fd ghosts, open_path(session, "ghosts"));
        SWRUN_CHECK(write_ghosts(ghosts.get(), plan.ghosts));
        layers.lower.append("ghosts:");
    }
    SWRUN_CHECK(attach_in(session, "image", image));
    layers.lower.append("image");
    if (plan.writable_tmpfs) {
        layers.upper = "upper";
        layers.work = "work";
    } else if (!plan.upper_directory.empty()) {
        SWRUN_CHECK(attach_host_directory(session, "overlay", plan.upper_directory, false));
        layers.upper = "overlay/upper";
        layers.work = "overlay/work";
    }
    if (!layers.upper.empty()) {
        SWRUN_CHECK(
            with_context(make_directory(session, layers.upper.c_str()), "using the overlay " + plan.upper_directory));
        SWRUN_CHECK(
            with_context(make_directory(session, layers.work.c_str()), "using the overlay " + plan.upper_directory));
    }
    return layers;
}

Result<Fd> mount_overlay(const Layers& layers, int session) {
    // Layer names are relative to the current directory: the session tmpfs has no path.
    if (::fchdir(session) != 0) return sys_error(Error::Kind::host, "fchdir", "the session directory", errno);
    std::vector<FsOption> options = {{"source", "swrun"}, {"lowerdir", layers.lower}};
    MountFlags flags;
    if (layers.upper.empty()) {
        flags.read_only = true;
    } else {
        options.push_back({"upperdir", layers.upper});
        options.push_back({"workdir", layers.work});
    }
    // trusted.* attributes are out of reach in a user namespace: without user.* ones overlayfs cannot mark a
    // directory as replaced (Documentation/filesystems/overlayfs.rst, "User xattr").
    options.push_back({"userxattr", ""});
    Result<Fd> mount = make_mount("overlay", options, flags);
    if (!mount && (mount.error().sys_errno == EPERM || mount.error().sys_errno == ENODEV)) {
        mount.error().with_hint(
            "overlays without privilege need Linux 5.11 or newer; an image file without --overlay and "
            "--writable-tmpfs needs none");
    }
    return mount;
}

}  // namespace

Result<Fd> mount_image(const RootPlan& plan, const IdMap& uid, const IdMap& gid, int link) {
    if (plan.image.kind == ImageFacts::Kind::directory) return mount_directory(plan);
    return mount_squashfs({plan.owners, plan.ghosts, "/", true}, uid, gid, link);
}

Result<Fd> mount_further_image(const std::string& part, bool is_directory, const OwnerView& owners,
                               const NamespacePlan& names, int link) {
    return mount_squashfs({owners, {}, part, is_directory}, names.uid, names.gid, link);
}

Result<Fd> attach_root(const RootPlan& plan, Fd image, const std::vector<Fd>& layer_mounts) {
    SWRUN_TRY(const Fd slash, open_path(AT_FDCWD, "/"));
    const bool ghosts_need_layer = plan.image.kind == ImageFacts::Kind::directory && !plan.ghosts.empty();
    if (!plan.layered() && !ghosts_need_layer) {
        SWRUN_CHECK(attach_mount(image.get(), slash.get(), "/"));
        return image;
    }
    // The layers of an overlay have to be attached somewhere in this namespace (the kernel refuses
    // detached ones, EINVAL): a tmpfs that covers "/" is that place, for as long as the overlay is made.
    SWRUN_TRY(const Fd session, make_mount("tmpfs", {{"source", "swrun"}, {"mode", "755"}}, MountFlags{}));
    SWRUN_CHECK(attach_mount(session.get(), slash.get(), "/"));
    SWRUN_TRY(const Layers layers, prepare_layers(plan, session.get(), image, layer_mounts));
    SWRUN_TRY(Fd root, with_context(mount_overlay(layers, session.get()), "stacking the layers of the root"));
    // The overlay has mounts of its own of all layers now.  Left where it is, the session would be pivoted
    // onto the new root along with the old one, and of the two only the upper one would go: "/.." would be
    // the host.
    SWRUN_CHECK(unmount_here("the session directory"));
    SWRUN_CHECK(attach_mount(root.get(), slash.get(), "/"));
    return root;
}

}  // namespace swrun
