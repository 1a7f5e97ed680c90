#include "gpu/gpu_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace swrun {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const Origin kNv{Origin::Kind::argument, "--nv"};

GpuFacts driver() {
    GpuFacts facts;
    facts.vendor = "nv";
    facts.libraries = {{"libcuda.so.1", "/usr/lib64/nvidia/libcuda.so.1"},
                       {"libnvidia-ml.so.1", "/usr/lib64/libnvidia-ml.so.1"}};
    facts.programs = {"/opt/nvidia/bin/nvidia-smi"};
    facts.files = {"/usr/share/vulkan/icd.d/nvidia_icd.json"};
    facts.sockets = {"/var/run/nvidia-persistenced/socket"};
    facts.devices = {{"/dev/nvidia0", false}, {"/dev/nvidia-caps", true}};
    return facts;
}

std::vector<std::string> targets(const GpuPlan& plan) {
    std::vector<std::string> paths;
    for (const MountOp& op : plan.mounts) paths.push_back(source_of(op) + " > " + op.target);
    return paths;
}

TEST(GpuPlan, WhereEverythingGoes) {
    EXPECT_THAT(targets(plan_gpu(driver(), false)),
                ElementsAre("/usr/lib64/nvidia/libcuda.so.1 > /.singularity.d/libs/libcuda.so.1",
                            "/usr/lib64/libnvidia-ml.so.1 > /.singularity.d/libs/libnvidia-ml.so.1",
                            "/opt/nvidia/bin/nvidia-smi > /usr/bin/nvidia-smi",
                            "/usr/share/vulkan/icd.d/nvidia_icd.json > /usr/share/vulkan/icd.d/nvidia_icd.json",
                            "/var/run/nvidia-persistenced/socket > /var/run/nvidia-persistenced/socket"));
}

TEST(GpuPlan, DevicesOnlyForAContainedDev) {
    const GpuPlan plan = plan_gpu(driver(), true, kNv);
    ASSERT_EQ(plan.mounts.size(), 7U);
    const MountOp& device = plan.mounts[5];
    EXPECT_EQ(source_of(device), "/dev/nvidia0");
    EXPECT_EQ(device.target, "/dev/nvidia0");
    EXPECT_FALSE(device.flags.no_dev);
    EXPECT_FALSE(device.flags.read_only);
    EXPECT_FALSE(device.target_is_dir);
    EXPECT_TRUE(plan.mounts[6].target_is_dir);
}

TEST(GpuPlan, FlagsOfTheBinds) {
    for (const MountOp& op : plan_gpu(driver(), true, kNv).mounts) {
        EXPECT_TRUE(op.is<BindMount>()) << op.target;
        EXPECT_FALSE(op.required) << op.target;
        EXPECT_TRUE(op.flags.no_suid) << op.target;
        EXPECT_EQ(op.origin, kNv) << op.target;
        const bool spoken_to = op.target.starts_with("/dev/") || op.target.ends_with("/socket");
        EXPECT_EQ(op.flags.read_only, !spoken_to) << op.target;
        EXPECT_EQ(op.flags.no_dev, !op.target.starts_with("/dev/")) << op.target;
    }
}

TEST(GpuPlan, PlacesForTheLibrariesParentsFirst) {
    std::vector<std::string> paths;
    for (const Ghost& ghost : plan_gpu(driver(), false).ghosts) {
        paths.push_back(ghost.path + (ghost.kind == Ghost::Kind::directory ? "/" : ""));
    }
    EXPECT_THAT(paths, ElementsAre("/.singularity.d/", "/.singularity.d/libs/", "/.singularity.d/libs/libcuda.so.1",
                                   "/.singularity.d/libs/libnvidia-ml.so.1"));
}

TEST(GpuPlan, ADriverNeedsNoNotes) { EXPECT_THAT(plan_gpu(driver(), false).notes, IsEmpty()); }

TEST(GpuPlan, NothingFoundIsAWarningAndNoMount) {
    GpuFacts facts;
    facts.vendor = "nv";
    const GpuPlan plan = plan_gpu(facts, true);
    EXPECT_THAT(plan.mounts, IsEmpty());
    EXPECT_THAT(plan.ghosts, IsEmpty());
    EXPECT_THAT(plan.notes, ElementsAre(Note{Level::warning, "Could not find any nv files on this host!"}));
}

TEST(GpuPlan, ProgramsWithoutLibrariesAreAWarning) {
    GpuFacts facts = driver();
    facts.libraries.clear();
    EXPECT_THAT(plan_gpu(facts, false).notes,
                ElementsAre(Note{Level::warning, "Could not find any nv libraries on this host!"}));
}

TEST(GpuPlan, SharedLibrariesWithoutADriverAreBoundQuietly) {
    GpuFacts facts;
    facts.vendor = "nv";
    facts.libraries = {{"libGL.so.1", "/usr/lib64/libGL.so.1"}};
    const GpuPlan plan = plan_gpu(facts, false);
    EXPECT_EQ(plan.mounts.size(), 1U);
    ASSERT_EQ(plan.notes.size(), 1U);
    EXPECT_EQ(plan.notes[0].level, Level::verbose);
}

TEST(GpuPlan, NotesOfTheSearchComeAlong) {
    GpuFacts facts = driver();
    facts.notes = {{Level::warning, "cache damaged"}};
    EXPECT_THAT(plan_gpu(facts, false).notes, ElementsAre(Note{Level::warning, "cache damaged"}));
}

}  // namespace
}  // namespace swrun
