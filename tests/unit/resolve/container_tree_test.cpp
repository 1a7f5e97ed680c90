#include "resolve/container_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "support/fake_tree.h"

namespace swrun {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ContainerTreeTest : public testing::Test {
protected:
    ContainerTreeTest() {
        host_.dir("/data/sub").file("/data/file", "host's").link("/data/alias", "sub").link("/shortcut", "/data");
        image_.dir("/mnt")
            .file("/etc/conf", "image's")
            .link("/lnk", "/usr/real")
            .dir("/usr/real")
            .link("/gone", "/not/yet");
    }

    static MountOp bind(const std::string& source, const std::string& target) {
        MountOp op;
        op.source = source;
        op.target = target;
        return op;
    }
    static MountOp tmpfs(const std::string& target, std::vector<Ghost> content = {}) {
        MountOp op;
        op.kind = MountOp::Kind::tmpfs;
        op.target = target;
        op.content = std::move(content);
        return op;
    }
    std::vector<std::string> ghosts() const {
        std::vector<std::string> paths;
        for (const Ghost& ghost : tree_.ghosts()) paths.push_back(ghost.path);
        return paths;
    }
    void expect_refused(MountOp op, int err) {
        const Status placed = tree_.place(std::move(op), true);
        ASSERT_FALSE(placed);
        EXPECT_EQ(placed.error().sys_errno, err);
        EXPECT_EQ(placed.error().kind, Error::Kind::request);
        EXPECT_TRUE(tree_.mounts().empty());
    }

    FakeTree host_;
    FakeTree image_;
    ContainerTree tree_{host_, image_};
};

TEST_F(ContainerTreeTest, WithoutMountsItIsTheImage) {
    EXPECT_EQ(tree_.look("/etc/conf"), image_.look("/etc/conf"));
    EXPECT_EQ(tree_.read_text("/etc/conf", 100).value(), "image's");
    EXPECT_EQ(tree_.read_link("/lnk").value(), "/usr/real");
    EXPECT_EQ(tree_.look("/data").kind, Node::Kind::absent);
    EXPECT_EQ(tree_.list("/usr").value(), std::vector<std::string>{"real"});
}

TEST_F(ContainerTreeTest, BelowABindItIsTheHost) {
    ASSERT_TRUE(tree_.place(bind("/data", "/mnt"), true));
    EXPECT_TRUE(tree_.is_mount_point("/mnt"));
    EXPECT_FALSE(tree_.is_mount_point("/mnt/sub"));
    EXPECT_EQ(tree_.read_text("/mnt/file", 100).value(), "host's");
    EXPECT_EQ(tree_.read_link("/mnt/alias").value(), "sub");
    EXPECT_EQ(resolve_in(tree_, "/mnt/alias").path, "/mnt/sub");
    EXPECT_EQ(tree_.list("/mnt").value(), (std::vector<std::string>{"alias", "file", "sub"}));
    EXPECT_TRUE(ghosts().empty());
}

TEST_F(ContainerTreeTest, TheLastMountIsOnTop) {
    ASSERT_TRUE(tree_.place(bind("/data/sub", "/mnt"), true));
    ASSERT_TRUE(tree_.place(bind("/data", "/mnt"), true));
    EXPECT_EQ(tree_.look("/mnt/file").kind, Node::Kind::file);
    ASSERT_TRUE(tree_.place(tmpfs("/mnt"), true));
    EXPECT_EQ(tree_.look("/mnt/file").kind, Node::Kind::absent);
    EXPECT_EQ(tree_.look("/mnt").kind, Node::Kind::directory);
}

TEST_F(ContainerTreeTest, ABoundLinkShowsWhatItLeadsTo) {
    ASSERT_TRUE(tree_.place(bind("/shortcut", "/mnt"), true));
    EXPECT_EQ(tree_.look("/mnt").kind, Node::Kind::directory);
}

TEST_F(ContainerTreeTest, TargetsAreResolvedInside) {
    ASSERT_TRUE(tree_.place(bind("/data", "/lnk"), true));
    ASSERT_TRUE(tree_.place(bind("/data", "/lnk/alias"), true));
    EXPECT_EQ(tree_.mounts()[0].target, "/usr/real");
    EXPECT_EQ(tree_.mounts()[1].target, "/usr/real/sub") << "the link is the host's, its target stays below the bind";
}

TEST_F(ContainerTreeTest, AMissingMountPointBecomesAGhostWithItsParents) {
    ASSERT_TRUE(tree_.place(bind("/data", "/a/b/c"), true));
    ASSERT_TRUE(tree_.place(bind("/data/file", "/a/f"), false));
    ASSERT_TRUE(tree_.place(bind("/data", "/gone/x"), true));
    EXPECT_THAT(ghosts(), ElementsAre("/a", "/a/b", "/a/b/c", "/a/f", "/not", "/not/yet", "/not/yet/x"));
    EXPECT_EQ(tree_.ghosts()[3].kind, Ghost::Kind::file);
    EXPECT_EQ(tree_.ghosts()[3].mode, 0644U);
    EXPECT_EQ(tree_.look("/a/b").kind, Node::Kind::directory);
    EXPECT_EQ(tree_.list("/a").value(), (std::vector<std::string>{"b", "f"}));
    for (const MountOp& op : tree_.mounts()) EXPECT_FALSE(op.create_target) << op.target;
}

TEST_F(ContainerTreeTest, BelowABindTheMountPointIsMadeOnTheHost) {
    ASSERT_TRUE(tree_.place(bind("/data", "/mnt"), true));
    ASSERT_TRUE(tree_.place(bind("/data/file", "/mnt/new/file"), false));
    EXPECT_TRUE(tree_.mounts()[1].create_target);
    EXPECT_FALSE(tree_.mounts()[1].target_is_dir);
    ASSERT_TRUE(tree_.place(bind("/data", "/mnt/sub"), true));
    EXPECT_FALSE(tree_.mounts()[2].create_target) << "the host has it";
    EXPECT_TRUE(ghosts().empty());
}

TEST_F(ContainerTreeTest, ATmpfsKnowsWhatItStartsWith) {
    ASSERT_TRUE(tree_.place(tmpfs("/dev", {{Ghost::Kind::file, "null", "", 0666},
                                           {Ghost::Kind::symlink, "ptmx", "/dev/pts/ptmx", 0755},
                                           {Ghost::Kind::directory, "pts", "", 0755}}),
                            true));
    EXPECT_EQ(tree_.look("/dev/null").kind, Node::Kind::file);
    EXPECT_EQ(tree_.read_link("/dev/ptmx").value(), "/dev/pts/ptmx");
    EXPECT_EQ(tree_.read_link("/dev/null").error().sys_errno, EINVAL);
    ASSERT_TRUE(tree_.place(bind("/data/file", "/dev/ptmx"), false)) << "a link of ours is followed like any other";
    EXPECT_EQ(tree_.mounts()[1].target, "/dev/pts/ptmx");
    ASSERT_TRUE(tree_.place(bind("/data/file", "/dev/null"), false));
    EXPECT_FALSE(tree_.mounts()[2].create_target);
}

TEST_F(ContainerTreeTest, WhatCannotBeAMountPoint) {
    expect_refused(bind("/data", "/etc/conf/below"), ENOTDIR);
    image_.link("/round", "/round");
    expect_refused(bind("/data", "/round/x"), ELOOP);
    image_.link("/top", "/");
    expect_refused(bind("/data", "/top"), 0);
    expect_refused(bind("/data", "/.."), 0);
    tree_.allow_ghosts(false);
    const Status missing = tree_.place(bind("/data", "/absent"), true);
    ASSERT_FALSE(missing);
    EXPECT_THAT(missing.error().message, HasSubstr("destination /absent doesn't exist in container"));
}

TEST_F(ContainerTreeTest, AGhostTakesTheImagesPlace) {
    tree_.add_ghost({Ghost::Kind::file, "/etc/conf", "ours", 0600});
    EXPECT_EQ(tree_.read_text("/etc/conf", 100).value(), "ours");
    EXPECT_EQ(tree_.look("/etc/conf").mode, 0600U);
    EXPECT_EQ(tree_.look("/etc/conf").size, 4U);
    EXPECT_THAT(ghosts(), ElementsAre("/etc/conf")) << "the image has its parents";
    tree_.add_ghost({Ghost::Kind::symlink, "/lnk", "/etc", 0755});
    EXPECT_EQ(tree_.read_link("/lnk").value(), "/etc");
    EXPECT_THAT(tree_.list("/").value(), testing::Contains("lnk")) << "once";
    EXPECT_EQ(tree_.list("/etc").value(), std::vector<std::string>{"conf"});
}

TEST_F(ContainerTreeTest, AGhostBelowALinkDoesNotHideWhatTheLinkLeadsTo) {
    tree_.add_ghost({Ghost::Kind::file, "/lnk/new", "ours", 0644});
    EXPECT_THAT(ghosts(), ElementsAre("/usr/real/new"));
    EXPECT_EQ(tree_.look("/lnk").kind, Node::Kind::symlink);
}

TEST_F(ContainerTreeTest, ADirectoryImageHasTheParentsRepeated) {
    tree_.repeat_parents(true);
    tree_.add_ghost({Ghost::Kind::file, "/usr/real/new", "", 0644});
    EXPECT_THAT(ghosts(), ElementsAre("/usr", "/usr/real", "/usr/real/new"));
    EXPECT_EQ(tree_.ghosts()[0].mode, image_.look("/usr").mode);
}

}  // namespace
}  // namespace swrun
