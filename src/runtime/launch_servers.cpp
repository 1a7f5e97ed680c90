// Step S2 of a launch: servers, drivers and unpacked trees of its images.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "fuse/server.h"
#include "runtime/driver.h"
#include "runtime/stage.h"
#include "support/process.h"

namespace swrun {
namespace {

Result<Fd> start_image_driver(const ImageMount& mount, const OpenedImage& image, const OwnerView& owners, int alive) {
    const ImageFacts& facts = image.facts;
    SWRUN_TRY(const Fd file, open_locked(image.fd.get(), facts.path, facts.offset, facts.size, mount.is_writable()));
    std::string options = "allow_other,offset=" + std::to_string(facts.offset);
    std::string wishes;
    if (image.squashfs == nullptr) {
        // fuse2fs(1): it leaves permissions to the kernel, which knows the namespace's ids.
        options.append(",fakeroot");
    } else {
        options.append(",default_permissions");  // as fuse2fs has it anyway, and our server
        // squashfuse_ll(1) before 0.2 shows owners as they are stored, and says no to these.
        if (!owners.as_stored) wishes = "uid=" + std::to_string(owners.uid) + ",gid=" + std::to_string(owners.gid);
    }
    if (!mount.is_writable()) options.append(",ro");
    return start_driver(
        {mount.driver()->program, facts.path, options, wishes, file.get(), mount.part, mount.is_directory}, alive);
}

// Of one image mount; none for one that is unpacked.  `alive` goes to drivers of written images.
Result<Fd> start_server(Stage& stage, std::size_t index, int alive) {
    const ImageMount& mount = stage.plan.image_mounts[index];
    OpenedImage& image = stage.images[mount.image];
    const bool is_root = stage.plan.root.is_mount(index);
    stage.kept.emplace_back();
    if (const ByUnpacking* unpacking = mount.unpacked()) {
        if (is_root && stage.options.server != nullptr) stage.options.server->link.reset();  // not needed after all
        if (unpacking->kept_in.empty()) return Fd();
        SWRUN_TRY(stage.kept.back(), with_context(keep_unpacked(mount, image), "unpacking " + image.facts.path));
        return Fd();
    }
    if (mount.driver() != nullptr) {
        return start_image_driver(mount, image, stage.plan.root.owners, mount.is_writable() ? alive : -1);
    }
    Doors none;
    if (!is_root) {
        SWRUN_TRY(ImageServer server, start_image_server(image, {}, none));
        return std::move(server.link);
    }
    ImageServer server;
    if (stage.options.server != nullptr && stage.options.server->link) {
        server = std::move(*stage.options.server);
    } else {
        // The root's server holds what all of the launch is in.
        SWRUN_TRY(server, start_image_server(image, stage.options.hint, stage.shared.doors));
    }
    stage.root_server = std::move(server.start);
    return std::move(server.link);
}

}  // namespace

bool has_own_server(const LaunchPlan& plan) {
    const ImageRoot* root = plan.root.mounted();
    return root != nullptr && plan.image_mounts[root->image_mount].is_served_by_us();
}

const Placement* placement(const Stage& stage) {
    return stage.root_server && stage.root_server->predicted ? &stage.root_server->placement : nullptr;
}

const PredictedFiles* predicted_files(const Stage& stage) {
    return stage.root_server && !stage.plan.root.layered() ? stage.root_server->predicted.get() : nullptr;
}

Status start_servers(Stage& stage) {  // S2
    Fd alive;
    if (stage.plan.writes_image()) {
        SWRUN_TRY(Pipe pipe, make_pipe());
        stage.written_back = std::move(pipe.reader);
        alive = std::move(pipe.writer);
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
