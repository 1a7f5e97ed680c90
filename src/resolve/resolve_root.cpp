// What becomes "/": the image alone, or with layers on top.
#include "resolve/resolve_parts.h"
#include "support/path.h"
#include "support/text.h"

namespace swrun {
namespace {

Error refuse(Error::Kind kind, std::string message, std::string hint = {}) {
    Error error = make_error(kind, std::move(message));
    error.hint = std::move(hint);
    return error;
}

// A program of the host; empty where there is none.
std::string find_program(const Draft& draft, const std::string& name) {
    std::string directories;
    for (const auto& [variable, value] : draft.in.host.environment) {
        if (variable == "PATH") directories = value;
    }
    directories.append(":/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin");
    for (const std::string_view directory : split(directories, ':')) {
        if (!directory.starts_with('/')) continue;
        const ResolvedPath found = resolve_in(draft.in.host_tree, clean_path(join_path(directory, name)));
        if (found.exists() && found.node.kind == Node::Kind::file && (found.node.mode & 0111U) != 0) return found.path;
    }
    return {};
}

// The program of the host that serves a file system which swrun does not read itself.
Result<std::string> find_driver(const Draft& draft, const std::string& name, const std::string& object) {
    std::string program = find_program(draft, name);
    if (!program.empty()) return program;
    return refuse(
        Error::Kind::host, "cannot use " + object + ": " + name + " was not found",
        "install the package " + name + ", which needs no setting up; or use a directory or a squashfs image");
}

// --image-reader=squashfuse.  The low-level program first: its inode numbers tell hard links.
Result<std::string> find_squashfuse(const Draft& draft, const ImageFacts& image, bool unpacked) {
    const Origin& origin = draft.in.request.image_reader.origin;
    const std::string what = "cannot read " + image.path + " by squashfuse (from " + to_text(origin) + "): ";
    if (unpacked) {
        const bool asked = draft.in.request.image_mode.value != ImageMode::automatic || draft.in.request.unsquash.value;
        return refuse(asked ? Error::Kind::request : Error::Kind::host,
                      what + (asked ? "it is to be unpacked, which swrun does itself"
                                    : "/dev/fuse cannot be used (" + errno_text(draft.in.host.fuse_errno) + ")"),
                      "leave --image-reader out");
    }
    for (const char* name : {"squashfuse_ll", "squashfuse"}) {
        std::string program = find_program(draft, name);
        if (!program.empty()) return program;
    }
    return refuse(Error::Kind::host, what + "neither squashfuse_ll nor squashfuse was found",
                  "install the package squashfuse, which needs no setting up; or leave --image-reader out");
}

Status check_writable(const ImageFacts& image) {
    if (image.kind == ImageFacts::Kind::directory) return {};
    const std::string instead = "use --overlay DIR to keep changes, or --writable-tmpfs to drop them";
    if (!image.writable_by_caller) {
        return refuse(Error::Kind::request,
                      "could not use " + image.path + " for writing, you don't have write permissions", instead);
    }
    if (image.kind == ImageFacts::Kind::ext3) return {};
    if (image.is_sif) {
        return refuse(Error::Kind::request, "no SIF writable overlay partition found in " + image.path, instead);
    }
    return refuse(Error::Kind::request,
                  "could not set " + image.path + " image writable: squashfs is a read-only filesystem", instead);
}

Status check_one_writable(const RootPlan& root, const std::string& path) {
    const std::string taken = path_of(root.upper);
    if (taken.empty()) return {};
    return refuse(Error::Kind::request,
                  "while loading overlay images: you can't specify more than one writable overlay, " + taken +
                      " contains a writable overlay, requires to use '--overlay " + path + ":ro'");
}

// The upper layer lies in an image: the kernel's overlay refuses a FUSE file system there (EINVAL, its
// entries have to be revalidated), so that another driver stacks the layers.
Status set_upper_image(Draft& draft, std::size_t image, const std::string& path, const Origin& origin) {
    RootPlan& root = draft.plan.root;
    SWRUN_CHECK(check_one_writable(root, path));
    SWRUN_TRY(const std::size_t mount, draft.mount_image(image, "/", true, true, origin));
    root.upper = ImageUpper{path, mount};
    SWRUN_TRY(root.overlay_driver, find_driver(draft, "fuse-overlayfs", "the writable overlay image " + path));
    return {};
}

// An image file as a layer.  Only ext3 can be written to, and keeps its files in upper/ as a directory does.
Status add_image_layer(Draft& draft, std::size_t image, const std::string& path, bool read_only, const Origin& origin) {
    const ImageFacts& facts = draft.in.images[image - 1].facts;
    const bool ext3 = facts.kind == ImageFacts::Kind::ext3;
    if (ext3 && !read_only && facts.writable_by_caller) return set_upper_image(draft, image, path, origin);
    if (!read_only) draft.note(Level::warning, "Overlay image " + path + " is not writable, proceeding with read-only");
    SWRUN_TRY(const std::size_t mount, draft.mount_image(image, "/", true, false, origin));
    RootPlan& root = draft.plan.root;
    root.read_only_layers.insert(root.read_only_layers.begin(), ImageLayer{path, mount, ext3 ? "upper" : ""});
    if (!ext3 || !root.overlay_driver.empty()) return {};
    // What a launch has removed is marked in the driver's own way (".wh." names), which the kernel's overlay
    // does not know; without the driver the removed files are back.
    root.overlay_driver = find_driver(draft, "fuse-overlayfs", path).value_or(std::string());
    if (root.overlay_driver.empty()) {
        draft.note(Level::verbose, "fuse-overlayfs was not found: what was removed in " + path + " is shown");
    }
    return {};
}

Status add_overlay(Draft& draft, const OverlaySpec& overlay) {
    RootPlan& root = draft.plan.root;
    const std::string path = absolute_path(overlay.path, draft.in.host.cwd.physical);
    const ResolvedPath found = resolve_in(draft.in.host_tree, path);
    if (!found.exists()) {
        Error error = missing_error("", found);
        error.message = "while loading overlay images: failed to open overlay image " + overlay.path + ": " +
                        why_missing(found) + " (from " + to_text(overlay.origin) + ")";
        return error.with_hint("make the directory first, or check its name");
    }
    if (found.node.kind != Node::Kind::directory) {
        const std::optional<std::size_t> image = draft.image_of(overlay.path, std::nullopt);
        if (!image) {
            return refuse(Error::Kind::request, "overlay " + path + " is neither a directory nor an image (from " +
                                                    to_text(overlay.origin) + ")");
        }
        return add_image_layer(draft, *image + 1, path, overlay.read_only, overlay.origin);
    }
    if (overlay.read_only) {
        // A directory written by an earlier launch keeps its files in upper/.
        const std::string upper = join_path(found.path, "upper");
        const bool made_by_us = draft.in.host_tree.look(upper).kind == Node::Kind::directory;
        root.read_only_layers.insert(root.read_only_layers.begin(), DirectoryLayer{made_by_us ? upper : found.path});
        return {};
    }
    SWRUN_CHECK(check_one_writable(root, path));
    root.upper = DirectoryUpper{found.path};
    return {};
}

// A SIF may bring overlay partitions of its own; --writable opens the one that can be written to.
Status add_embedded_overlays(Draft& draft, bool& opened_writable) {
    for (std::size_t i = 0; i < draft.in.images.size(); ++i) {
        if (!draft.in.images[i].embedded) continue;
        const bool writable = draft.in.request.writable.value &&
                              draft.in.images[i].facts.kind == ImageFacts::Kind::ext3;
        const Origin origin = writable ? draft.in.request.writable.origin
                                       : Origin{Origin::Kind::builtin, "the image's overlay partition"};
        SWRUN_CHECK(add_image_layer(draft, i + 1, draft.in.image.path, !writable, origin));
        draft.plan.root.layer_origin = origin;
        opened_writable = opened_writable || std::holds_alternative<ImageUpper>(draft.plan.root.upper);
    }
    return {};
}

Status resolve_writable(Draft& draft) {
    const LaunchRequest& request = draft.in.request;
    RootPlan& root = draft.plan.root;
    bool in_partition = false;
    SWRUN_CHECK(add_embedded_overlays(draft, in_partition));
    root.writable = request.writable.value && !in_partition;
    if (!root.writable) return {};
    if (!request.overlays.empty()) {
        return refuse(Error::Kind::request, "cannot use --overlay in conjunction with --writable");
    }
    SWRUN_CHECK(check_writable(root.image));
    draft.tree.allow_ghosts(false);
    return {};
}

bool is_unpacked(const Draft& draft, std::size_t image) {
    const LaunchRequest& request = draft.in.request;
    if (request.unsquash.value && image == 0) return true;
    switch (request.image_mode.value) {
        case ImageMode::automatic: return draft.in.host.fuse_errno != 0;
        case ImageMode::fuse: return false;
        case ImageMode::unpack: return true;
    }
    return false;
}

// One line is enough, whatever else is unpacked.
void note_unpacking(Draft& draft, const std::string& kept_in) {
    const LaunchRequest& request = draft.in.request;
    if (request.unsquash.value) {
        draft.note(Level::info, "Converting SIF file to temporary sandbox...");
    } else if (request.image_mode.value == ImageMode::automatic) {
        draft.note(Level::info, "/dev/fuse cannot be used (" + errno_text(draft.in.host.fuse_errno) +
                                    "): image files are unpacked " +
                                    (kept_in.empty() ? "into memory" : "into " + kept_in));
    }
}

Status check_unsquash(const Draft& draft) {
    if (!draft.in.request.unsquash.value || draft.in.image.kind != ImageFacts::Kind::ext3) return {};
    return refuse(Error::Kind::request,
                  "--unsquash: " + draft.in.image.path + " is an ext3 image, not a squashfs root filesystem",
                  "leave --unsquash out: ext3 images are never unpacked");
}

Result<ImageMethod> image_method(const Draft& draft, std::size_t image, const ImageFacts& facts, bool writable) {
    const LaunchRequest& request = draft.in.request;
    if (facts.kind == ImageFacts::Kind::ext3) {
        SWRUN_TRY(std::string program, find_driver(draft, "fuse2fs", "the ext3 image " + facts.path));
        return ImageMethod(ByDriver{std::move(program), writable});
    }
    const bool unpacked = is_unpacked(draft, image);
    if (request.image_reader.value == ImageReader::squashfuse) {
        SWRUN_TRY(std::string program, find_squashfuse(draft, facts, unpacked));
        return ImageMethod(ByDriver{std::move(program), false});
    }
    if (!unpacked) return ImageMethod(ByOurServer{});
    const Text& directory = request.unpack_directory;
    return ImageMethod(ByUnpacking{directory.value ? absolute_path(*directory.value, draft.in.host.cwd.physical) : ""});
}

}  // namespace

void resolve_unpacked(Draft& draft) {
    RootPlan& root = draft.plan.root;
    const ByUnpacking* first = nullptr;
    for (ImageMount& mount : draft.plan.image_mounts) {
        auto* unpacked = std::get_if<ByUnpacking>(&mount.method);
        if (unpacked == nullptr) continue;
        // Files on a disk cannot be given to ids that exist inside only.
        if (root.owners.as_stored) unpacked->kept_in.clear();
        if (first == nullptr) first = unpacked;
    }
    if (first != nullptr) note_unpacking(draft, first->kept_in);
    // Our server answers ghosts itself, and a tree of the launch's own can be written to.
    root.ghost_layer = true;
    if (const ImageRoot* mounted = root.mounted()) {
        const ImageMount& mount = draft.plan.image_mounts[mounted->image_mount];
        root.ghost_layer = mount.driver() != nullptr ||
                           (mount.unpacked() != nullptr && !mount.unpacked()->kept_in.empty());
    }
    draft.tree.repeat_parents(root.ghost_layer);
}

Result<std::size_t> Draft::mount_image(std::size_t image, const std::string& part, bool is_directory, bool writable,
                                       const Origin& origin) {
    const ImageFacts& facts = image == 0 ? in.image : in.images[image - 1].facts;
    SWRUN_TRY(ImageMethod method, image_method(*this, image, facts, writable));
    plan.image_mounts.push_back({image, facts.id(), part, is_directory, std::move(method), origin});
    return plan.image_mounts.size() - 1;
}

Status resolve_root(Draft& draft) {
    const LaunchRequest& request = draft.in.request;
    RootPlan& root = draft.plan.root;
    root.image = draft.in.image;
    SWRUN_CHECK(check_unsquash(draft));
    root.underlay = request.underlay.value;
    if (root.image.kind != ImageFacts::Kind::directory) {
        SWRUN_TRY(const std::size_t mount, draft.mount_image(0, "/", true, false, {Origin::Kind::builtin, "image"}));
        root.source = ImageRoot{mount};
    }
    SWRUN_CHECK(resolve_writable(draft));
    if (const ImageRoot* mounted = root.mounted(); mounted != nullptr && root.writable) {
        std::get<ByDriver>(draft.plan.image_mounts[mounted->image_mount].method).writable = true;
    }
    if (request.writable_tmpfs.value && root.writable) {
        draft.note(Level::warning, "Disabling --writable-tmpfs flag, mutually exclusive with --writable");
    }
    for (const OverlaySpec& overlay : request.overlays) {
        SWRUN_CHECK(add_overlay(draft, overlay));
        root.layer_origin = overlay.origin;
    }
    if (request.writable_tmpfs.value && !root.writable) {
        const std::string upper = path_of(root.upper);
        if (!upper.empty()) {
            return refuse(Error::Kind::request,
                          "you can't specify --writable-tmpfs with another writable overlay image (" + upper + ")");
        }
        root.upper = TmpfsUpper{};
        root.layer_origin = request.writable_tmpfs.origin;
    }
    draft.tree.allow_unknown((root.has_upper() && !root.upper_is_tmpfs()) || !root.read_only_layers.empty());
    return {};
}

}  // namespace swrun
