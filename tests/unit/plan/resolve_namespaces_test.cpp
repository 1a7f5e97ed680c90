// Who the program is inside, what it may do, and the further images of a launch.
#include <gmock/gmock.h>

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
    EXPECT_EQ(mount_at(plan, "/root").source, "/home/u") << "root's home is the caller's";
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
    EXPECT_EQ(op.kind, MountOp::Kind::image);
    EXPECT_EQ(op.image_path, "/set");
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
    EXPECT_THAT(plan.root.read_only_layers, ElementsAre(Layer{"/data/d.sif", 0}));
    EXPECT_THAT(warnings(plan), ElementsAre(HasSubstr("is not writable, proceeding with read-only")));
    EXPECT_TRUE(plan.process.startup.late) << "the layer may bring other environment files";
    c.images[0].facts.kind = ImageFacts::Kind::ext3;
    EXPECT_THAT(c.error().message, HasSubstr("not supported yet"));
}

TEST(Libraries, OfTheHostAreShownReadOnly) {
    PlanCase c;
    c.request.containlibs = {{"/data/table.csv", by("CONTAINLIBS")}};
    const MountOp op = mount_at(c.plan(), "/.singularity.d/libs/table.csv");
    EXPECT_EQ(op.source, "/data/table.csv");
    EXPECT_TRUE(op.flags.read_only);
    EXPECT_TRUE(c.plan().process.startup.libs_present);
    c.request.containlibs[0].value = "/absent.so";
    EXPECT_THAT(c.error().message, HasSubstr("/absent.so"));
}

}  // namespace
}  // namespace swrun
