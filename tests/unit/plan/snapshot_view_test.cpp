#include "plan/snapshot_view.h"

#include <gtest/gtest.h>

#include "support/fake_tree.h"

namespace swrun {
namespace {

class CountedTree : public FakeTree {
public:
    [[nodiscard]] Node look(const std::string& path) const override {
        ++asked;
        return FakeTree::look(path);
    }
    [[nodiscard]] Result<std::string> read_link(const std::string& path) const override {
        ++asked;
        return FakeTree::read_link(path);
    }
    mutable int asked = 0;
};

TEST(SnapshotView, AsksForEachComponentOnce) {
    CountedTree tree;
    tree.dir("/home/user").link("/way", "/home").file("/home/user/file", "text");
    const SnapshotView view(tree);
    const ResolvedPath first = resolve_in(view, "/way/user/file");
    const int needed = tree.asked;
    EXPECT_EQ(first.path, "/home/user/file");
    const ResolvedPath second = resolve_in(view, "/way/user/file");
    EXPECT_EQ(second.path, first.path);
    EXPECT_EQ(second.node, tree.FakeTree::look("/home/user/file"));
    EXPECT_EQ(tree.asked, needed);
    EXPECT_EQ(resolve_in(view, "/home/user/none").missing, 1U);
    EXPECT_EQ(tree.asked, needed + 1);
    EXPECT_EQ(view.read_text("/home/user/file", 9).value(), "text");
}

TEST(SnapshotView, StaysAsItWas) {
    FakeTree tree;
    tree.dir("/here").link("/link", "/here");
    const SnapshotView view(tree);
    EXPECT_EQ(view.look("/here").kind, Node::Kind::directory);
    EXPECT_EQ(view.look("/later").kind, Node::Kind::absent);
    EXPECT_EQ(view.read_link("/link").value(), "/here");
    EXPECT_FALSE(view.read_link("/here"));
    tree.drop("/here").drop("/link").dir("/later");
    EXPECT_EQ(view.look("/here").kind, Node::Kind::directory);
    EXPECT_EQ(view.look("/later").kind, Node::Kind::absent);
    EXPECT_EQ(view.read_link("/link").value(), "/here");
    EXPECT_FALSE(view.read_link("/here"));
}

}  // namespace
}  // namespace swrun
