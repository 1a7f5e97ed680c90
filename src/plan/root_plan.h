// What becomes "/" of the container: the image, how its files come about, and the layers above it.  Part of LaunchPlan.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "plan/ghost.h"
#include "plan/image_facts.h"
#include "plan/origin.h"

namespace swrun {

// Who owns the files of an image file.  Usually the caller, because his is the only id that exists
// inside; with a range of ids (fakeroot) whoever the image says.
struct OwnerView {
    bool as_stored = false;
    std::uint32_t uid = 0;  // inside; for as_stored == false
    std::uint32_t gid = 0;

    friend bool operator==(const OwnerView&, const OwnerView&) = default;
};

// How the files of an image come about.
struct ByOurServer {
    friend bool operator==(const ByOurServer&, const ByOurServer&) = default;
};
// A program of the host that serves one file system over FUSE: fuse2fs(1), squashfuse(1).
struct ByDriver {
    std::string program;  // absolute path
    bool writable = false;

    friend bool operator==(const ByDriver&, const ByDriver&) = default;
};
// Without FUSE.
struct ByUnpacking {
    std::string kept_in;  // the directory that keeps trees for later launches; empty: a tmpfs

    friend bool operator==(const ByUnpacking&, const ByUnpacking&) = default;
};
using ImageMethod = std::variant<ByOurServer, ByDriver, ByUnpacking>;

// One mount of an image file: the root's, a layer's or a bind's.
struct ImageMount {
    std::size_t image = 0;     // which of the opened images of the launch: 0 is the root's, then the further ones
    ImageId id;                // of that image
    std::string part = "/";    // of its tree: what becomes the root of the mount
    bool is_directory = true;  // that part
    ImageMethod method;
    Origin origin;

    [[nodiscard]] const ByDriver* driver() const { return std::get_if<ByDriver>(&method); }
    [[nodiscard]] const ByUnpacking* unpacked() const { return std::get_if<ByUnpacking>(&method); }
    [[nodiscard]] bool is_served_by_us() const { return std::holds_alternative<ByOurServer>(method); }
    [[nodiscard]] bool is_writable() const { return driver() != nullptr && driver()->writable; }
    friend bool operator==(const ImageMount&, const ImageMount&) = default;
};

// A sandbox: the directory itself.
struct DirectoryRoot {
    friend bool operator==(const DirectoryRoot&, const DirectoryRoot&) = default;
};
struct ImageRoot {
    std::size_t image_mount = 0;  // index into LaunchPlan::image_mounts

    friend bool operator==(const ImageRoot&, const ImageRoot&) = default;
};
using RootSource = std::variant<DirectoryRoot, ImageRoot>;

// A read-only layer above the image (--overlay DIR:ro or IMAGE, an overlay partition).
struct DirectoryLayer {
    std::string path;

    friend bool operator==(const DirectoryLayer&, const DirectoryLayer&) = default;
};
struct ImageLayer {
    std::string path;  // of the image, for messages
    std::size_t image_mount = 0;
    std::string below;  // the directory of the image that is the layer; empty: its root

    friend bool operator==(const ImageLayer&, const ImageLayer&) = default;
};
using Layer = std::variant<DirectoryLayer, ImageLayer>;

// Where what the program writes to "/" goes.  Directories and images hold upper/ and work/.
struct NoUpper {
    friend bool operator==(const NoUpper&, const NoUpper&) = default;
};
// --writable-tmpfs: gone afterwards.
struct TmpfsUpper {
    friend bool operator==(const TmpfsUpper&, const TmpfsUpper&) = default;
};
struct DirectoryUpper {
    std::string path;

    friend bool operator==(const DirectoryUpper&, const DirectoryUpper&) = default;
};
struct ImageUpper {
    std::string path;  // of the image, for messages
    std::size_t image_mount = 0;

    friend bool operator==(const ImageUpper&, const ImageUpper&) = default;
};
using UpperLayer = std::variant<NoUpper, TmpfsUpper, DirectoryUpper, ImageUpper>;

struct RootPlan {
    ImageFacts image;
    RootSource source;
    OwnerView owners;
    std::vector<Ghost> ghosts;  // parents before children
    bool ghost_layer = false;   // they lie in a layer of their own: the image cannot take them in
    bool writable = false;      // --writable: the image itself is written to
    UpperLayer upper;
    std::string overlay_driver;           // fuse-overlayfs(1), where the kernel's overlay refuses the upper layer
    bool underlay = false;                // no overlay: missing mount points by a tree of binds
    std::vector<Layer> read_only_layers;  // topmost first
    Origin layer_origin;

    // Of an image file.
    [[nodiscard]] const ImageRoot* mounted() const { return std::get_if<ImageRoot>(&source); }
    [[nodiscard]] bool is_mount(std::size_t index) const {
        return mounted() != nullptr && mounted()->image_mount == index;
    }
    [[nodiscard]] bool has_upper() const { return !std::holds_alternative<NoUpper>(upper); }
    [[nodiscard]] bool upper_is_tmpfs() const { return std::holds_alternative<TmpfsUpper>(upper); }
    [[nodiscard]] bool layered() const { return has_upper() || !read_only_layers.empty(); }
    friend bool operator==(const RootPlan&, const RootPlan&) = default;
};

// For messages; empty where there is none or it has no path.
[[nodiscard]] inline std::string path_of(const UpperLayer& upper) {
    if (const auto* directory = std::get_if<DirectoryUpper>(&upper)) return directory->path;
    if (const auto* image = std::get_if<ImageUpper>(&upper)) return image->path;
    return "";
}
[[nodiscard]] inline const std::string& path_of(const Layer& layer) {
    return std::visit([](const auto& one) -> const std::string& { return one.path; }, layer);
}

}  // namespace swrun
