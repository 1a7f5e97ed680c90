#include "gpu/lib_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "source_dir.h"
#include "support/io.h"

namespace swrun {
namespace {

using testing::Contains;
using testing::ElementsAre;

TEST(LibList, ThreeKindsOfEntry) {
    const LibList list = parse_lib_list(
        "# comment\n"
        "  nvidia-smi \t\r\n"
        "\n"
        "libcuda.so\n"
        "  # indented comment libno.so\n"
        "libnvoptix.so.1\n"
        "/opt/driver/libextra.so.535\n"
        "/usr/share/icd.json\n"
        "bin/tool\n"
        "last");
    EXPECT_THAT(list.libraries, ElementsAre("libcuda.so", "libnvoptix.so.1", "/opt/driver/libextra.so.535"));
    EXPECT_THAT(list.files, ElementsAre("/usr/share/icd.json"));
    EXPECT_THAT(list.programs, ElementsAre("nvidia-smi", "last"));
}

TEST(LibList, EmptyText) { EXPECT_EQ(parse_lib_list(""), LibList{}); }

TEST(LibList, TheBuiltInListIsTheShippedFile) {
    const auto shipped = read_file(SWRUN_SOURCE_DIR "/share/nvliblist.conf", 1 << 20);
    ASSERT_TRUE(shipped) << format_error(shipped.error());
    EXPECT_EQ(std::string(default_nv_lib_list()), *shipped);
}

TEST(LibList, TheBuiltInListNamesWhatCudaNeeds) {
    const LibList list = parse_lib_list(default_nv_lib_list());
    EXPECT_THAT(list.libraries, Contains("libcuda.so"));
    EXPECT_THAT(list.libraries, Contains("libnvidia-ml.so"));
    EXPECT_THAT(list.libraries, Contains("libnvidia-ptxjitcompiler.so"));
    EXPECT_THAT(list.programs, Contains("nvidia-smi"));
    EXPECT_THAT(list.files, Contains("/usr/share/glvnd/egl_vendor.d/10_nvidia.json"));
    for (const std::string& program : list.programs) EXPECT_THAT(program, testing::StartsWith("nvidia-"));
}

TEST(MatchingLibraries, EveryNameWithThePrefixOnce) {
    const std::vector<LdCacheEntry> cache = {
        {"libcuda.so.1", "/64/libcuda.so.1"}, {"libcuda.so.1", "/32/libcuda.so.1"},
        {"libcuda.so", "/64/libcuda.so"},     {"libcudart.so.12", "/libcudart.so.12"},
        {"xlibcuda.so", "/xlibcuda.so"},      {"libcuda.so.1", "/other/libcuda.so.1"},
    };
    EXPECT_THAT(
        matching_libraries("libcuda.so", cache),
        ElementsAre(LibraryChoice{"libcuda.so.1", {"/64/libcuda.so.1", "/32/libcuda.so.1", "/other/libcuda.so.1"}},
                    LibraryChoice{"libcuda.so", {"/64/libcuda.so"}}));
    EXPECT_THAT(matching_libraries("libcuda.so.1", cache), testing::SizeIs(1));
    EXPECT_THAT(matching_libraries("libnone.so", cache), testing::IsEmpty());
}

TEST(MatchingLibraries, AFileForSomeProcessorsComesLast) {
    const std::vector<LdCacheEntry> cache = {
        {"libGL.so.1", "/v4/libGL.so.1", 0x0303, (std::uint64_t{1} << 62) + 1},
        {"libGL.so.1", "/v3/libGL.so.1", 0x0303, std::uint64_t{1} << 62},
        {"libGL.so.1", "/libGL.so.1", 0x0303, 0},
    };
    EXPECT_THAT(matching_libraries("libGL.so", cache),
                ElementsAre(LibraryChoice{"libGL.so.1", {"/libGL.so.1", "/v4/libGL.so.1", "/v3/libGL.so.1"}}));
}

}  // namespace
}  // namespace swrun
