#include "unpack/file_tree.h"

#include "unpack_fixture.h"

namespace swrun {
namespace {

namespace fs = std::filesystem;

Fd open_dir(const std::string& path) { return Fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)); }

TEST(FileTree, OpensBelowWithoutLinks) {
    const TempDir dir;
    write_file(dir / "a/b/file", "");
    fs::create_directory_symlink("b", dir / "a/link");
    fs::create_directory_symlink("/", dir / "top");
    const Fd root = open_dir(dir.path());
    EXPECT_TRUE(open_directory_below(root.get(), ""));
    EXPECT_TRUE(open_directory_below(root.get(), "a/b"));
    for (const char* path : {"a/link", "top", "top/etc", "a/link/c", "a/b/file", "a/c"}) {
        EXPECT_FALSE(open_directory_below(root.get(), path)) << path;
    }
}

TEST(FileTree, CreatesNothingInPlaceOfAnything) {
    const TempDir dir;
    const Fd root = open_dir(dir.path());
    fs::create_symlink(dir / "target", dir / "link");
    EXPECT_FALSE(create_file(root.get(), "link"));
    EXPECT_FALSE(fs::exists(dir / "target"));
    ASSERT_TRUE(create_file(root.get(), "file"));
    EXPECT_FALSE(create_file(root.get(), "file"));
    SquashNode node;
    node.kind = SquashNode::Kind::directory;
    EXPECT_EQ(create_node(root.get(), "file", node, "").error().sys_errno, EEXIST);
    node.kind = SquashNode::Kind::block_device;
    node.major = 8;
    const auto device = create_node(root.get(), "disk", node, "");
    ASSERT_TRUE(device);
    EXPECT_FALSE(*device);
    node.kind = SquashNode::Kind::file;
    EXPECT_FALSE(create_node(root.get(), "other", node, ""));
}

TEST(FileTree, RemovesWhateverTheModes) {
    const TempDir dir;
    write_file(dir / "tree/locked/deeper/file", "x");
    write_file(dir / "kept", "x");
    fs::create_symlink("../kept", dir / "tree/link");
    fs::permissions(dir / "tree/locked/deeper", fs::perms(0));
    fs::permissions(dir / "tree/locked", fs::perms(0));
    const Fd root = open_dir(dir.path());
    const Status removed = remove_tree(root.get(), "tree");
    EXPECT_TRUE(removed) << format_error(removed.error());
    EXPECT_FALSE(fs::exists(dir / "tree"));
    EXPECT_TRUE(fs::exists(dir / "kept"));
    EXPECT_TRUE(remove_tree(root.get(), "tree"));
    EXPECT_TRUE(remove_tree(root.get(), "kept"));
}

}  // namespace
}  // namespace swrun
