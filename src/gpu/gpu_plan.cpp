#include "gpu/gpu_plan.h"

#include <algorithm>

#include "support/path.h"

namespace swrun {
namespace {

MountOp bind(const std::string& source, std::string target, const Origin& origin) {
    MountOp op;
    op.shows = BindMount{source};
    op.target = std::move(target);
    op.flags.read_only = true;
    op.target_is_dir = false;
    op.required = false;
    op.origin = origin;
    return op;
}

MountOp bind_device(const GpuDevice& device, const Origin& origin) {
    MountOp op = bind(device.path, device.path, origin);
    op.flags.read_only = false;
    op.flags.no_dev = false;  // or opening it would give EACCES
    op.target_is_dir = device.is_dir;
    return op;
}

Ghost ghost(Ghost::Kind kind, std::string path, std::uint32_t mode) {
    Ghost made;
    made.kind = kind;
    made.path = std::move(path);
    made.mode = mode;
    return made;
}

void plan_libraries(const GpuFacts& facts, const Origin& origin, GpuPlan& plan) {
    if (facts.libraries.empty()) return;
    const std::string directory = kGpuLibraryDirectory;
    plan.ghosts.push_back(ghost(Ghost::Kind::directory, std::string(parent_path(directory)), 0755));
    plan.ghosts.push_back(ghost(Ghost::Kind::directory, directory, 0755));
    for (const GpuLibrary& library : facts.libraries) {
        const std::string target = join_path(directory, library.name);
        plan.ghosts.push_back(ghost(Ghost::Kind::file, target, 0644));
        plan.mounts.push_back(bind(library.path, target, origin));
    }
}

// Hosts with a display but without the vendor's card have the vendor-neutral libraries of the list.
bool has_driver(const GpuFacts& facts) {
    return !facts.devices.empty() ||
           std::any_of(facts.libraries.begin(), facts.libraries.end(), [](const GpuLibrary& library) {
               return library.name.starts_with("libcuda.so") || library.name.starts_with("libnvidia-");
           });
}

void add_notes(const GpuFacts& facts, GpuPlan& plan) {
    plan.notes = facts.notes;
    const bool other_files = !facts.programs.empty() || !facts.files.empty() || !facts.sockets.empty();
    if (facts.libraries.empty()) {
        const std::string what = other_files ? " libraries" : " files";
        plan.notes.push_back({Level::warning, "Could not find any " + facts.vendor + what + " on this host!"});
    } else if (!has_driver(facts)) {
        plan.notes.push_back(
            {Level::verbose, "No " + facts.vendor + " driver found, only libraries that it shares with others"});
    }
}

}  // namespace

GpuPlan plan_gpu(const GpuFacts& facts, bool contained_dev, const Origin& origin) {
    GpuPlan plan;
    plan_libraries(facts, origin, plan);
    for (const std::string& program : facts.programs) {
        plan.mounts.push_back(bind(program, join_path("/usr/bin", base_name(program)), origin));
    }
    for (const std::string& file : facts.files) plan.mounts.push_back(bind(file, file, origin));
    for (const std::string& socket : facts.sockets) {
        plan.mounts.push_back(bind(socket, socket, origin));
        plan.mounts.back().flags.read_only = false;  // clients write to it
    }
    if (contained_dev) {
        for (const GpuDevice& device : facts.devices) plan.mounts.push_back(bind_device(device, origin));
    }
    add_notes(facts, plan);
    return plan;
}

}  // namespace swrun
