// A folder of sample images, good and damaged, that a checkout may have beside it (SWRUN_SAMPLE_IMAGES); no tests without.
// Names that start with "bad-" and do not end in "-ok" are damaged; every other one must open and read.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "image/image_file.h"
#include "image/image_metadata.h"
#include "image/image_view.h"
#include "support/image_fixture.h"

namespace swrun {
namespace {

namespace fs = std::filesystem;

std::string samples() {
    if (const char* folder = std::getenv("SWRUN_SAMPLE_IMAGES")) return folder;
    return "";
}

// Reads all of it; the number of files, or -1 after a failure.
int read_everything(SquashReader& reader, const SquashNode& node, int depth = 0) {
    if (depth > 100) return -1;
    if (node.kind == SquashNode::Kind::symlink) return reader.read_link(node) ? 0 : -1;
    if (node.kind == SquashNode::Kind::file) {
        std::vector<std::byte> buffer(1 << 20);
        const std::uint64_t end = std::min<std::uint64_t>(node.size, 64 << 20);
        for (std::uint64_t at = 0; at < end; at += buffer.size()) {
            if (!reader.read(node, at, buffer)) return -1;
        }
        return 1;
    }
    if (node.kind != SquashNode::Kind::directory) return 0;
    const auto entries = reader.list(node, 0, 100000);
    if (!entries) return -1;
    int total = 0;
    bool failed = false;
    for (const SquashEntry& entry : *entries) {
        const auto child = reader.node(entry.id);
        const int count = child ? read_everything(reader, *child, depth + 1) : -1;
        failed = failed || count < 0;
        total += count;
    }
    return failed ? -1 : total;
}

int look_into(OpenedImage image) {
    auto source = SquashSource::open(std::move(image.fd), image.facts.offset, image.facts.size);
    if (!source) return -1;
    auto reader = SquashReader::open(std::move(source).value(), std::make_shared<BlockCache>(4 << 20));
    if (!reader) return -1;
    (void)read_tree_metadata(ImageView(*reader));
    const auto root = reader->root();
    return root ? read_everything(*reader, *root) : -1;
}

std::vector<std::string> sample_files() {
    std::vector<std::string> files;
    if (samples().empty()) return files;
    for (const auto& file : fs::directory_iterator(samples())) files.push_back(file.path().string());
    std::ranges::sort(files);
    return files;
}

class SampleImages : public testing::TestWithParam<std::string> {};

TEST_P(SampleImages, OpenAndReadOrFailCleanly) {
    const std::string name = fs::path(GetParam()).filename().string();
    const bool damaged = name.starts_with("bad-") && name.find("-ok.") == std::string::npos;
    const bool archive = name.ends_with(".tar.gz");
    auto image = open_image(GetParam(), "/", "");
    if (!image) {
        EXPECT_TRUE(damaged || archive) << image.error().message;
        EXPECT_FALSE(archive && image.error().message.find("not recognized") == std::string::npos);
        return;
    }
    if (image->facts.kind != ImageFacts::Kind::squashfs) return;
    const int files = look_into(std::move(image).value());
    if (!damaged) {
        EXPECT_GT(files, 0) << name;
    }
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(SampleImages);
INSTANTIATE_TEST_SUITE_P(Files, SampleImages, testing::ValuesIn(sample_files()));

}  // namespace
}  // namespace swrun
