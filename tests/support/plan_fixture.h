// A launch for tests of plan/: an ordinary user on an ordinary host and an ordinary image, which each test
// changes where it matters, and short ways to ask about the plan.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "resolve/plan_json.h"
#include "resolve/resolve.h"
#include "support/fake_tree.h"

namespace swrun {

inline Origin by(const std::string& option) { return {Origin::Kind::argument, option}; }
inline Flag yes(const std::string& option) { return {true, by(option)}; }
inline Text text(const std::string& value, const std::string& option) { return {value, by(option)}; }

inline BindSpec bind_spec(const std::string& source, const std::string& target, const std::string& option = "--bind") {
    BindSpec spec;
    spec.source = source;
    spec.target = target;
    spec.origin = by(option);
    return spec;
}

struct PlanCase {
    LaunchRequest request;
    HostFacts host;
    ImageFacts image;
    FakeTree host_tree;
    FakeTree image_tree;
    GpuPlan gpu;
    std::vector<FurtherImage> images;
    LimitInput limits;

    PlanCase() {
        request.image = "image.sif";
        request.arguments = {"tool", "--flag"};
        host.user = {1234, 1234, "u", "Some User", "/home/u", "/bin/bash", true};
        host.groups = {{1234, "u"}, {100, "users"}, {7777, ""}};
        host.cwd = {CwdFacts::State::known, "/home/u/work", "/home/u/work"};
        host.environment = {{"HOME", "/home/u"}, {"PATH", "/host/bin:/usr/bin"}, {"MINE", "kept"}};
        host.architecture = "amd64";
        image.kind = ImageFacts::Kind::squashfs;
        image.path = image.real_path = "/images/image.sif";
        image.name = "image.sif";
        image.offset = 36864;
        image.size = 1048576;
        image.is_sif = true;
        image.architecture = "amd64";
        fill_host();
        fill_image();
    }

    void fill_host() {
        for (const char* name : {"null", "zero", "random", "urandom", "tty"})
            host_tree.special(std::string("/dev/") + name);
        host_tree.file("/etc/hosts").file("/etc/resolv.conf").file("/etc/localtime");
        host_tree.dir("/proc").dir("/sys").dir("/tmp").dir("/var/tmp").dir("/dev/shm");
        host_tree.dir("/home/u/work").dir("/data/sets/one").file("/data/table.csv").dir("/scratch/u");
        host_tree.on_device(7);
    }

    void fill_image() {
        for (const char* path : {"/dev", "/proc", "/sys", "/tmp", "/var/tmp", "/home", "/root", "/opt"})
            image_tree.dir(path);
        image_tree.file("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n").file("/etc/group", "root:x:0:\n");
        image_tree.file("/etc/hosts").file("/etc/resolv.conf").link("/etc/localtime", "/usr/share/zoneinfo/Etc/UTC");
        image_tree.file("/usr/share/zoneinfo/Etc/UTC").file("/usr/bin/tool").file("/bin/sh");
        image_tree.file("/.singularity.d/runscript", "#!/bin/sh\nexec tool\n");
        image_tree.file("/.singularity.d/env/90-environment.sh", "export FROM_IMAGE=1\n");
    }

    void as_directory(bool writable) {
        image.kind = ImageFacts::Kind::directory;
        image.path = image.real_path = "/images/box";
        image.name = "box";
        image.offset = image.size = 0;
        image.is_sif = false;
        image.writable_by_caller = writable;
        image.architecture.clear();
    }

    // As the command line makes them of --contain and --containall.
    void contain() { request.contain = yes("--contain"); }
    void containall() {
        request.containall = request.contain = request.pid = request.ipc = request.cleanenv = yes("--containall");
    }

    [[nodiscard]] Result<LaunchPlan> try_plan() const {
        Result<LaunchPlan> made = resolve({request, host, image, host_tree, image_tree, gpu, images, limits});
        if (made) complete_files(*made, image_tree);
        return made;
    }
    [[nodiscard]] LaunchPlan plan() const {
        Result<LaunchPlan> made = try_plan();
        if (!made) {
            ADD_FAILURE() << format_error(made.error());
            return {};
        }
        return std::move(made).value();
    }
    [[nodiscard]] Error error() const {
        Result<LaunchPlan> made = try_plan();
        if (!made) return made.error();
        ADD_FAILURE() << "a plan was made:\n" << plan_to_json(*made);
        return {};
    }
};

inline std::vector<std::string> targets(const LaunchPlan& plan) {
    std::vector<std::string> all;
    for (const MountOp& op : plan.mounts) all.push_back(op.target);
    return all;
}

// The last mount at a target; an op without a target where there is none.
inline MountOp mount_at(const LaunchPlan& plan, const std::string& target) {
    const auto found = std::find_if(plan.mounts.rbegin(), plan.mounts.rend(),
                                    [&](const MountOp& op) { return op.target == target; });
    return found != plan.mounts.rend() ? *found : MountOp{};
}

// The program that serves the image; empty for our own server.
inline std::string driver_of(const ImageMount& mount) {
    return mount.driver() != nullptr ? mount.driver()->program : "";
}

// Where the unpacked image is kept; empty where it is not.
inline std::string kept_in(const ImageMount& mount) {
    return mount.unpacked() != nullptr ? mount.unpacked()->kept_in : "";
}

inline std::vector<std::string> ghost_paths(const LaunchPlan& plan) {
    std::vector<std::string> all;
    for (const Ghost& ghost : plan.root.ghosts) all.push_back(ghost.path);
    return all;
}

inline std::string ghost_content(const LaunchPlan& plan, const std::string& path) {
    for (const Ghost& ghost : plan.root.ghosts) {
        if (ghost.path == path) return ghost.content;
    }
    return "no ghost at " + path;
}

inline std::vector<std::string> warnings(const LaunchPlan& plan) {
    std::vector<std::string> all;
    for (const Note& note : plan.notes) {
        if (note.level == Level::warning) all.push_back(note.text);
    }
    return all;
}

inline std::vector<std::string> directories(const LaunchPlan& plan) {
    std::vector<std::string> all;
    for (const CwdCandidate& candidate : plan.process.directories) all.push_back(candidate.path);
    return all;
}

// The value of a variable of a finished environment.
inline std::string variable(const LaunchPlan& plan, const std::string& name) {
    if (!plan.process.environment) return "the environment is not finished";
    for (const Variable& each : *plan.process.environment) {
        if (each.name == name) return each.value;
    }
    return "unset";
}

}  // namespace swrun
