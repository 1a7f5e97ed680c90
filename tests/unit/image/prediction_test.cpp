// Which blocks a start will read, told from real programs of this host in a small image.
#include "image/prediction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "support/image_fixture.h"

namespace swrun {
namespace {

namespace fs = std::filesystem;

class PredictionTest : public testing::Test {
protected:
    void SetUp() override {
        SWRUN_NEED_TOOL("mksquashfs");
        const std::string root = dir_ / "root";
        fs::create_directories(root + "/bin");
        fs::create_directories(root + "/lib");
        fs::create_directories(root + "/etc");
        write_file(root + "/etc/ld.so.cache", noise(300000, 1));
        write_file(root + "/lib/other.so", noise(300000, 2));
        write_file(root + "/bin/script", "#! /bin/inner -x\necho\n");
        fs::create_symlink("program", root + "/bin/inner");
        const std::string source = dir_ / "p.c";
        write_file(source, "int main(void) { return 0; }\n");
        write_file(dir_ / "small", noise(400000, 6));
        write_file(dir_ / "l.s", ".section .rodata\n.incbin \"" + dir_ / "small" + "\"\n");
        const std::string make_library = "cc -shared -nostdlib -Wl,-soname,libsmall.so -o '" + root +
                                         "/lib/libsmall.so' '" + dir_ / "l.s" + "'";
        const std::string make_program = "cc -Wl,--no-as-needed -o '" + root + "/bin/program' '" + source + "' '" +
                                         root + "/lib/libsmall.so'";
        if (!run_command(make_library) || !run_command(make_program)) SWRUN_SKIP() << "no C compiler";
        write_file(dir_ / "constants", noise(500000, 3));
        write_file(dir_ / "variables", noise(500000, 4));
        write_file(source, "__asm__(\".section .rodata\\n.incbin \\\"" + dir_ / "constants" +
                               "\\\"\\n.data\\n.incbin \\\"" + dir_ / "variables" +
                               "\\\"\\n.text\\n\");\nint main(void) { return 0; }\n");
        if (!run_command("cc -o '" + root + "/bin/large' '" + source + "'")) SWRUN_SKIP() << "no assembler";
        write_file(root + "/bin/large_script", "#!/bin/large\n" + noise(300000, 5));
        for (const char* library : {"libc.so.6"}) {
            for (const char* where : {"/lib/x86_64-linux-gnu/", "/lib64/", "/lib/aarch64-linux-gnu/"}) {
                const std::string path = std::string(where) + library;
                if (fs::exists(path))
                    fs::copy_file(fs::canonical(path), root + "/lib/" + library, fs::copy_options::skip_existing);
            }
        }
        ASSERT_TRUE(make_squashfs(root, dir_ / "image", "-b 131072"));
        auto reader = open_squash_bytes(slurp(dir_ / "image"));
        ASSERT_TRUE(reader);
        reader_ = std::make_unique<SquashReader>(std::move(reader).value());
    }

    std::vector<BlockKey> predict(const std::vector<std::string>& programs,
                                  Prediction::Scope scope = Prediction::Scope::likely) {
        std::vector<BlockKey> found;
        const std::atomic<bool> go = false;
        mapped_.clear();
        Prediction(*reader_, go, scope,
                   {.found = [&](const PredictedBlock& block) { found.push_back(block.key); },
                    .program = [&](const std::string& path) { mapped_.push_back(path); }})
            .run({programs});
        return found;
    }
    BlockKey key(const std::string& path, std::uint64_t number) {
        const auto node = ImageView(*reader_).find(path);
        EXPECT_TRUE(node) << path;
        const auto key = reader_->key_of(*node, number);
        EXPECT_TRUE(key && *key) << path;
        return **key;
    }

    TempDir dir_;
    std::vector<std::string> mapped_;
    std::unique_ptr<SquashReader> reader_;
};

TEST_F(PredictionTest, OnlyWhatIsSureIsALittleOfWhatIsLikely) {
    const std::vector<BlockKey> likely = predict({"/bin/program"});
    const std::vector<BlockKey> sure = predict({"/bin/program"}, Prediction::Scope::sure);
    EXPECT_FALSE(sure.empty());
    EXPECT_LT(sure.size(), likely.size()) << "no C library is read from front to back";
    for (const BlockKey& block : sure) EXPECT_NE(std::ranges::find(likely, block), likely.end());
}

TEST_F(PredictionTest, ProgramLibraryAndCache) {
    const std::vector<BlockKey> found = predict({"/none/program", "/bin/program", "/bin/script"});
    ASSERT_FALSE(found.empty());
    EXPECT_EQ(found.front().position, key("/bin/program", 0).position) << "what is asked for first";
    EXPECT_THAT(found, testing::Contains(key("/lib/libc.so.6", 0)));
    EXPECT_THAT(found, testing::Contains(key("/etc/ld.so.cache", 1)));
    EXPECT_THAT(found, testing::Not(testing::Contains(key("/lib/other.so", 0)))) << "nobody needs it";
}

TEST_F(PredictionTest, InTheEndTheWholeOfALibraryOfUsualSize) {
    const std::vector<BlockKey> found = predict({"/bin/program"});
    const auto node = ImageView(*reader_).find("/lib/libsmall.so");
    ASSERT_TRUE(node);
    ASSERT_GT(node->size, 400000U);
    for (std::uint64_t at = 0; at < node->size; at += 131072) {
        EXPECT_EQ(std::count(found.begin(), found.end(), key("/lib/libsmall.so", at / 131072)), 1) << at;
    }
}

TEST_F(PredictionTest, AScriptLeadsToItsInterpreter) {
    EXPECT_THAT(predict({"/bin/script"}), testing::Contains(key("/lib/libc.so.6", 0)));
}

// Of a program that begins with much work, whoever names it.
TEST_F(PredictionTest, InTheEndTheWholeOfALargeProgram) {
    for (const std::string name : {"/bin/large", "/bin/large_script"}) {
        const std::vector<BlockKey> found = predict({name});
        const auto node = ImageView(*reader_).find("/bin/large");
        ASSERT_TRUE(node);
        EXPECT_THAT(mapped_, testing::ElementsAre("/bin/large"));
        for (std::uint64_t number = 0; number * 131072 < node->size; ++number) {
            EXPECT_EQ(std::count(found.begin(), found.end(), key("/bin/large", number)), 1) << name << number;
        }
    }
    EXPECT_THAT(predict({"/bin/large_script"}), testing::Contains(key("/bin/large_script", 2)))
        << "a script may carry a load";
}

TEST_F(PredictionTest, NothingIsFoundOfNothing) {
    EXPECT_THAT(predict({}), testing::IsEmpty());
    EXPECT_THAT(predict({"/bin", "/etc/none", "relative"}), testing::IsEmpty());
}

}  // namespace
}  // namespace swrun
