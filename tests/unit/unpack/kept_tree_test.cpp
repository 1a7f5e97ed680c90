#include "unpack/kept_tree.h"

#include <chrono>
#include <thread>

#include "unpack_fixture.h"

namespace swrun {
namespace {

namespace fs = std::filesystem;

class Kept : public ::testing::Test {
protected:
    void SetUp() override {
        auto trees = KeptTrees::open(dir_ / "kept");
        ASSERT_TRUE(trees);
        trees_.emplace(std::move(trees).value());
    }
    Result<KeptTree> get(const std::string& identity = "i") {
        return trees_->get(identity, "image", [this](int directory) -> Status {
            ++fills_;
            if (slow_) std::this_thread::sleep_for(std::chrono::milliseconds(100));
            return ::mkdirat(directory, "made", 0755) == 0 ? Status() : Status(make_error(Error::Kind::host, "mkdir"));
        });
    }
    [[nodiscard]] std::string own() const { return dir_ / ("kept/" + std::to_string(::geteuid())); }
    // What lies there beside the locks.
    [[nodiscard]] int trees_there() const {
        int count = 0;
        for (const auto& entry : fs::directory_iterator(own())) count += entry.path().extension() != ".lock" ? 1 : 0;
        return count;
    }

    TempDir dir_;
    std::optional<KeptTrees> trees_;
    std::atomic<int> fills_ = 0;
    bool slow_ = false;
};

TEST_F(Kept, MadeOnceAndFoundAgain) {
    const auto first = get();
    ASSERT_TRUE(first) << format_error(first.error());
    EXPECT_TRUE(fs::is_directory(first->path + "/made"));
    EXPECT_EQ(stat_of(first->path).st_ino, first->inode);
    const auto again = get();
    ASSERT_TRUE(again);
    EXPECT_EQ(again->path, first->path);
    EXPECT_EQ(fills_, 1);
    const auto other = get("other");
    ASSERT_TRUE(other);
    EXPECT_NE(other->path, first->path);
    EXPECT_EQ(trees_there(), 2);
    EXPECT_EQ(stat_of(own()).st_mode & 0777U, 0700U);
    EXPECT_EQ(stat_of(fs::path(first->path).parent_path()).st_mode & 0777U, 0700U);
}

TEST_F(Kept, DamagedTreesAreMadeAgain) {
    const auto first = get();
    ASSERT_TRUE(first);
    const std::string tree = fs::path(first->path).parent_path();
    const std::vector<std::function<void()>> damages = {
        [&] { fs::remove(tree + "/image"); },
        [&] { write_file(tree + "/image", "another"); },
        [&] { fs::remove_all(tree + "/root"); },
        [&] {
            fs::remove_all(tree);
            write_file(tree, "a file");
        },
        [&] {
            fs::remove_all(tree + "/root");
            fs::create_directory_symlink("/", tree + "/root");
        },
    };
    int expected = 1;
    for (const auto& damage : damages) {
        damage();
        const auto again = get();
        ASSERT_TRUE(again) << format_error(again.error());
        EXPECT_EQ(fills_, ++expected);
        EXPECT_TRUE(fs::is_directory(again->path + "/made"));
        EXPECT_EQ(trees_there(), 1);
    }
}

TEST_F(Kept, FailureLeavesNothing) {
    const auto failed = trees_->get("i", "image", [](int directory) -> Status {
        (void)::mkdirat(directory, "half", 0500);
        return make_error(Error::Kind::host, "no");
    });
    ASSERT_FALSE(failed);
    EXPECT_EQ(trees_there(), 0);
    EXPECT_TRUE(get());
}

TEST_F(Kept, RemainsOfTheKilledGo) {
    const auto first = get();
    ASSERT_TRUE(first);
    const std::string tree = fs::path(first->path).parent_path();
    fs::rename(tree, tree + ".0123456789abcdef");
    ASSERT_TRUE(get());
    EXPECT_EQ(trees_there(), 1);
}

TEST_F(Kept, SeveralAtOnce) {
    slow_ = true;
    std::vector<std::thread> threads;
    std::atomic<int> good = 0;
    for (int i = 0; i < 6; ++i) {
        threads.emplace_back([&] {
            const auto tree = get();
            if (tree && fs::is_directory(tree->path + "/made")) ++good;
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(good, 6);
    EXPECT_EQ(fills_, 1);
}

TEST_F(Kept, NotInSomebodyElsesDirectory) {
    if (::geteuid() != 0) SWRUN_SKIP() << "needs root to give a directory away";
    ASSERT_EQ(::chown(own().c_str(), 1234, 1234), 0);
    const auto trees = KeptTrees::open(dir_ / "kept");
    ASSERT_FALSE(trees);
    EXPECT_NE(trees.error().message.find("belongs to somebody else"), std::string::npos);
}

TEST_F(Kept, NotThroughALink) {
    fs::remove_all(own());
    fs::create_directory_symlink("/tmp", own());
    EXPECT_FALSE(KeptTrees::open(dir_ / "kept"));
}

TEST(ImageIdentity, ChangesWithTheFile) {
    const TempDir dir;
    write_file(dir / "a", "one");
    const auto identity = [&](const std::string& name, std::uint64_t offset = 0) {
        const Fd fd(::open((dir / name).c_str(), O_RDONLY | O_CLOEXEC));
        return image_identity(fd.get(), offset, 3, "/").value_or(std::string());
    };
    const std::string first = identity("a");
    EXPECT_NE(first.find(dir / "a"), std::string::npos);
    EXPECT_EQ(identity("a"), first);
    EXPECT_NE(identity("a", 1), first);
    fs::create_symlink("a", dir / "link");
    EXPECT_EQ(identity("link"), first);
    ASSERT_TRUE(run_command("touch -d 2001-01-01 " + (dir / "a")));
    EXPECT_NE(identity("a"), first);
    EXPECT_FALSE(image_identity(-1, 0, 0, "/"));
}

}  // namespace
}  // namespace swrun
