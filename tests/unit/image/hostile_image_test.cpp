// Damaged and hostile images: whatever the bytes say, reading them ends, fails cleanly or gives some
// answer, and takes little memory.  Run under the sanitizers too: they see what a lucky run hides.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/xattr.h>

#include <cstring>

#include "image/image_file.h"
#include "image/image_view.h"
#include "source_dir.h"
#include "support/image_fixture.h"

namespace swrun {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t kMemoryBound = 768 << 20;  // freed memory is kept back for a while
#else
constexpr std::size_t kMemoryBound = 96 << 20;
#endif

std::size_t peak_memory() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

// Looks at everything, within limits that a cycle of directories needs.
class Explorer {
public:
    explicit Explorer(SquashReader& reader) : reader_(reader) {}

    void run() {
        const auto root = reader_.root();
        if (root) visit(*root, 0);
    }
    [[nodiscard]] int files_read() const { return files_read_; }

private:
    void visit(const SquashNode& node, int depth) {
        if (++visited_ > 60 || depth > 12) return;
        if (const auto link = reader_.read_link(node); link && link->size() > 65536) ADD_FAILURE();
        std::byte buffer[3000];
        for (const std::uint64_t at : {std::uint64_t{0}, node.size / 2, node.size - 1, std::uint64_t{1} << 45}) {
            if (reader_.read(node, at, buffer)) ++files_read_;
        }
        for (const char* name : {"a", "passwd", "entry15", "zzz"}) (void)reader_.lookup(node, name);
        if (const auto names = reader_.xattrs().names(node); names && !names->empty())
            (void)reader_.xattrs().value(node, names->back());
        std::uint64_t from = 0;
        for (int piece = 0; piece < 4; ++piece) {
            const auto entries = reader_.list(node, from, 20);
            if (!entries || entries->empty()) break;
            from = entries->back().next;
            for (const SquashEntry& entry : *entries) {
                EXPECT_FALSE(entry.name.empty() || entry.name.find('/') != std::string::npos);
                const auto child = reader_.node(entry.id);
                if (child) visit(*child, depth + 1);
            }
        }
    }

    SquashReader& reader_;
    int visited_ = 0;
    int files_read_ = 0;
};

// The number of files that could be read.
int explore(const std::string& bytes) {
    auto reader = open_squash_bytes(bytes, 1 << 20);
    if (!reader) return 0;
    Explorer explorer(*reader);
    explorer.run();
    return explorer.files_read();
}

class HostileSquashfs : public ::testing::TestWithParam<const char*> {
protected:
    void SetUp() override {
        SWRUN_NEED_TOOL("mksquashfs");
        const TempDir dir;
        make_small_tree(dir / "root");
        // Enough entries for a directory with an index.
        for (int i = 0; i < 60; ++i) {
            write_file(dir / ("root/large/" + std::string(200, 'n') + std::to_string(i)), "");
        }
        for (const char* name : {"root/bin/tool", "root/data", "root/etc/passwd"})
            (void)::setxattr((dir / name).c_str(), "user.test", name, std::strlen(name), 0);
        if (!make_squashfs(dir / "root", dir / "image", std::string("-nopad -b 8192 ") + GetParam())) {
            SWRUN_SKIP() << "mksquashfs lacks " << GetParam();
        }
        image_ = slurp(dir / "image");
        ASSERT_GT(explore(image_), 50);
        start_ = peak_memory();
    }
    void TearDown() override {
        if (start_ != 0) {
            EXPECT_LT(peak_memory() - start_, kMemoryBound);
        }
    }
    // Every byte of the superblock, some of the data, and as many of the metadata as time allows: all of
    // them with SWRUN_LONG_TESTS set.
    [[nodiscard]] std::size_t step(std::size_t at) const {
        if (at < 96 || std::getenv("SWRUN_LONG_TESTS") != nullptr) return 1;
        return at < metadata() ? 211 : std::max<std::size_t>(1, (image_.size() - metadata()) / 600);
    }
    // Where metadata begins: data in front of it is only ever copied.
    [[nodiscard]] std::size_t metadata() const {
        std::uint64_t inode_table = 0;
        std::memcpy(&inode_table, image_.data() + 64, sizeof inode_table);
        return static_cast<std::size_t>(inode_table);
    }

    std::string image_;
    std::size_t start_ = 0;
};

TEST_P(HostileSquashfs, EveryTruncation) {
    for (std::size_t size = 0; size < image_.size(); size += size < 200 ? 1 : 37) {
        EXPECT_EQ(explore(image_.substr(0, size)), 0) << size << ": the superblock says how long it is";
    }
    // And with a superblock that lies about it.
    for (std::size_t size = metadata(); size < image_.size(); size += 53) {
        std::string cut = image_.substr(0, size);
        cut.resize(image_.size(), '\0');
        explore(cut);
    }
}

TEST_P(HostileSquashfs, BitFlips) {
    for (std::size_t at = 0; at < image_.size(); at += step(at)) {
        std::string bytes = image_;
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << (at * 5 % 8)));
        explore(bytes);
        if (HasFailure()) FAIL() << "byte " << at;
    }
}

TEST_P(HostileSquashfs, LargestAndSmallestValues) {
    for (std::size_t at = 0; at < image_.size(); at += 2 * step(at)) {
        for (const int value : {0x00, 0x7f, 0xff}) {
            std::string bytes = image_;
            for (std::size_t i = at; i < std::min(at + 4, bytes.size()); ++i) bytes[i] = static_cast<char>(value);
            explore(bytes);
        }
        if (HasFailure()) FAIL() << "byte " << at;
    }
}

TEST_P(HostileSquashfs, Garbage) {
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        std::string bytes = image_;
        const std::size_t at = metadata() + seed * 13 % (bytes.size() - metadata());
        const std::string garbage = noise(bytes.size() - at, seed + 1);
        bytes.replace(at, std::min<std::size_t>(garbage.size(), 50 + seed * 20), garbage, 0,
                      std::min<std::size_t>(garbage.size(), 50 + seed * 20));
        explore(bytes);
    }
}

// Uncompressed metadata is where a changed byte changes a number and not just a checksum.
INSTANTIATE_TEST_SUITE_P(Mksquashfs, HostileSquashfs,
                         ::testing::Values("-noI -noD -noF -no-xattrs", "-noI -noD -noF -noX", "-comp gzip", "-comp xz",
                                           "-comp lzo", "-comp lz4", "-comp zstd", "-comp lzma"));

class HostileSif : public ::testing::Test {
protected:
    void SetUp() override {
        SWRUN_NEED_TOOL("mksquashfs");
        SWRUN_NEED_TOOL("python3");
        make_small_tree(dir_ / "root");
        write_file(dir_ / "def", "Bootstrap: scratch\n");
        ASSERT_TRUE(make_squashfs(dir_ / "root", dir_ / "image"));
        const std::string script = std::string(SWRUN_SOURCE_DIR) + "/tests/support/make_sif.py";
        ASSERT_TRUE(run_command("python3 " + script + " --descriptors 4 --align 512 --label A=1 --deffile " +
                                (dir_ / "def") + " " + (dir_ / "image") + " " + (dir_ / "good.sif")));
        image_ = slurp(dir_ / "good.sif");
    }
    // Opens, reads every object, and looks into the root file system.
    bool try_image(const std::string& bytes) {
        const std::string path = dir_ / "bad.sif";
        write_file(path, bytes);
        auto image = open_image(path, "/", "amd64");
        if (!image) {
            EXPECT_FALSE(image.error().message.empty());
            return false;
        }
        if (image->sif) {
            for (const SifObject& object : image->sif->objects) {
                (void)read_sif_object(image->fd.get(), object, 1 << 20);
                (void)sif_type_name(object.type);
            }
        }
        if (image->facts.kind != ImageFacts::Kind::squashfs) return true;
        auto source = SquashSource::open(std::move(image->fd), image->facts.offset, image->facts.size);
        if (!source) return false;
        auto reader = SquashReader::open(std::move(source).value(), std::make_shared<BlockCache>(1 << 20));
        if (reader) (void)ImageView(*reader).read_text("/etc/passwd", 100);
        return true;
    }

    TempDir dir_;
    std::string image_;
};

TEST_F(HostileSif, EveryTruncation) {
    ASSERT_TRUE(try_image(image_));
    const std::size_t start = peak_memory();
    for (std::size_t size = 0; size < image_.size(); size += size < 300 ? 1 : 61) {
        EXPECT_FALSE(try_image(image_.substr(0, size)) && size + 4096 < image_.size()) << size;
    }
    EXPECT_LT(peak_memory() - start, kMemoryBound);
}

TEST_F(HostileSif, BitFlipsAndExtremes) {
    const std::size_t start = peak_memory();
    const auto sweep = [&](std::size_t from, std::size_t to) {
        for (std::size_t at = from; at < to; ++at) {
            std::string bytes = image_;
            bytes[at] = static_cast<char>(bytes[at] ^ (1 << (at % 8)));
            try_image(bytes);
            for (const int value : {0x00, 0x7f, 0x80, 0xff}) {
                bytes = image_;
                bytes[at] = static_cast<char>(value);
                try_image(bytes);
            }
        }
    };
    sweep(0, 128);
    for (std::size_t slot = 0; slot < 4; ++slot) {
        sweep(4096 + slot * 585, 4096 + slot * 585 + 75);
        sweep(4096 + slot * 585 + 201, 4096 + slot * 585 + 213);
    }
    EXPECT_LT(peak_memory() - start, kMemoryBound);
}

}  // namespace
}  // namespace swrun
