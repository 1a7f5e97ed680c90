#include "runtime/root.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "fuse/link.h"
#include "mounts/kernel/caller_rights.h"
#include "mounts/kernel/mount_apply.h"
#include "mounts/kernel/mount_syscalls.h"
#include "mounts/kernel/refusals.h"
#include "runtime/driver.h"
#include "runtime/underlay.h"
#include "support/descriptors.h"
#include "support/io.h"
#include "support/path.h"

namespace swrun {
namespace {

Result<Fd> mount_served(const ImageMount& image, const OwnerView& owners, const std::vector<Ghost>& ghosts,
                        const NamespacePlan& names, int link) {
    SWRUN_TRY(Fd device, open_fuse_device());
    Result<Fd> mount = make_served_mount(device.get(), names, image.is_directory);
    if (!mount && mount.error().sys_errno == EMFILE) {
        SWRUN_TRY(device, open_fuse_device());
        mount = make_served_mount(device.get(), names, image.is_directory);
    }
    if (mount) SWRUN_CHECK(send_device(link, device.get(), owners, image.part, ghosts));
    return mount;
}

// A directory of the host as a detached mount.  Not recursive: what is mounted below somebody's image or
// layer is not part of it.
Result<Fd> clone_directory(const std::string& path, bool read_only) {
    SWRUN_TRY(Fd mount, clone_mount(path, false));
    MountFlags flags;
    flags.read_only = read_only;
    flags.recursive = false;
    SWRUN_CHECK(restrict_mount(mount.get(), flags, path));
    return mount;
}

Result<Fd> open_path(int directory, const char* name) {
    const int fd = with_room([&] { return ::openat(directory, name, O_PATH | O_DIRECTORY | O_CLOEXEC); });
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

bool needs_ghost_layer(const RootPlan& plan) { return plan.ghost_layer && !plan.ghosts.empty(); }

struct Layers {
    std::string lower;  // topmost first, relative to the session
    std::string upper;
    std::string work;
};

// What a layer's image calls upper/ may be a link, and the path of a layer is followed from the host's root.
Status check_directory(int session, const std::string& name) {
    struct stat status {};
    if (::fstatat(session, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
        return sys_error(Error::Kind::request, "stat", std::string(base_name(name)) + "/", errno);
    if (S_ISDIR(status.st_mode)) return {};
    return sys_error(Error::Kind::request, "use", std::string(base_name(name)) + "/", ENOTDIR);
}

Status attach_layers(const RootPlan& plan, int session, std::vector<Fd>& mounts, Layers& layers) {
    for (std::size_t i = 0; i < plan.read_only_layers.size(); ++i) {
        const Layer& layer = plan.read_only_layers[i];
        const std::string name = "layer" + std::to_string(i);
        const auto* image = std::get_if<ImageLayer>(&layer);
        Result<Fd> mount = image != nullptr ? std::move(mounts.at(image->image_mount))
                                            : clone_directory(path_of(layer), true);
        Status attached = mount ? attach_in(session, name.c_str(), *mount) : std::move(mount).error();
        const std::string place = join_path(name, image != nullptr ? image->below : "");
        if (attached) attached = check_directory(session, place);
        SWRUN_CHECK(with_context(std::move(attached), "using the overlay " + path_of(layer)));
        layers.lower.append(place).append(":");
    }
    return {};
}

// upper/ and work/, made where the overlay has none.
Status attach_upper(const LaunchPlan& launch, int session, std::vector<Fd>& mounts, Layers& layers) {
    const RootPlan& plan = launch.root;
    if (!plan.has_upper()) return {};
    layers.upper = "upper";
    layers.work = "work";
    if (!plan.upper_is_tmpfs()) {
        const auto* image = std::get_if<ImageUpper>(&plan.upper);
        Result<Fd> mount = image != nullptr ? std::move(mounts.at(image->image_mount))
                                            : clone_directory(path_of(plan.upper), false);
        if (!mount) return std::move(mount).error();
        SWRUN_CHECK(attach_in(session, "overlay", *mount));
        layers.upper = "overlay/upper";
        layers.work = "overlay/work";
    }
    for (const std::string& name : {layers.upper, layers.work}) {
        {
            // Below the session everything is ours; a directory of the caller's may be read-only to him.
            const bool ours = !std::holds_alternative<DirectoryUpper>(plan.upper);
            const CallerRights rights(ours || launch.namespaces.caller_is_root());
            SWRUN_CHECK(make_directory(session, name.c_str()));
        }
        SWRUN_CHECK(check_directory(session, name));
        // In an image made by root they belong to an id that does not exist here; nobody may write to those.
        if (::faccessat(session, name.c_str(), W_OK, AT_EACCESS) == 0) continue;
        return sys_error(Error::Kind::request, "write to", std::string(base_name(name)) + "/", errno)
            .with_hint("append ':ro' to the overlay, or use --fakeroot when root owns its files");
    }
    return {};
}

Result<Layers> prepare_layers(const LaunchPlan& launch, int session, const Fd& image, std::vector<Fd>& mounts) {
    const RootPlan& plan = launch.root;
    Layers layers;
    SWRUN_CHECK(attach_layers(plan, session, mounts, layers));
    if (needs_ghost_layer(plan)) {
        SWRUN_CHECK(make_directory(session, "ghosts"));
        SWRUN_TRY(const Fd ghosts, open_path(session, "ghosts"));
        SWRUN_CHECK(write_ghosts(ghosts.get(), plan.ghosts));
        layers.lower.append("ghosts:");
    }
    SWRUN_CHECK(attach_in(session, "image", image));
    layers.lower.append("image");
    SWRUN_CHECK(
        with_context(attach_upper(launch, session, mounts, layers), "using the overlay " + path_of(plan.upper)));
    return layers;
}

// The driver gets a copy of the whole session to work in; all of it goes with the driver.
Result<Fd> stack_by_driver(const Layers& layers, int session, const NamespacePlan& names, int link) {
    SWRUN_CHECK(make_directory(session, kDriverMountPoint));
    SWRUN_TRY(const Fd tree, clone_mount_at(session, "", true));
    std::string options = "lowerdir=" + layers.lower;
    if (!layers.upper.empty()) options.append(",upperdir=" + layers.upper + ",workdir=" + layers.work);
    SWRUN_TRY(Fd root, mount_by_driver(link, names.user, tree.get(), options));
    SWRUN_CHECK(restrict_mount(root.get(), MountFlags{}, "the stacked root"));
    return root;
}

// What a kernel says that has no overlay for this user namespace.
bool is_refused(const Error& error) { return error.sys_errno == EPERM || error.sys_errno == ENODEV; }

Result<Fd> mount_overlay(const Layers& layers) {
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
    if (mount) return mount;
    if (mount.error().sys_errno == EINVAL && !layers.upper.empty()) {
        mount.error().with_hint(
            "the kernel takes no network file system (NFS, Lustre) as the writable layer: use a directory on a local "
            "disk, or an overlay image (swrun overlay create)");
    }
    return mount;
}

Result<Fd> stack_layers(const LaunchPlan& plan, const Layers& layers, int session, int link, std::vector<Note>& notes) {
    if (link >= 0) return stack_by_driver(layers, session, plan.namespaces, link);
    if (plan.root.underlay && !plan.root.layered()) return make_underlay(session, plan.root.ghosts);
    Result<Fd> root = mount_overlay(layers);
    if (root || plan.root.layered() || !is_refused(root.error())) return root;
    notes.push_back({Level::verbose, "this kernel stacks no layers: missing mount points come by a tree of binds"});
    return make_underlay(session, plan.root.ghosts);
}

// One listing of the image's top gives the kernel all its names with their attributes: the targets of the
// mounts that follow are then found without a request each.  A guess at what pays; failing changes nothing.  One
// call only: a second would bring the end, which nobody needs to know.  (Older kernels get some twenty names by it.)
void read_ahead_top(int root) {
    const Fd top(::openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    std::array<char, 32768> entries;
    [[maybe_unused]] const long got = top ? ::syscall(SYS_getdents64, top.get(), entries.data(), entries.size()) : 0;
}

Result<Fd> root_image(const LaunchPlan& plan, std::vector<Fd>& mounts) {
    if (const ImageRoot* root = plan.root.mounted()) return std::move(mounts.at(root->image_mount));
    return clone_directory(plan.root.image.real_path, !plan.root.writable);
}

}  // namespace

Result<Fd> open_fuse_device() {
    Result<Fd> device = open_file("/dev/fuse", O_RDWR, Error::Kind::host);
    if (!device) return with_refusal_hint(std::move(device).error(), KernelCall::fuse_device);
    return device;
}

Result<Fd> make_served_mount(int device, const NamespacePlan& names, bool is_directory) {
    // default_permissions: the kernel checks modes, and an overlay above gets EACCES without it.
    // allow_other: processes with other ids in the namespace (fakeroot, root in nested one) may look.
    const std::vector<FsOption> options = {
        {"source", "swrun"},
        {"fd", std::to_string(device)},
        {"rootmode", is_directory ? "40000" : "100000"},  // octal file type of the root, fuse(4)
        {"user_id", std::to_string(names.uid.inside)},
        {"group_id", std::to_string(names.gid.inside)},
        {"default_permissions", ""},
        {"allow_other", ""},
        {"ro", ""},
    };
    MountFlags flags;
    flags.read_only = true;
    return make_mount("fuse", options, flags);
}

Result<Fd> mount_image(const ImageMount& mount, const OwnerView& owners, const std::vector<Ghost>& ghosts,
                       const NamespacePlan& names, int link) {
    const ByDriver* driver = mount.driver();
    if (driver == nullptr) return mount_served(mount, owners, ghosts, names, link);
    SWRUN_TRY(Fd made, mount_by_driver(link, names.user, -1, ""));
    MountFlags flags;
    flags.read_only = !driver->writable;
    SWRUN_CHECK(restrict_mount(made.get(), flags, driver->program));
    return made;
}

Result<Fd> attach_root(const LaunchPlan& plan, std::vector<Fd>& mounts, int overlay_link, std::vector<Note>& notes) {
    SWRUN_TRY(Fd image, root_image(plan, mounts));
    SWRUN_TRY(const Fd slash, open_path(AT_FDCWD, "/"));
    if (!plan.root.layered() && !needs_ghost_layer(plan.root)) {
        if (plan.root.mounted() != nullptr) read_ahead_top(image.get());
        SWRUN_CHECK(attach_mount(image.get(), slash.get(), "/"));
        return image;
    }
    // The layers of an overlay have to be attached somewhere in this namespace (the kernel refuses
    // detached ones, EINVAL): a tmpfs that covers "/" is that place, for as long as the overlay is made.
    SWRUN_TRY(const Fd session, make_mount("tmpfs", {{"source", "swrun"}, {"mode", "755"}}, MountFlags{}));
    SWRUN_CHECK(attach_mount(session.get(), slash.get(), "/"));
    SWRUN_TRY(const Layers layers, prepare_layers(plan, session.get(), image, mounts));
    // Names of layers are relative to the current directory: the session has no path.
    if (::fchdir(session.get()) != 0) return sys_error(Error::Kind::host, "fchdir", "the session directory", errno);
    SWRUN_TRY(Fd root, with_context(stack_layers(plan, layers, session.get(), overlay_link, notes),
                                    "stacking the layers of the root"));
    // The root has mounts of its own of all layers now.  Left where it is, the session would be pivoted onto
    // the new root along with the old one, and of the two only the upper one would go: "/.." would be the host.
    SWRUN_CHECK(unmount_here("the session directory"));
    SWRUN_CHECK(attach_mount(root.get(), slash.get(), "/"));
    return root;
}

Status leave_mounts() {
    // A copy of the namespace first: pivot_root(2) moves every process of one whose root is the old root.
    if (::unshare(CLONE_NEWNS) != 0) return sys_error(Error::Kind::host, "unshare", "mount namespace", errno);
    SWRUN_TRY(const Fd empty, make_mount("tmpfs", {{"source", "swrun"}, {"mode", "755"}}, MountFlags{}));
    SWRUN_TRY(const Fd slash, open_path(AT_FDCWD, "/"));
    SWRUN_CHECK(attach_mount(empty.get(), slash.get(), "/"));
    return switch_root(empty.get());
}

}  // namespace swrun
