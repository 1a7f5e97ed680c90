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
        op.shows = BindMount{source};
        op.target = target;
        return op;
    }
    static MountOp tmpfs(const std::string& target, std::vector<Ghost> content = {}) {
        MountOp op;
        op.shows = TmpfsMount{01777, std::move(content)};
        op.target = target;
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

TEST_F(ContainerTreeTest, AReadOnlyBindTakesNoMountPoint) {
    MountOp outer = bind("/data", "/mnt");
    outer.flags.read_only = true;
    ASSERT_TRUE(tree_.place(outer, true));
    const Status inner = tree_.place(bind("/data/sub", "/mnt/new/x"), true);
    ASSERT_FALSE(inner);
    EXPECT_EQ(inner.error().sys_errno, EROFS);
    EXPECT_THAT(inner.error().message, testing::AllOf(HasSubstr("/mnt/new/x"), HasSubstr("/data, bound to /mnt,")));
    EXPECT_FALSE(inner.error().hint.empty());
    EXPECT_TRUE(tree_.place(bind("/data", "/mnt/sub"), true)) << "the source has it";
}

TEST_F(ContainerTreeTest, AFileAndADirectoryDoNotMeet) {
    host_.dir("/etc");
    const Status file = tree_.place(bind("/data/file", "/mnt"), false);
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().sys_errno, ENOTDIR);
    EXPECT_THAT(file.error().message, HasSubstr("/data/file is not a directory, but /mnt is"));
    EXPECT_THAT(file.error().hint, HasSubstr("/data/file:/mnt/file"));
    const Status directory = tree_.place(bind("/data", "/etc/conf"), true);
    ASSERT_FALSE(directory);
    EXPECT_THAT(directory.error().message, HasSubstr("/data is a directory, but /etc/conf"));
    ASSERT_TRUE(tree_.place(bind("/data", "/lnk"), true));
    EXPECT_FALSE(tree_.place(bind("/data", "/usr/real/file"), true)) << "of the host, below a bind";
    tree_.allow_unknown(true);
    EXPECT_TRUE(tree_.place(bind("/data", "/etc/conf"), true)) << "a layer may have a directory there";
    EXPECT_FALSE(tree_.place(bind("/data", "/lnk/file"), true)) << "but none lies over a bind";
}

TEST_F(ContainerTreeTest, TheListKnowsMountPoints) {
    ASSERT_TRUE(tree_.place(bind("/data", "/mnt"), true));
    ASSERT_TRUE(tree_.place(bind("/data/file", "/mnt/new"), false));
    EXPECT_EQ(tree_.list("/mnt").value(), (std::vector<std::string>{"alias", "file", "new", "sub"}));
    EXPECT_THAT(tree_.list("/").value(), testing::Contains("mnt"));
}

class AutomaticMount : public ContainerTreeTest {
protected:
    // Where it went; empty where it was left out.
    std::string placed(const std::string& target) {
        const Result<bool> done = tree_.place_automatic(bind("/data", target), true);
        return done && *done ? tree_.mounts().back().target : "";
    }
};

TEST_F(AutomaticMount, TakesThePlaceOfAFile) {
    image_.file("/home");
    EXPECT_EQ(placed("/home/u"), "/home/u");
    EXPECT_EQ(placed("/etc/conf"), "/etc/conf");
    EXPECT_THAT(ghosts(), ElementsAre("/etc/conf", "/home", "/home/u"));
    for (const Ghost& ghost : tree_.ghosts()) EXPECT_EQ(ghost.kind, Ghost::Kind::directory) << ghost.path;
}

TEST_F(AutomaticMount, TakesThePlaceOfALinkLoop) {
    image_.link("/self", "self").link("/a", "/b").link("/b", "a").link("/grow", "grow/x");
    EXPECT_EQ(placed("/self/u"), "/self/u");
    EXPECT_FALSE(placed("/a/u").empty());
    EXPECT_EQ(resolve_in(tree_, "/a/u").path, tree_.mounts().back().target);
    EXPECT_EQ(placed("/grow"), "/grow");
}

TEST_F(AutomaticMount, TakesThePlaceOfALinkAndNotOfWhatItLeadsTo) {
    image_.link("/home", "/etc/conf").link("/deep", "/etc/conf/x/y").link("/good", "/usr/real").file("/usr/real/f");
    EXPECT_EQ(placed("/home"), "/home");
    EXPECT_EQ(placed("/deep/u"), "/deep/u");
    EXPECT_EQ(tree_.look("/etc/conf").kind, Node::Kind::file) << "others still need it";
    EXPECT_EQ(placed("/good/f/u"), "/usr/real/f/u");
    EXPECT_EQ(tree_.look("/good").kind, Node::Kind::symlink) << "the file behind it was in the way";
}

TEST_F(AutomaticMount, MakesNothingOnTheHost) {
    image_.link("/home", "/mnt/home");
    ASSERT_TRUE(tree_.place(bind("/data", "/mnt"), true));
    EXPECT_EQ(placed("/mnt/new"), "");
    EXPECT_EQ(placed("/mnt/file"), "") << "a file of the host does not give way";
    EXPECT_EQ(placed("/mnt/sub"), "/mnt/sub");
    EXPECT_EQ(placed("/home/u"), "/home/u") << "the image's link does";
    for (const MountOp& op : tree_.mounts()) EXPECT_FALSE(op.create_target) << op.target;
    EXPECT_EQ(placed("/mnt/sub"), "") << "once";
}

TEST_F(AutomaticMount, InADirectoryOfTheLaunchItsPlaceIsMade) {
    ASSERT_TRUE(tree_.place(tmpfs("/mnt"), true));
    EXPECT_EQ(placed("/mnt/new"), "/mnt/new");
    EXPECT_TRUE(tree_.mounts().back().create_target);
}

TEST_F(AutomaticMount, LeavesNothingWhereItCannotBe) {
    image_.link("/a", "/etc/conf").file("/mnt/f");
    tree_.allow_ghosts(false);
    EXPECT_EQ(placed("/a"), "");
    EXPECT_EQ(placed("/mnt/f/x"), "");
    EXPECT_TRUE(ghosts().empty());
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
