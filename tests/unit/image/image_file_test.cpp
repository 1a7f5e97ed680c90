#include "image/image_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <optional>

#include "source_dir.h"
#include "support/image_fixture.h"

namespace swrun {
namespace {

namespace fs = std::filesystem;

// A directory with root/, root.sqfs and what tests add.
class ImageFile : public ::testing::Test {
protected:
    void SetUp() override {
        SWRUN_NEED_TOOL("mksquashfs");
        make_small_tree(dir_ / "root");
        ASSERT_TRUE(make_squashfs(dir_ / "root", squashfs_));
    }
    void make_sif(const std::string& options = "") {
        SWRUN_NEED_TOOL("python3");
        const std::string script = std::string(SWRUN_SOURCE_DIR) + "/tests/support/make_sif.py";
        ASSERT_TRUE(run_command("python3 " + script + " " + squashfs_ + " " + sif_ + " " + options));
    }
    [[nodiscard]] Result<OpenedImage> open(const std::string& argument) const {
        return open_image(argument, dir_.path(), "amd64");
    }
    [[nodiscard]] std::string message(const std::string& argument) const {
        const auto image = open(argument);
        return image ? "(opened)" : image.error().message;
    }
    // Overwrites bytes of a file.
    static void poke(const std::string& path, std::size_t at, const std::string& bytes) {
        std::string all = slurp(path);
        all.replace(at, bytes.size(), bytes);
        write_file(path, all);
    }

    TempDir dir_;
    std::string squashfs_ = dir_ / "root.sqfs";
    std::string sif_ = dir_ / "root.sif";
};

TEST_F(ImageFile, Squashfs) {
    const auto image = open("root.sqfs");
    ASSERT_TRUE(image) << image.error().message;
    EXPECT_EQ(image->facts.kind, ImageFacts::Kind::squashfs);
    EXPECT_EQ(image->facts.path, squashfs_);
    EXPECT_EQ(image->facts.real_path, squashfs_);
    EXPECT_EQ(image->facts.name, "root.sqfs");
    EXPECT_EQ(image->facts.offset, 0U);
    EXPECT_EQ(image->facts.size, fs::file_size(squashfs_));
    EXPECT_FALSE(image->facts.is_sif);
    EXPECT_EQ(image->facts.architecture, "");
    EXPECT_TRUE(image->facts.writable_by_caller);
}

TEST_F(ImageFile, SquashfsBehindALaunchLine) {
    for (const std::string line : {"#!/usr/bin/env run-singularity\n", "#!/opt/env run-singularity\n"}) {
        write_file(dir_ / "old.simg", line + slurp(squashfs_));
        const auto image = open("old.simg");
        ASSERT_TRUE(image) << image.error().message;
        EXPECT_EQ(image->facts.kind, ImageFacts::Kind::squashfs);
        EXPECT_EQ(image->facts.offset, line.size());
        EXPECT_EQ(image->facts.size, fs::file_size(squashfs_));
    }
    write_file(dir_ / "late.simg", std::string(2100, '#') + "!/usr/bin/env run-singularity\n" + slurp(squashfs_));
    EXPECT_NE(message("late.simg").find("image format not recognized"), std::string::npos);
}

TEST_F(ImageFile, Sif) {
    write_file(dir_ / "def", "Bootstrap: scratch\n");
    make_sif("--deffile " + (dir_ / "def") + " --label A=1 --arch amd64 --name root");
    const auto image = open("root.sif");
    ASSERT_TRUE(image) << image.error().message;
    EXPECT_TRUE(image->facts.is_sif);
    EXPECT_EQ(image->facts.kind, ImageFacts::Kind::squashfs);
    EXPECT_EQ(image->facts.architecture, "amd64");
    EXPECT_EQ(image->facts.offset % 4096, 0U);
    EXPECT_EQ(image->facts.size, fs::file_size(squashfs_));
    ASSERT_TRUE(image->sif);
    EXPECT_EQ(image->sif->header.arch, "amd64");
    ASSERT_EQ(image->sif->objects.size(), 3U);
    EXPECT_EQ(image->sif->objects[2].name, "root");
    const SifObject* deffile = sif_find(*image->sif, SifType::deffile);
    ASSERT_NE(deffile, nullptr);
    EXPECT_EQ(read_sif_object(image->fd.get(), *deffile, 100).value(), "Bootstrap: scratch\n");
    EXPECT_EQ(read_sif_object(image->fd.get(), *deffile, 18).error().sys_errno, EFBIG);
}

TEST_F(ImageFile, SifArchitectures) {
    make_sif("--arch arm64");
    EXPECT_EQ(message("root.sif"), "could not open image " + sif_ +
                                       ": the image's architecture (arm64) could not run on the host's (amd64)");
    EXPECT_TRUE(open_image("root.sif", dir_.path(), "arm64"));
    EXPECT_TRUE(open_image("root.sif", dir_.path(), "")) << "inspect looks at any";
    make_sif("--arch 386");
    EXPECT_EQ(open("root.sif").value().facts.architecture, "386");
    make_sif("--arch unknown");
    EXPECT_EQ(open("root.sif").value().facts.architecture, "");
}

TEST_F(ImageFile, SifWithoutUsableRoot) {
    struct Case {
        const char* options;
        const char* message;
    };
    const Case cases[] = {
        {"--part system", "no root filesystem found"},
        {"--part data", "no root filesystem found"},
        {"--fs raw", "while checking system partition header: unknown filesystem type Raw"},
        {"--fs archive", "unknown filesystem type Archive"},
        {"--fs ext3", "error while checking ext3 header: file is not a valid ext3 image"},
        {"--fs encrypted", "encrypted (Encrypted squashfs)"},
        {"--fs gocryptfs", "encrypted (Gocryptfs squashfs)"},
    };
    for (const Case& c : cases) {
        make_sif(c.options);
        EXPECT_NE(message("root.sif").find(c.message), std::string::npos) << c.options << ": " << message("root.sif");
        EXPECT_TRUE(open_sif("root.sif", dir_.path())) << "its descriptors can still be listed";
    }
}

TEST_F(ImageFile, DamagedSif) {
    make_sif();
    const std::size_t table = 4096;
    const std::size_t part_offset = table + 17;
    struct Case {
        std::size_t at;
        std::string bytes;
        const char* message;
    };
    const std::string negative("\xf8\xff\xff\xff\xff\xff\xff\xff", 8);
    const std::string largest("\xfc\xff\xff\xff\xff\xff\xff\x7f", 8);
    const Case cases[] = {
        {42, "99", "incompatible SIF version"},
        {88, negative, "reading descriptors"},
        {88, largest, "reading descriptors"},
        {96, negative, "negative offset"},
        {96, largest, "reading descriptors: unexpected end of file"},
        {part_offset, negative, "negative offset"},
        {part_offset, largest, "past the end of the file"},
        {part_offset + 8, negative, "negative size"},
        {part_offset, std::string(8, '\0'), "while parsing squashfs super block: not a valid squashfs image"},
        {32, "XIF", "image format not recognized"},
    };
    const std::string good = slurp(sif_);
    for (const Case& c : cases) {
        write_file(sif_, good);
        poke(sif_, c.at, c.bytes);
        EXPECT_NE(message("root.sif").find(c.message), std::string::npos) << c.message << ": " << message("root.sif");
    }
    write_file(sif_, good);
    poke(sif_, part_offset + 8, largest);
    EXPECT_TRUE(open("root.sif")) << "a size past the end is cut to it";
    write_file(sif_, good.substr(0, 5000));
    EXPECT_NE(message("root.sif").find("reading descriptors"), std::string::npos);
    write_file(sif_, good.substr(0, good.size() - 4096));
    EXPECT_NE(message("root.sif").find("cut short"), std::string::npos) << message("root.sif");
}

TEST_F(ImageFile, ShortFilesAreNoImages) {
    const std::string good = slurp(squashfs_);
    for (const std::size_t size : {std::size_t{0}, std::size_t{4}, std::size_t{1000}, std::size_t{2047}}) {
        write_file(dir_ / "short", good.substr(0, size));
        EXPECT_EQ(message("short"), "could not open image " + (dir_ / "short") + ": image format not recognized");
    }
}

TEST_F(ImageFile, OtherFilesAreNoImages) {
    write_file(dir_ / "text", std::string(6000, 't'));
    write_file(dir_ / "zeros", std::string(8192, '\0'));
    ASSERT_EQ(mkfifo((dir_ / "fifo").c_str(), 0600), 0);
    for (const std::string name : {"text", "zeros", "fifo", "/dev/null"}) {
        EXPECT_NE(message(name).find("image format not recognized"), std::string::npos)
            << name << ": " << message(name);
    }
}

TEST_F(ImageFile, DamagedSquashfs) {
    poke(squashfs_, 20, std::string("\x63\0", 2));
    EXPECT_EQ(message("root.sqfs"),
              "could not open image " + squashfs_ + ": corrupted image: unknown compression algorithm value 99");
    poke(squashfs_, 20, std::string("\x01\0", 2));
    poke(squashfs_, 28, std::string("\x03\0", 2));
    EXPECT_NE(message("root.sqfs").find("version 3.0"), std::string::npos);
}

TEST_F(ImageFile, Ext3) {
    std::string bytes(4096, '\0');
    bytes[1080] = '\x53';
    bytes[1081] = '\xEF';
    bytes[1116] = 4;
    write_file(dir_ / "good.img", bytes);
    EXPECT_EQ(open("good.img").value().facts.kind, ImageFacts::Kind::ext3);
    write_file(dir_ / "launch.img", "#!/usr/bin/env run-singularity\n" + bytes);
    EXPECT_EQ(open("launch.img").value().facts.offset, 31U);
    bytes[1116] = 0;
    write_file(dir_ / "bad.img", bytes);
    EXPECT_EQ(message("bad.img"), "could not open image " + (dir_ / "bad.img") + ": file is not a valid ext3 image");
}

TEST_F(ImageFile, DirectoriesByAnyName) {
    const std::string root = dir_ / "root";
    struct Case {
        std::string argument;
        std::string cwd;
    };
    const Case cases[] = {{"root", dir_.path()},
                          {"./root/", dir_.path()},
                          {root, "/"},
                          {"root/.", dir_.path()},
                          {".", root},
                          {"", root},
                          {"root/../root//", dir_.path()}};
    for (const Case& c : cases) {
        const auto image = open_image(c.argument, c.cwd, "amd64");
        ASSERT_TRUE(image) << c.argument << ": " << image.error().message;
        EXPECT_EQ(image->facts.kind, ImageFacts::Kind::directory);
        EXPECT_EQ(image->facts.path, root) << c.argument;
        EXPECT_EQ(image->facts.name, "root") << c.argument;
    }
}

TEST_F(ImageFile, LinksKeepTheirName) {
    fs::create_symlink("root", dir_ / "alias");
    fs::create_symlink("root.sqfs", dir_ / "latest");
    EXPECT_EQ(open("alias").value().facts.path, dir_ / "alias");
    EXPECT_EQ(open("alias").value().facts.name, "alias");
    EXPECT_EQ(open("alias").value().facts.real_path, dir_ / "root");
    EXPECT_EQ(open("latest").value().facts.real_path, squashfs_);
}

TEST_F(ImageFile, TheHostsRootIsNoImage) {
    fs::create_symlink("/", dir_ / "slash");
    EXPECT_EQ(message("/"), "/ as sandbox is not authorized");
    EXPECT_EQ(message("/usr/.."), "/ as sandbox is not authorized");
    EXPECT_EQ(message("slash"), "/ as sandbox is not authorized");
}

TEST_F(ImageFile, MissingFilesNameTheComponent) {
    fs::create_symlink("/nonexistent/target", dir_ / "dangling");
    const auto expected = [&](const std::string& name, const std::string& component) {
        const std::string path = dir_ / name;
        return "could not open image " + path + ": failed to retrieve path for " + path + ": lstat " + component +
               ": no such file or directory";
    };
    EXPECT_EQ(message("absent.sif"), expected("absent.sif", dir_ / "absent.sif"));
    EXPECT_EQ(message("a/b/c.sif"), expected("a/b/c.sif", dir_ / "a"));
    EXPECT_EQ(message("dangling"), expected("dangling", "/nonexistent"));
    EXPECT_NE(message("root.sqfs/x").find("not a directory"), std::string::npos);
    EXPECT_EQ(open("absent.sif").error().sys_errno, ENOENT);
    EXPECT_EQ(exit_code(open("absent.sif").error()), 255);
}

TEST_F(ImageFile, UnreadableFiles) {
    ASSERT_EQ(chmod(dir_.path().c_str(), 0755), 0);
    ASSERT_EQ(chmod(squashfs_.c_str(), 0), 0);
    std::optional<AsNobody> nobody(std::in_place);
    EXPECT_EQ(message("root.sqfs"), "could not open image " + squashfs_ + ": " + squashfs_ +
                                        " is not readable by the current user, check permissions");
    nobody.reset();
    ASSERT_EQ(chmod(squashfs_.c_str(), 0444), 0);
    nobody.emplace();
    EXPECT_FALSE(open("root.sqfs").value().facts.writable_by_caller);
}

TEST_F(ImageFile, OpenSifWantsASif) {
    EXPECT_FALSE(open_sif("root.sqfs", dir_.path()));
    EXPECT_FALSE(open_sif("root", dir_.path()));
    EXPECT_FALSE(open_sif("absent", dir_.path()));
}

}  // namespace
}  // namespace swrun
