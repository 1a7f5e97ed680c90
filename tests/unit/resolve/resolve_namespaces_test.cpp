// Who the program is inside, what it may do, and the further images of a launch.
#include <gmock/gmock.h>

#include "plan/capabilities.h"
#include "support/plan_fixture.h"

namespace swrun {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

SubordinateIds granted() { return {100000, 65536, 200000, 65536, "/usr/bin/newuidmap", "/usr/bin/newgidmap"}; }

TEST(Fakeroot, MapsTheGrantedRange) {
    PlanCase c;
    c.request.fakeroot = yes("--fakeroot");
    c.host.subordinate = granted();
    const LaunchPlan plan = c.plan();
    EXPECT_EQ(plan.namespaces.uid, (IdMap{0, 1234, 1}));
    EXPECT_THAT(plan.namespaces.more_uids, ElementsAre(IdMap{1, 100000, 65536}));
    EXPECT_THAT(plan.namespaces.more_gids, ElementsAre(IdMap{1, 200000, 65536}));
    EXPECT_TRUE(plan.root.owners.as_stored) << "every owner of the image exists inside";
    EXPECT_FALSE(plan.process.drop_capabilities);
    EXPECT_TRUE(plan.process.no_new_privs);
    EXPECT_EQ(source_of(mount_at(plan, "/root")), "/home/u") << "root's home is the caller's";
}

TEST(Fakeroot, WithoutAGrantOnlyTheCallerExists) {
    PlanCase c;
    c.request.fakeroot = yes("--fakeroot");
    const LaunchPlan plan = c.plan();
    EXPECT_EQ(plan.namespaces.uid, (IdMap{0, 1234, 1}));
    EXPECT_THAT(plan.namespaces.more_uids, IsEmpty());
    EXPECT_FALSE(plan.root.owners.as_stored);
    EXPECT_EQ(plan.root.owners.uid, 0U);
    EXPECT_FALSE(plan.process.no_new_privs);
    c.host.subordinate = granted();
    c.request.ignore_subuid = yes("--ignore-subuid");
    EXPECT_THAT(c.plan().namespaces.more_uids, IsEmpty());
}

TEST(Fakeroot, MissingMappersAreSaid) {
    PlanCase c;
    c.request.fakeroot = yes("--fakeroot");
    c.host.subordinate = granted();
    c.host.subordinate.newgidmap.clear();
    const LaunchPlan plan = c.plan();
    EXPECT_THAT(plan.namespaces.more_uids, IsEmpty());
    EXPECT_THAT(warnings(plan), ElementsAre(HasSubstr("package uidmap")));
}

TEST(Fakeroot, RootStaysWhatHeIs) {
    PlanCase c;
    c.request.fakeroot = yes("--fakeroot");
    c.host.user.uid = c.host.user.gid = 0;
    EXPECT_EQ(c.plan().namespaces.uid, (IdMap{0, 0, 1}));
}

TEST(Security, OtherIdsInside) {
    PlanCase c;
    c.request.security = {{"uid:4321", by("--security")}, {"gid:4322", by("--security")}};
    const LaunchPlan plan = c.plan();
    EXPECT_EQ(plan.namespaces.uid, (IdMap{4321, 1234, 1}));
    EXPECT_EQ(plan.namespaces.gid, (IdMap{4322, 1234, 1}));
    EXPECT_EQ(plan.root.owners.uid, 4321U);
    EXPECT_TRUE(plan.process.drop_capabilities);
}

TEST(Security, TheFirstOfSeveralCounts) {
    PlanCase c;
    c.request.security = {{"uid:5", by("--security")}, {"uid:6", by("--security")}};
    EXPECT_EQ(c.plan().namespaces.uid.inside, 5U);
}

TEST(Security, WhatIsRefused) {
    for (const char* value : {"selinux:ctx", "uid:", "uid:x", "uid:-1", "uid:4294967295", "gid:99999999999"}) {
        PlanCase c;
        c.request.security = {{value, by("--security")}};
        EXPECT_EQ(c.error().kind, Error::Kind::request) << value;
        EXPECT_THAT(c.error().message, HasSubstr("--security")) << value;
    }
}

TEST(Capabilities, AreAddedAndTakenAway) {
    PlanCase c;
    c.request.add_caps = text("CAP_NET_RAW, sys_ptrace,CAP_BOGUS", "--add-caps");
    c.request.drop_caps = text("CAP_SYS_PTRACE", "--drop-caps");
    const LaunchPlan plan = c.plan();
    EXPECT_TRUE(plan.process.drop_capabilities);
    EXPECT_THAT(plan.process.capabilities, ElementsAre(13)) << "CAP_NET_RAW";
    EXPECT_THAT(warnings(plan), ElementsAre("won't add unknown capability: CAP_BOGUS"));
}

TEST(Security, TheNameOfRootGivesNoRights) {
    PlanCase c;
    c.request.security = {{"uid:0", by("--security")}};
    const LaunchPlan plan = c.plan();
    EXPECT_EQ(plan.namespaces.uid, (IdMap{0, 1234, 1}));
    EXPECT_TRUE(plan.process.drop_capabilities);
    EXPECT_TRUE(plan.process.no_new_privs);
}

TEST(Security, OneGroupOnlyAndNotWithFakeroot) {
    PlanCase c;
    c.request.security = {{"gid:1:2", by("--security")}};
    EXPECT_THAT(c.error().message, HasSubstr("only one gid"));
    c.request.security = {{"gid:1", by("--security")}};
    c.request.fakeroot = yes("--fakeroot");
    EXPECT_THAT(c.error().message, HasSubstr("do not go together"));
}

TEST(Capabilities, AllOfThem) {
    PlanCase c;
    c.request.add_caps = text("chown,ALL,bogus", "--add-caps");
    c.request.drop_caps = text("CAP_CHOWN", "--drop-caps");
    EXPECT_EQ(c.plan().process.capabilities.size(), capability_names().size() - 1);
    EXPECT_THAT(warnings(c.plan()), IsEmpty());
    c.request.add_caps = {};
    c.request.drop_caps = text("all", "--drop-caps");
    c.request.fakeroot = yes("--fakeroot");
    EXPECT_EQ(c.plan().process.capabilities.size(), capability_names().size());
}

TEST(Capabilities, KeepingThemIsForRoot) {
    PlanCase c;
    c.request.keep_privs = yes("--keep-privs");
    EXPECT_THAT(c.error().message, HasSubstr("requires root privileges"));
    c.host.user.uid = 0;
    EXPECT_FALSE(c.plan().process.drop_capabilities);
}

TEST(Capabilities, RootLosesTheDroppedOnes) {
    PlanCase c;
    c.request.fakeroot = yes("--fakeroot");
    c.request.drop_caps = text("CAP_CHOWN", "--drop-caps");
    const LaunchPlan plan = c.plan();
    EXPECT_FALSE(plan.process.drop_capabilities);
    EXPECT_THAT(plan.process.capabilities, ElementsAre(0));
}

struct WithData : PlanCase {
    FakeTree data;

    WithData() {
        data.file("/set/file", "data");
        host_tree.file("/data/d.sif");
        ImageFacts facts;
        facts.kind = ImageFacts::Kind::squashfs;
        images.push_back({"/data/d.sif", std::nullopt, facts, &data});
    }
    void bind(const std::string& part) {
        BindSpec spec = bind_spec("/data/d.sif", "/new/place");
        spec.from_image = true;
        spec.image_path = part;
        request.binds = {spec};
    }
};

TEST(FurtherImages, APartOfOneIsMounted) {
    WithData c;
    c.bind("set");
    MountOp op = mount_at(c.plan(), "/new/place");
    EXPECT_TRUE(op.is<ImageBind>());
    ASSERT_TRUE(op.is<ImageBind>());
    EXPECT_EQ(op.as<ImageBind>()->path, "/set");
    EXPECT_TRUE(op.target_is_dir);
    EXPECT_TRUE(op.flags.read_only);
    c.bind("/set/file");
    EXPECT_FALSE(mount_at(c.plan(), "/new/place").target_is_dir);
    c.bind("/absent");
    EXPECT_THAT(c.error().message, HasSubstr("/absent doesn't exist in the image /data/d.sif"));
}

TEST(FurtherImages, AsALayerTheyAreReadOnly) {
    WithData c;
    c.request.overlays = {{"/data/d.sif", false, by("--overlay")}};
    const LaunchPlan plan = c.plan();
    EXPECT_THAT(plan.root.read_only_layers, ElementsAre(Layer(ImageLayer{"/data/d.sif", 1, ""})));
    EXPECT_EQ(plan.image_mounts.at(1).image, 1U) << "the first of the further images";
    EXPECT_TRUE(plan.image_mounts.at(1).is_served_by_us()) << "our own server reads it";
    EXPECT_THAT(warnings(plan), ElementsAre(HasSubstr("is not writable, proceeding with read-only")));
    EXPECT_TRUE(plan.process.startup.late) << "the layer may bring other environment files";
}

struct WithExt3 : WithData {
    WithExt3() {
        images[0].facts.kind = ImageFacts::Kind::ext3;
        images[0].facts.path = "/data/d.sif";
        images[0].facts.writable_by_caller = true;
        host_tree.program("/usr/bin/fuse2fs").program("/usr/bin/fuse-overlayfs");
        request.overlays = {{"/data/d.sif", false, by("--overlay")}};
    }
};

TEST(Ext3, AWritableOverlayIsStackedByADriver) {
    WithExt3 c;
    const LaunchPlan plan = c.plan();
    EXPECT_EQ(plan.root.overlay_driver, "/usr/bin/fuse-overlayfs");
    const auto* image = std::get_if<ImageUpper>(&plan.root.upper);
    ASSERT_NE(image, nullptr);
    const ImageMount& upper = plan.image_mounts.at(image->image_mount);
    EXPECT_EQ(driver_of(upper), "/usr/bin/fuse2fs");
    EXPECT_TRUE(upper.is_writable());
    EXPECT_TRUE(plan.writes_image());
    EXPECT_TRUE(plan.root.layered());
    EXPECT_TRUE(plan.root.read_only_layers.empty());
    c.request.writable_tmpfs = yes("--writable-tmpfs");
    EXPECT_THAT(c.error().message, HasSubstr("with another writable overlay image (/data/d.sif)"));
}

TEST(Ext3, AReadOnlyOverlayIsTheDirectoryUpperOfTheImage) {
    WithExt3 c;
    c.request.overlays[0].read_only = true;
    const LaunchPlan plan = c.plan();
    EXPECT_THAT(plan.root.read_only_layers, ElementsAre(Layer(ImageLayer{"/data/d.sif", 1, "upper"})));
    EXPECT_EQ(plan.root.overlay_driver, "/usr/bin/fuse-overlayfs") << "who knows its marks of removed files";
    EXPECT_FALSE(plan.writes_image());
    EXPECT_TRUE(warnings(plan).empty());
    c.host_tree.drop("/usr/bin/fuse-overlayfs");
    EXPECT_TRUE(c.plan().root.overlay_driver.empty()) << "the kernel does it, and removed files are back";
    c.request.overlays[0].read_only = false;
    c.images[0].facts.writable_by_caller = false;
    EXPECT_THAT(warnings(c.plan()), ElementsAre(HasSubstr("is not writable, proceeding with read-only")));
}

TEST(Ext3, AMissingDriverIsNamed) {
    WithExt3 c;
    c.host_tree.drop("/usr/bin").file("/opt/bin/fuse2fs");
    c.host.environment = {{"PATH", "/opt/bin"}};
    EXPECT_THAT(c.error().message, HasSubstr("fuse2fs was not found")) << "a file that cannot be executed is none";
    EXPECT_THAT(c.error().hint, HasSubstr("install the package fuse2fs"));
    c.host_tree.program("/opt/bin/fuse2fs");
    EXPECT_THAT(c.error().message, HasSubstr("fuse-overlayfs was not found"));
}

TEST(Ext3, AsRootImageItsGhostsLieInALayer) {
    WithExt3 c;
    c.request.overlays.clear();
    c.images.clear();
    c.image.kind = ImageFacts::Kind::ext3;
    c.image.is_sif = false;
    c.image.writable_by_caller = true;
    LaunchPlan plan = c.plan();
    ASSERT_TRUE(plan.root.is_mount(0));
    EXPECT_EQ(driver_of(plan.image_mounts.at(0)), "/usr/bin/fuse2fs");
    EXPECT_FALSE(plan.writes_image());
    EXPECT_THAT(ghost_paths(plan), testing::Contains("/etc")) << "directories above a ghost are repeated";
    c.request.writable = yes("--writable");
    plan = c.plan();
    EXPECT_TRUE(plan.writes_image());
    EXPECT_TRUE(plan.root.writable);
}

TEST(Ext3, PartitionsOfTheImageItselfAreItsLayers) {
    WithExt3 c;
    c.request.overlays.clear();
    c.images[0].embedded = true;
    LaunchPlan plan = c.plan();
    EXPECT_THAT(plan.root.read_only_layers, ElementsAre(Layer(ImageLayer{"/images/image.sif", 1, "upper"})));
    c.request.writable = yes("--writable");
    plan = c.plan();
    EXPECT_TRUE(std::holds_alternative<ImageUpper>(plan.root.upper));
    EXPECT_FALSE(plan.root.writable) << "the image below stays as it is";
    EXPECT_FALSE(plan.root.ghosts.empty());
}

TEST(Ext3, ABindWritesUnlessItIsReadOnly) {
    WithExt3 c;
    c.request.overlays.clear();
    c.bind("/set");
    EXPECT_FALSE(mount_at(c.plan(), "/new/place").flags.read_only);
    EXPECT_TRUE(c.plan().writes_image());
    c.request.binds[0].read_only = true;
    EXPECT_TRUE(mount_at(c.plan(), "/new/place").flags.read_only);
    EXPECT_FALSE(c.plan().writes_image());
}

TEST(FurtherImages, AreSeenByLaterMounts) {
    WithData c;
    c.bind("/");
    c.request.binds.push_back(bind_spec("/data/table.csv", "/new/place/set/file"));
    const MountOp op = mount_at(c.plan(), "/new/place/set/file");
    EXPECT_FALSE(op.create_target) << "the image has that file: nothing is to be made";
}

TEST(Libraries, OfTheHostAreShownReadOnly) {
    PlanCase c;
    c.request.containlibs = {{"/data/table.csv", by("CONTAINLIBS")}};
    const MountOp op = mount_at(c.plan(), "/.singularity.d/libs/table.csv");
    EXPECT_EQ(source_of(op), "/data/table.csv");
    EXPECT_TRUE(op.flags.read_only);
    EXPECT_TRUE(c.plan().process.startup.libs_present);
    c.request.containlibs[0].value = "/absent.so";
    EXPECT_THAT(c.error().message, HasSubstr("/absent.so"));
}

}  // namespace
}  // namespace swrun
