// Step S2 of a launch: servers, drivers and unpacked trees of its images.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "fuse/server.h"
#include "runtime/driver.h"
#include "runtime/stage.h"

namespace swrun {
namespace {

Result<Fd> start_image_driver(const ImageMount& mount, const LaunchImage& image, const OwnerView& owners, int alive) {
    SWRUN_TRY(const Fd file, open_locked(image.fd, image.path, image.offset, image.size, mount.writable));
    std::string options = "allow_other,offset=" + std::to_string(image.offset);
    std::string wishes;
    if (image.squashfs == nullptr) {
        // fuse2fs(1): it leaves permissions to the kernel, which knows the namespace's ids.
        options.append(",fakeroot");
    } else {
        options.append(",default_permissions");  // as fuse2fs has it anyway, and our server
        // squashfuse_ll(1) before 0.2 shows owners as they are stored, and says no to these.
        if (!owners.as_stored) wishes = "uid=" + std::to_string(owners.uid) + ",gid=" + std::to_string(owners.gid);
    }
    if (!mount.writable) options.append(",ro");
    return start_driver({mount.driver, image.path, options, wishes, file.get(), mount.part, mount.is_directory}, alive);
}

// Of one image mount; none for one that is unpacked.  `alive` goes to drivers of written images.
Result<Fd> start_server(Stage& stage, std::size_t index, int alive) {
    const ImageMount& mount = stage.plan.image_mounts[index];
    const LaunchImage& image = stage.images[mount.image];
    stage.kept.emplace_back();
    if (mount.unpacked) {
        if (image.squashfs != nullptr) image.squashfs->server.reset();  // started early, and not needed
        if (mount.kept_in.empty()) return Fd();
        SWRUN_TRY(stage.kept.back(), with_context(keep_unpacked(mount, image), "unpacking " + image.path));
        return Fd();
    }
    if (!mount.driver.empty()) {
        return start_image_driver(mount, image, stage.plan.root.owners, mount.writable ? alive : -1);
    }
    // The root's server holds what all of the launch is in.
    Doors none;
    return start_image_server(*image.squashfs, stage.plan.root.image_mount == index ? stage.shared.doors : none);
}

}  // namespace

bool has_own_server(const LaunchPlan& plan) {
    if (!plan.root.image_mount) return false;
    const ImageMount& root = plan.image_mounts[*plan.root.image_mount];
    return !root.unpacked && root.driver.empty();
}

const ServedImage* served_root(const Stage& stage) {
    if (!has_own_server(stage.plan) || stage.shared.has_tree()) return nullptr;
    return stage.images[stage.plan.image_mounts[*stage.plan.root.image_mount].image].squashfs;
}

const Placement* placement(const Stage& stage) {
    const ServedImage* image = served_root(stage);
    const bool works_ahead = image != nullptr && image->predicted && image->predicted->has_begun();
    return works_ahead ? &image->placement : nullptr;
}

const PredictedFiles* predicted_files(const Stage& stage) {
    const ServedImage* image = served_root(stage);
    return image != nullptr && !stage.plan.root.layered() ? image->predicted.get() : nullptr;
}

Status start_servers(Stage& stage) {  // S2
    Fd alive;
    if (stage.plan.writes_image()) {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) return sys_error(Error::Kind::host, "pipe2", "", errno);
        stage.written_back = Fd(ends[0]);
        alive = Fd(ends[1]);
    }
    // Before an image is unpacked, which takes its time: others wait at the door.
    if (!has_own_server(stage.plan) && stage.shared.doors.any()) {
        SWRUN_TRY(stage.hold_link, start_holder(stage.shared.doors));
    }
    for (std::size_t i = 0; i < stage.plan.image_mounts.size(); ++i) {
        SWRUN_TRY(Fd link, start_server(stage, i, alive.get()));
        stage.links.push_back(std::move(link));
    }
    SWRUN_CHECK(stage.fuse.start_keeper(stage.plan));
    const std::string& stacker = stage.plan.root.overlay_driver;
    if (stacker.empty()) return {};
    SWRUN_TRY(stage.overlay_link, start_driver({stacker, "the layers of the root", "allow_other,noacl"}, -1));
    return {};
}

}  // namespace swrun
