// --image-reader=squashfuse: a program of the host serves what swrun would read itself.
#include <gmock/gmock.h>

#include <cerrno>

#include "support/plan_fixture.h"

namespace swrun {
namespace {

using testing::Contains;
using testing::HasSubstr;

struct BySquashfuse : PlanCase {
    BySquashfuse() {
        request.image_reader = {ImageReader::squashfuse, by("--image-reader")};
        host_tree.program("/usr/bin/squashfuse_ll").program("/usr/bin/squashfuse");
    }
};

TEST(ImageReader, IsSwrunUnlessAskedFor) {
    PlanCase plain;
    plain.host_tree.program("/usr/bin/squashfuse_ll");
    EXPECT_EQ(driver_of(plain.plan().image_mounts.at(0)), "");
    EXPECT_NE(plan_to_json(plain.plan()).find("\"kind\": \"swrun\""), std::string::npos);
}

TEST(ImageReader, SquashfuseIsADriver) {
    BySquashfuse one;
    const LaunchPlan plan = one.plan();
    EXPECT_EQ(driver_of(plan.image_mounts.at(0)), "/usr/bin/squashfuse_ll");
    EXPECT_FALSE(plan.image_mounts.at(0).is_writable());
    EXPECT_FALSE(plan.writes_image());
    EXPECT_NE(plan_to_json(plan).find("\"program\": \"/usr/bin/squashfuse_ll\""), std::string::npos);
    one.host_tree.drop("/usr/bin/squashfuse_ll");
    EXPECT_EQ(driver_of(one.plan().image_mounts.at(0)), "/usr/bin/squashfuse");
}

TEST(ImageReader, ItsGhostsLieInALayer) {
    BySquashfuse one;
    one.request.binds = {bind_spec("/data/sets", "/usr/share/new")};
    const LaunchPlan plan = one.plan();
    EXPECT_TRUE(plan.root.ghost_layer);
    EXPECT_THAT(ghost_paths(plan), Contains("/usr/share")) << "directories above a ghost are repeated";
}

TEST(ImageReader, OfEveryImageFile) {
    BySquashfuse one;
    FurtherImage data;
    data.argument = "/data/d.sqfs";
    data.facts = one.image;
    data.facts.path = "/data/d.sqfs";
    one.images = {data};
    one.host_tree.file("/data/d.sqfs");
    one.request.overlays = {{"/data/d.sqfs", true, by("--overlay")}};
    LaunchPlan plan = one.plan();
    ASSERT_EQ(plan.image_mounts.size(), 2U);
    EXPECT_EQ(driver_of(plan.image_mounts.at(1)), "/usr/bin/squashfuse_ll");
    // Not of ext3, which has a program of its own.
    one.host_tree.program("/usr/bin/fuse2fs");
    one.images[0].facts.kind = ImageFacts::Kind::ext3;
    plan = one.plan();
    EXPECT_EQ(driver_of(plan.image_mounts.at(1)), "/usr/bin/fuse2fs");
    // Nor of directories.
    BySquashfuse directory;
    directory.as_directory(false);
    EXPECT_TRUE(directory.plan().image_mounts.empty());
}

TEST(ImageReader, AMissingProgramIsNamed) {
    BySquashfuse one;
    one.host_tree.drop("/usr/bin");
    const Error error = one.error();
    EXPECT_EQ(error.kind, Error::Kind::host);
    EXPECT_THAT(error.message, HasSubstr("(from --image-reader): neither squashfuse_ll nor squashfuse was found"));
    EXPECT_THAT(error.hint, HasSubstr("install the package squashfuse"));
}

TEST(ImageReader, WhatIsUnpackedSquashfuseCannotRead) {
    BySquashfuse one;
    one.request.image_mode = {ImageMode::unpack, by("--image-mode")};
    EXPECT_THAT(one.error().message, HasSubstr("it is to be unpacked"));
    EXPECT_EQ(one.error().kind, Error::Kind::request);
    one.request.image_mode = {};
    one.request.unsquash = yes("--unsquash");
    EXPECT_THAT(one.error().message, HasSubstr("it is to be unpacked"));
    one.request.unsquash = {};
    one.host.fuse_errno = ENOENT;
    EXPECT_THAT(one.error().message, HasSubstr("/dev/fuse cannot be used (no such file or directory)"));
    EXPECT_EQ(one.error().kind, Error::Kind::host);
}

}  // namespace
}  // namespace swrun
