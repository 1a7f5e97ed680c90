#include "plan/tree_view.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "support/fake_tree.h"

namespace swrun {
namespace {

// A tree with one directory that may not be entered.
class GuardedTree : public FakeTree {
public:
    [[nodiscard]] Node look(const std::string& path) const override {
        Node node = FakeTree::look(path);
        if (path != "/guarded" && is_below(path, "/guarded")) node.kind = Node::Kind::unreachable;
        return node;
    }
};

void expect_at(const TreeView& tree, const std::string& asked, const std::string& path, Node::Kind kind) {
    const ResolvedPath resolved = resolve_in(tree, asked);
    EXPECT_EQ(resolved.path, path) << asked;
    EXPECT_EQ(resolved.node.kind, kind) << asked;
    EXPECT_EQ(resolved.missing, 0U) << asked;
    EXPECT_FALSE(resolved.loop) << asked;
    EXPECT_TRUE(resolved.exists()) << asked;
}

void expect_missing(const TreeView& tree, const std::string& asked, const std::string& path, std::size_t missing,
                    Node::Kind last) {
    const ResolvedPath resolved = resolve_in(tree, asked);
    EXPECT_EQ(resolved.path, path) << asked;
    EXPECT_EQ(resolved.missing, missing) << asked;
    EXPECT_EQ(resolved.node.kind, last) << asked;
    EXPECT_FALSE(resolved.exists()) << asked;
}

TEST(ResolveIn, PlainPaths) {
    FakeTree tree;
    tree.dir("/a/b").file("/a/f");
    expect_at(tree, "/", "/", Node::Kind::directory);
    expect_at(tree, "/a/b", "/a/b", Node::Kind::directory);
    expect_at(tree, "/a/f", "/a/f", Node::Kind::file);
    expect_at(tree, "//a/./b/", "/a/b", Node::Kind::directory);
}

TEST(ResolveIn, TheNodeIsTheLastExistingOne) {
    FakeTree tree;
    tree.file("/a/f", "12345");
    const ResolvedPath resolved = resolve_in(tree, "/a/f");
    EXPECT_EQ(resolved.node, tree.look("/a/f"));
    EXPECT_EQ(resolved.node.size, 5U);
    EXPECT_EQ(resolve_in(tree, "/a/x/y").node, tree.look("/a"));
}

TEST(ResolveIn, DotDotStaysInside) {
    FakeTree tree;
    tree.dir("/a/b").file("/f");
    expect_at(tree, "/a/b/../../f", "/f", Node::Kind::file);
    expect_at(tree, "/../../a", "/a", Node::Kind::directory);
    expect_at(tree, "/..", "/", Node::Kind::directory);
    EXPECT_EQ(resolve_in(tree, "/a/b/..").node, tree.look("/a"));
}

TEST(ResolveIn, RelativeLinks) {
    FakeTree tree;
    tree.file("/a/b/f")
        .link("/a/l", "b")
        .link("/a/b/up", "../b/f")
        .link("/a/out", "../../../a/b/f")
        .link("/a/self", ".");
    expect_at(tree, "/a/l", "/a/b", Node::Kind::directory);
    expect_at(tree, "/a/l/f", "/a/b/f", Node::Kind::file);
    expect_at(tree, "/a/b/up", "/a/b/f", Node::Kind::file);
    expect_at(tree, "/a/out", "/a/b/f", Node::Kind::file);
    expect_at(tree, "/a/self/self/l", "/a/b", Node::Kind::directory);
    EXPECT_EQ(resolve_in(tree, "/a/self").node, tree.look("/a"));
}

TEST(ResolveIn, AbsoluteLinksStartAtTheTreesRoot) {
    FakeTree tree;
    tree.file("/usr/lib/f").link("/lib", "/usr/lib").link("/a/root", "/").link("/a/deep", "/../../usr");
    expect_at(tree, "/lib/f", "/usr/lib/f", Node::Kind::file);
    expect_at(tree, "/a/root", "/", Node::Kind::directory);
    expect_at(tree, "/a/root/lib/f", "/usr/lib/f", Node::Kind::file);
    expect_at(tree, "/a/deep/lib", "/usr/lib", Node::Kind::directory);
}

TEST(ResolveIn, DotDotAfterALinkIsThatOfTheTarget) {
    FakeTree tree;
    tree.dir("/x/y/z").file("/x/y/f").link("/l", "/x/y/z");
    expect_at(tree, "/l/../f", "/x/y/f", Node::Kind::file);
}

TEST(ResolveIn, LinksToLinks) {
    FakeTree tree;
    tree.file("/f").link("/l1", "/l2").link("/l2", "l3").link("/l3", "f");
    expect_at(tree, "/l1", "/f", Node::Kind::file);
}

TEST(ResolveIn, MissingComponentsAreCounted) {
    FakeTree tree;
    tree.dir("/a").file("/f");
    expect_missing(tree, "/x", "/x", 1, Node::Kind::directory);
    expect_missing(tree, "/a/x/y/z", "/a/x/y/z", 3, Node::Kind::directory);
    expect_missing(tree, "/f/x", "/f/x", 1, Node::Kind::file);
}

TEST(ResolveIn, AMissingPathBelowALinkIsAtItsTarget) {
    FakeTree tree;
    tree.dir("/usr/lib").link("/lib", "usr/lib").link("/dangling", "usr/none/deep");
    expect_missing(tree, "/lib/new/file", "/usr/lib/new/file", 2, Node::Kind::directory);
    expect_missing(tree, "/dangling", "/usr/none/deep", 2, Node::Kind::directory);
    expect_missing(tree, "/dangling/more", "/usr/none/deep/more", 3, Node::Kind::directory);
}

TEST(ResolveIn, DotDotTakesMissingComponentsBack) {
    FakeTree tree;
    tree.dir("/a/b");
    expect_missing(tree, "/a/x/y/..", "/a/x", 1, Node::Kind::directory);
    expect_at(tree, "/a/x/y/../../b", "/a/b", Node::Kind::directory);
    expect_missing(tree, "/x/../../y", "/y", 1, Node::Kind::directory);
}

TEST(ResolveIn, Loops) {
    FakeTree tree;
    tree.link("/self", "self").link("/a", "/b").link("/b", "/a").link("/grow", "grow/x");
    for (const char* path : {"/self", "/a", "/b/c", "/grow"}) {
        const ResolvedPath resolved = resolve_in(tree, path);
        EXPECT_TRUE(resolved.loop) << path;
        EXPECT_FALSE(resolved.exists()) << path;
    }
}

TEST(ResolveIn, FortyLinksAreTheLimit) {
    FakeTree tree;
    tree.file("/l0");
    for (int i = 1; i <= 41; ++i) tree.link("/l" + std::to_string(i), "l" + std::to_string(i - 1));
    expect_at(tree, "/l40", "/l0", Node::Kind::file);
    EXPECT_TRUE(resolve_in(tree, "/l41").loop);
}

TEST(ResolveIn, TheLinkThatLedThere) {
    FakeTree tree;
    tree.dir("/usr/lib/deep")
        .file("/usr/lib/f")
        .link("/lib", "usr/lib")
        .link("/dead", "/none")
        .link("/twice", "lib/no");
    const std::pair<const char*, const char*> cases[] = {
        {"/usr/lib", ""},   {"/lib", "/lib"},     {"/lib/deep", ""},  {"/lib/f", ""},        {"/lib/f/below", ""},
        {"/dead", "/dead"}, {"/dead/x", "/dead"}, {"/twice", "/lib"}, {"/lib/none", "/lib"},
    };
    for (const auto& [asked, link] : cases) EXPECT_EQ(resolve_in(tree, asked).link, link) << asked;
}

TEST(ResolveIn, WhatCannotBeReachedIsNotThere) {
    GuardedTree tree;
    tree.file("/guarded/secret").link("/l", "/guarded/secret");
    expect_missing(tree, "/guarded/secret", "/guarded/secret", 1, Node::Kind::directory);
    expect_missing(tree, "/l", "/guarded/secret", 1, Node::Kind::directory);
    expect_at(tree, "/guarded", "/guarded", Node::Kind::directory);
}

TEST(ResolveIn, KeepsTheReason) {
    FakeTree tree;
    tree.file("/a/f").link("/a/loop", "loop").link("/a/away", "/nfs/gone/x").hidden("/nfs/gone", ESTALE);
    tree.hidden("/nfs/dead", ENOTCONN).hidden("/a/long", ENAMETOOLONG).hidden("/closed").hidden("/disk", EIO);
    const auto reason = [&](const std::string& path) { return resolve_in(tree, path).sys_errno; };
    EXPECT_EQ(reason("/a/f"), 0);
    EXPECT_EQ(reason("/a/x"), ENOENT);
    EXPECT_EQ(reason("/a/f/x/y"), ENOTDIR);
    EXPECT_EQ(reason("/a/loop/x"), ELOOP);
    EXPECT_EQ(reason("/a/away"), ESTALE);
    EXPECT_EQ(reason("/nfs/dead/x"), ENOTCONN);
    EXPECT_EQ(reason("/a/long"), ENAMETOOLONG);
    EXPECT_EQ(reason("/closed/x"), EACCES);
    EXPECT_EQ(reason("/disk"), EIO);
    EXPECT_EQ(reason("/a/x/.."), 0) << "back where all is well";
}

TEST(MissingError, AbsenceAndAllElse) {
    FakeTree tree;
    tree.link("/loop", "/loop").hidden("/stale", ESTALE).hidden("/closed");
    const auto error = [&](const std::string& path) { return missing_error("thing " + path, resolve_in(tree, path)); };
    EXPECT_EQ(error("/none").message, "thing /none doesn't exist: no such file or directory");
    EXPECT_EQ(error("/none").sys_errno, ENOENT);
    EXPECT_EQ(error("/none").hint, "");
    EXPECT_EQ(error("/closed/x").message, "thing /closed/x cannot be reached: permission denied (EACCES)");
    EXPECT_NE(error("/closed/x").hint, "");
    EXPECT_EQ(error("/loop").message, "thing /loop cannot be reached: too many levels of symbolic links (ELOOP)");
    EXPECT_EQ(error("/stale/x").message, "thing /stale/x cannot be reached: stale file handle (ESTALE)");
    EXPECT_NE(error("/stale/x").hint.find("network file system"), std::string::npos);
}

}  // namespace
}  // namespace swrun
