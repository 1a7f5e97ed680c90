#include "image/ghost_tree.h"

#include <gtest/gtest.h>

#include <map>

namespace swrun {
namespace {

// What the image has: directories get the ids of this table, "/etc/passwd" is a file.
std::optional<ImageSpot> image(const std::string& path) {
    static const std::map<std::string, ImageSpot> kSpots = {
        {"/", {1, true}}, {"/etc", {2, true}}, {"/usr", {3, true}}, {"/etc/passwd", {4, false}}, {"/lib", {5, false}}};
    const auto found = kSpots.find(path);
    if (found == kSpots.end()) return std::nullopt;
    return found->second;
}

Ghost dir(const std::string& path) { return {Ghost::Kind::directory, path, "", 0755}; }
Ghost file(const std::string& path, const std::string& text) { return {Ghost::Kind::file, path, text, 0644}; }
Ghost link(const std::string& path, const std::string& to) { return {Ghost::Kind::symlink, path, to, 0}; }

TEST(GhostTree, AnswersForAddedDirectories) {
    const std::vector<Ghost> list = {dir("/scratch"), dir("/scratch/a"), dir("/scratch/b"), dir("/usr/mnt")};
    const auto tree = GhostTree::build(list, image);
    ASSERT_TRUE(tree) << tree.error().message;
    const GhostNode* scratch = tree->child(1, "scratch");
    ASSERT_NE(scratch, nullptr);
    EXPECT_TRUE(is_ghost(scratch->id));
    EXPECT_EQ(scratch->parent, 1U);
    EXPECT_FALSE(scratch->replaces);
    EXPECT_EQ(tree->subdirectories(scratch->id), 2U);
    EXPECT_EQ(tree->subdirectories(1), 1U) << "of the image";
    EXPECT_EQ(tree->subdirectories(3), 1U);
    EXPECT_EQ(tree->subdirectories(2), 0U);
    const auto children = tree->children(scratch->id);
    ASSERT_EQ(children.size(), 2U);
    EXPECT_EQ(children[0]->name, "a");
    EXPECT_EQ(children[1]->name, "b");
    EXPECT_EQ(children[0]->parent, scratch->id);
    EXPECT_EQ(tree->find(children[1]->id), children[1]);
    EXPECT_EQ(tree->at_path("/usr/mnt"), tree->child(3, "mnt"));
    EXPECT_EQ(tree->child(2, "mnt"), nullptr);
    EXPECT_EQ(tree->child(1, "scratc"), nullptr);
    EXPECT_TRUE(tree->has_children(3));
    EXPECT_FALSE(tree->has_children(2));
}

TEST(GhostTree, FilesAndLinksMayReplace) {
    const std::vector<Ghost> list = {file("/etc/passwd", "new\n"), file("/etc/hosts", ""), link("/lib", "usr/lib")};
    const auto tree = GhostTree::build(list, image);
    ASSERT_TRUE(tree) << tree.error().message;
    const GhostNode* passwd = tree->child(2, "passwd");
    ASSERT_NE(passwd, nullptr);
    EXPECT_TRUE(passwd->replaces);
    EXPECT_EQ(passwd->content, "new\n");
    EXPECT_EQ(passwd->size(), 4U);
    EXPECT_EQ(passwd->mode, 0644U);
    EXPECT_EQ(tree->subdirectories(2), 0U) << "files and links are none";
    EXPECT_FALSE(tree->child(2, "hosts")->replaces);
    EXPECT_EQ(tree->child(1, "lib")->mode, 0777U);
    EXPECT_EQ(tree->child(1, "lib")->content, "usr/lib");
}

TEST(GhostTree, IdsAreStable) {
    const std::vector<Ghost> list = {dir("/a"), dir("/b")};
    EXPECT_EQ(GhostTree::build(list, image).value().at_path("/b")->id,
              GhostTree::build(list, image).value().at_path("/b")->id);
    EXPECT_NE(GhostTree::build(list, image).value().at_path("/a")->id,
              GhostTree::build(list, image).value().at_path("/b")->id);
}

TEST(GhostTree, DirectoriesOfTheImageAreLeftToIt) {
    const std::vector<Ghost> list = {dir("/usr"), dir("/usr/mnt")};
    const auto tree = GhostTree::build(list, image);
    ASSERT_TRUE(tree);
    EXPECT_EQ(tree->child(1, "usr"), nullptr);
    EXPECT_NE(tree->child(3, "mnt"), nullptr);
}

TEST(GhostTree, ADirectoryInPlaceOfAFileHidesIt) {
    const std::vector<Ghost> list = {dir("/etc/passwd"), dir("/etc/passwd/below"), file("/etc/passwd/f", "x")};
    const auto tree = GhostTree::build(list, image);
    ASSERT_TRUE(tree) << tree.error().message;
    const GhostNode* passwd = tree->child(2, "passwd");
    ASSERT_NE(passwd, nullptr);
    EXPECT_TRUE(passwd->replaces);
    EXPECT_EQ(passwd->kind, Ghost::Kind::directory);
    EXPECT_EQ(tree->subdirectories(passwd->id), 1U);
    EXPECT_EQ(tree->children(passwd->id).size(), 2U);
}

TEST(GhostTree, RepeatingTheSameIsHarmless) {
    const std::vector<Ghost> list = {dir("/a"), dir("/a"), file("/f", "x"), file("/f", "x")};
    const auto tree = GhostTree::build(list, image);
    ASSERT_TRUE(tree);
    EXPECT_EQ(tree->children(1).size(), 2U);
}

TEST(GhostTree, RefusesWhatCannotBe) {
    const std::vector<std::vector<Ghost>> lists = {
        {dir("relative")},
        {dir("/")},
        {dir("/a/../b")},
        {dir("/a/")},
        {dir("//a")},
        {dir("/usr/..")},
        {dir("/missing/child")},
        {dir("/etc/passwd/child")},
        {file("/usr", "x")},
        {link("/usr", "x")},
        {file("/f", "x"), dir("/f/d")},
        {file("/f", "x"), file("/f", "y")},
        {dir("/f"), file("/f", "y")},
        {dir("/" + std::string(256, 'n'))},
        {dir(std::string("/a\0b", 4))},
        {dir("/b/c"), dir("/b")},
    };
    for (const auto& list : lists) EXPECT_FALSE(GhostTree::build(list, image)) << list.back().path;
}

TEST(GhostTree, EmptyListAndForeignIds) {
    const auto tree = GhostTree::build({}, image);
    ASSERT_TRUE(tree);
    EXPECT_TRUE(tree->empty());
    EXPECT_EQ(tree->find(kGhostBit), nullptr);
    EXPECT_EQ(tree->find(3), nullptr);
    EXPECT_TRUE(tree->children(1).empty());
}

}  // namespace
}  // namespace swrun
