#include "unpack/survey.h"

#include "unpack_fixture.h"

namespace swrun {
namespace {

namespace fs = std::filesystem;

Result<Survey> survey_bytes(const std::string& bytes, Space room = plenty()) {
    SWRUN_TRY(OpenImage image, open_image_bytes(bytes));
    SWRUN_TRY(const SquashNode root, image.reader.root());
    return survey_tree(image.reader, root, room);
}

TEST(Survey, PagesLinksAndHoles) {
    SWRUN_NEED_TOOL("mksquashfs");
    const TempDir dir;
    const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    write_file(dir / "root/one", "x");
    write_file(dir / "root/empty", "");
    write_file(dir / "root/two", noise(page + 1, 1));
    fs::create_hard_link(dir / "root/two", dir / "root/again");
    fs::create_directory(dir / "root/dir");
    write_file(dir / "root/sparse", noise(131072, 2));
    fs::resize_file(dir / "root/sparse", 50 << 20);
    ASSERT_TRUE(make_squashfs(dir / "root", dir / "image"));
    const auto survey = survey_bytes(slurp(dir / "image"));
    ASSERT_TRUE(survey);
    EXPECT_TRUE(survey->complete);
    EXPECT_EQ(survey->entries, 5U);
    EXPECT_EQ(survey->bytes, page + 2 * page + page + 131072);
}

TEST(Survey, GivesUpFarBeyondTheRoom) {
    SWRUN_NEED_TOOL("mksquashfs");
    const TempDir dir;
    for (int i = 0; i < 100; ++i) write_file(dir / ("root/" + std::to_string(i)), noise(10000, 1));
    ASSERT_TRUE(make_squashfs(dir / "root", dir / "image"));
    const Space room{20000, UINT64_MAX};
    const auto survey = survey_bytes(slurp(dir / "image"), room);
    ASSERT_TRUE(survey);
    EXPECT_FALSE(survey->complete);
    EXPECT_LT(survey->entries, 100U);
    const Status refused = check_room(*survey, room, "in /DIR");
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("needs more than"), std::string::npos);
    EXPECT_NE(refused.error().message.find("in /DIR"), std::string::npos);
}

TEST(Survey, RoomIsEnoughOrNot) {
    Survey survey{1 << 20, 10, true};
    EXPECT_TRUE(check_room(survey, {(1 << 20) + 10 * kEntryBytes, 10}, ""));
    EXPECT_FALSE(check_room(survey, {(1 << 20) + 10 * kEntryBytes - 1, 10}, ""));
    EXPECT_FALSE(check_room(survey, {1 << 30, 9}, ""));
    EXPECT_FALSE(check_room({UINT64_MAX, UINT64_MAX / 2048, false}, {1 << 30, UINT64_MAX}, ""));
}

}  // namespace
}  // namespace swrun
