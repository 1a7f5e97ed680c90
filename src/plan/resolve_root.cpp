// What becomes "/": the image alone, or with layers on top.
#include "plan/resolve_parts.h"
#include "support/path.h"

namespace swrun {
namespace {

Error refuse(Error::Kind kind, std::string message, std::string hint = {}) {
    Error error = make_error(kind, std::move(message));
    error.hint = std::move(hint);
    return error;
}

Status check_writable(const ImageFacts& image) {
    if (image.kind == ImageFacts::Kind::directory) return {};
    const std::string instead = "use --overlay DIR to keep changes, or --writable-tmpfs to drop them";
    if (!image.writable_by_caller) {
        return refuse(Error::Kind::request,
                      "could not use " + image.path + " for writing, you don't have write permissions", instead);
    }
    if (image.is_sif) {
        return refuse(Error::Kind::request, "no SIF writable overlay partition found in " + image.path, instead);
    }
    return refuse(Error::Kind::request,
                  "could not set " + image.path + " image writable: squashfs is a read-only filesystem", instead);
}

// An image file as a layer: read-only, whatever was asked.
Status add_image_layer(Draft& draft, const OverlaySpec& overlay, const std::string& path) {
    const std::optional<std::size_t> index = draft.image_of(overlay.path, std::nullopt);
    if (!index || draft.in.images[*index].facts.kind != ImageFacts::Kind::squashfs) {
        return refuse(Error::Kind::request,
                      "overlay " + path + " is not supported yet (from " + to_text(overlay.origin) +
                          "): it is neither a directory nor a squashfs image",
                      "use a directory: its upper/ keeps what the program writes");
    }
    if (!overlay.read_only)
        draft.note(Level::warning, "Overlay image " + path + " is not writable, proceeding with read-only");
    RootPlan& root = draft.plan.root;
    root.read_only_layers.insert(root.read_only_layers.begin(), Layer{path, index});
    return {};
}

Status add_overlay(Draft& draft, const OverlaySpec& overlay) {
    RootPlan& root = draft.plan.root;
    const std::string path = absolute_path(overlay.path, draft.in.host.cwd.physical);
    const ResolvedPath found = resolve_in(draft.in.host_tree, path);
    if (!found.exists()) {
        return refuse(Error::Kind::request,
                      "while loading overlay images: failed to open overlay image " + overlay.path +
                          ": no such file or directory (from " + to_text(overlay.origin) + ")",
                      "make the directory first, or check its name");
    }
    if (found.node.kind != Node::Kind::directory) return add_image_layer(draft, overlay, path);
    if (overlay.read_only) {
        // A directory written by an earlier launch keeps its files in upper/.
        const std::string upper = join_path(found.path, "upper");
        const bool made_by_us = draft.in.host_tree.look(upper).kind == Node::Kind::directory;
        root.read_only_layers.insert(root.read_only_layers.begin(),
                                     Layer{made_by_us ? upper : found.path, std::nullopt});
        return {};
    }
    if (!root.upper_directory.empty()) {
        return refuse(Error::Kind::request,
                      "you can't specify more than one writable overlay, " + root.upper_directory +
                          " contains a writable overlay, requires to use '--overlay " + path + ":ro'");
    }
    root.upper_directory = found.path;
    return {};
}

}  // namespace

Status resolve_root(Draft& draft) {
    const LaunchRequest& request = draft.in.request;
    RootPlan& root = draft.plan.root;
    root.image = draft.in.image;
    if (root.image.kind == ImageFacts::Kind::ext3) {
        return refuse(Error::Kind::image, "cannot run " + root.image.path + ": ext3 images are not supported yet",
                      "convert it to squashfs, or unpack it into a directory and run that");
    }
    draft.tree.repeat_parents(root.image.kind == ImageFacts::Kind::directory);
    root.writable = request.writable.value;
    if (root.writable) {
        if (!request.overlays.empty()) {
            return refuse(Error::Kind::request, "cannot use --overlay in conjunction with --writable");
        }
        SWRUN_CHECK(check_writable(root.image));
        draft.tree.allow_ghosts(false);
    }
    root.writable_tmpfs = request.writable_tmpfs.value && !root.writable;
    if (request.writable_tmpfs.value && root.writable) {
        draft.note(Level::warning, "Disabling --writable-tmpfs flag, mutually exclusive with --writable");
    }
    for (const OverlaySpec& overlay : request.overlays) {
        SWRUN_CHECK(add_overlay(draft, overlay));
        root.layer_origin = overlay.origin;
    }
    if (root.writable_tmpfs) {
        if (!root.upper_directory.empty()) {
            return refuse(Error::Kind::request,
                          "you can't specify --writable-tmpfs with another writable overlay image (" +
                              root.upper_directory + ")");
        }
        root.layer_origin = request.writable_tmpfs.origin;
    }
    return {};
}

}  // namespace swrun
