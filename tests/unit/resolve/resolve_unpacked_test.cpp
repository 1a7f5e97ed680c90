// Images that are unpacked: when, where to, and what becomes of the things that they lack.
#include <algorithm>
#include <cerrno>

#include "support/plan_fixture.h"

namespace swrun {
namespace {

Asked<ImageMode> mode(ImageMode value) { return {value, by("--image-mode")}; }

std::vector<std::string> infos(const LaunchPlan& plan) {
    std::vector<std::string> all;
    for (const Note& note : plan.notes) {
        if (note.level == Level::info) all.push_back(note.text);
    }
    return all;
}

TEST(Unpacked, OnlyWhereFuseCannotBeUsed) {
    PlanCase one;
    EXPECT_FALSE(one.plan().image_mounts.at(0).unpacked() != nullptr);
    EXPECT_TRUE(infos(one.plan()).empty());
    one.host.fuse_errno = ENOENT;
    const LaunchPlan plan = one.plan();
    EXPECT_TRUE(plan.image_mounts.at(0).unpacked() != nullptr);
    EXPECT_EQ(infos(plan), std::vector<std::string>{"/dev/fuse cannot be used (no such file or directory): image files "
                                                    "are unpacked into memory"});
    one.request.image_mode = mode(ImageMode::fuse);
    EXPECT_FALSE(one.plan().image_mounts.at(0).unpacked() != nullptr);
}

TEST(Unpacked, OnRequest) {
    PlanCase one;
    one.request.image_mode = mode(ImageMode::unpack);
    EXPECT_TRUE(one.plan().image_mounts.at(0).unpacked() != nullptr);
    EXPECT_TRUE(infos(one.plan()).empty());
    PlanCase other;
    other.request.unsquash = yes("--unsquash");
    other.request.image_mode = mode(ImageMode::fuse);
    EXPECT_TRUE(other.plan().image_mounts.at(0).unpacked() != nullptr);
    EXPECT_EQ(infos(other.plan()), std::vector<std::string>{"Converting SIF file to temporary sandbox..."});
}

TEST(Unpacked, DirectoriesAreNot) {
    PlanCase one;
    one.as_directory(false);
    one.request.unsquash = yes("--unsquash");
    const LaunchPlan plan = one.plan();
    EXPECT_TRUE(plan.image_mounts.empty());
    EXPECT_TRUE(plan.root.ghost_layer);
    EXPECT_TRUE(infos(plan).empty());
}

TEST(Unpacked, Ext3IsNot) {
    PlanCase one;
    one.image.kind = ImageFacts::Kind::ext3;
    one.host_tree.program("/usr/bin/fuse2fs");
    one.request.unsquash = yes("--unsquash");
    EXPECT_NE(one.error().message.find("not a squashfs root filesystem"), std::string::npos);
    one.request.unsquash = {};
    one.request.image_mode = mode(ImageMode::unpack);
    const LaunchPlan plan = one.plan();
    EXPECT_FALSE(plan.image_mounts.at(0).unpacked() != nullptr);
    EXPECT_TRUE(plan.root.ghost_layer);
}

TEST(Unpacked, ATreeOfTheLaunchTakesGhostsIn) {
    PlanCase one;
    one.request.image_mode = mode(ImageMode::unpack);
    one.request.binds = {bind_spec("/data/sets", "/usr/share/new")};
    const LaunchPlan plan = one.plan();
    EXPECT_FALSE(plan.root.ghost_layer);
    PlanCase served;
    served.request.binds = one.request.binds;
    EXPECT_EQ(ghost_paths(plan), ghost_paths(served.plan()));
}

TEST(Unpacked, AKeptTreeHasALayerAboveIt) {
    PlanCase one;
    one.request.image_mode = mode(ImageMode::unpack);
    one.request.unpack_directory = text("kept", "--unpack-dir");
    one.request.binds = {bind_spec("/data/sets", "/usr/share/new")};
    const LaunchPlan plan = one.plan();
    EXPECT_EQ(kept_in(plan.image_mounts.at(0)), "/home/u/work/kept");
    EXPECT_TRUE(plan.root.ghost_layer);
    const std::vector<std::string> ghosts = ghost_paths(plan);
    for (const char* path : {"/usr", "/usr/share", "/usr/share/new"}) {
        EXPECT_NE(std::find(ghosts.begin(), ghosts.end(), path), ghosts.end()) << path;
    }
    // Of use only where something is unpacked.
    one.request.image_mode = {};
    EXPECT_EQ(kept_in(one.plan().image_mounts.at(0)), "");
    EXPECT_FALSE(one.plan().root.ghost_layer);
}

TEST(Unpacked, OwnersOfARangeCannotBeKept) {
    PlanCase one;
    one.request.image_mode = mode(ImageMode::unpack);
    one.request.unpack_directory = text("/kept", "--unpack-dir");
    one.request.fakeroot = yes("--fakeroot");
    one.host.subordinate = {100000, 65536, 100000, 65536, "/usr/bin/newuidmap", "/usr/bin/newgidmap"};
    const LaunchPlan plan = one.plan();
    ASSERT_TRUE(plan.root.owners.as_stored);
    EXPECT_TRUE(plan.image_mounts.at(0).unpacked() != nullptr);
    EXPECT_EQ(kept_in(plan.image_mounts.at(0)), "");
    EXPECT_FALSE(plan.root.ghost_layer);
}

TEST(Unpacked, ThePlanShowsIt) {
    PlanCase one;
    one.request.image_mode = mode(ImageMode::unpack);
    EXPECT_NE(plan_to_json(one.plan()).find("\"kept_in\": \"\""), std::string::npos);
    one.request.unpack_directory = text("/kept", "--unpack-dir");
    EXPECT_NE(plan_to_json(one.plan()).find("\"kept_in\": \"/kept\""), std::string::npos);
}

}  // namespace
}  // namespace swrun
