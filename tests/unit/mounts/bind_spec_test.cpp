#include "mounts/bind_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <random>

namespace swrun {

void PrintTo(const BindSpec& bind, std::ostream* out) {
    *out << '[' << bind.source << "]->[" << bind.target << ']' << (bind.read_only ? " ro" : "")
         << (bind.required ? "" : " optional") << (bind.recursive ? "" : " flat") << (bind.nested ? "" : " nonested");
}

namespace {

using testing::HasSubstr;

const Origin kOption{Origin::Kind::argument, "--bind"};

BindSpec bind(std::string source, std::string target, bool read_only = false, bool required = true) {
    BindSpec spec;
    spec.source = std::move(source);
    spec.target = std::move(target);
    spec.read_only = read_only;
    spec.required = required;
    spec.origin = kOption;
    return spec;
}

struct Accepted {
    const char* value;
    std::vector<BindSpec> binds;
};

class BindListAccepts : public testing::TestWithParam<Accepted> {};

TEST_P(BindListAccepts, Value) {
    const auto parsed = parse_bind_list(GetParam().value, kOption);
    ASSERT_TRUE(parsed) << format_error(parsed.error());
    EXPECT_EQ(*parsed, GetParam().binds);
}

INSTANTIATE_TEST_SUITE_P(Parts, BindListAccepts,
                         testing::Values(Accepted{"/a:/b", {bind("/a", "/b")}}, Accepted{"/a", {bind("/a", "/a")}},
                                         Accepted{"a:/b", {bind("a", "/b")}}, Accepted{".:/b", {bind(".", "/b")}},
                                         Accepted{"sub/dir", {bind("sub/dir", "sub/dir")}},
                                         Accepted{"/a:/b:ro", {bind("/a", "/b", true)}},
                                         Accepted{"/a:/b:rw", {bind("/a", "/b")}},
                                         Accepted{"/a:/b:ro,rw", {bind("/a", "/b", true)}},
                                         Accepted{"/a:/b:rw,ro", {bind("/a", "/b", true)}},
                                         Accepted{"/a:/b:optional", {bind("/a", "/b", false, false)}},
                                         Accepted{"/a:/b:optional,ro", {bind("/a", "/b", true, false)}}));

INSTANTIATE_TEST_SUITE_P(
    Lists, BindListAccepts,
    testing::Values(Accepted{"", {}}, Accepted{"  ", {}}, Accepted{",,", {}}, Accepted{"/a:/b,,", {bind("/a", "/b")}},
                    Accepted{",/a:/b", {bind("/a", "/b")}}, Accepted{"/a,/b", {bind("/a", "/a"), bind("/b", "/b")}},
                    Accepted{"/a:/b:ro,/c:/d", {bind("/a", "/b", true), bind("/c", "/d")}},
                    Accepted{"/a:/b:ro,rw,/c", {bind("/a", "/b", true), bind("/c", "/c")}},
                    Accepted{"/a:/b:rw,,ro", {bind("/a", "/b", true)}},
                    Accepted{"/a:/b:ro,rock", {bind("/a", "/b", true), bind("rock", "rock")}},
                    Accepted{" /a : /b : ro , rw , /c ", {bind("/a", "/b", true), bind("/c", "/c")}}));

// A word before a colon is a source, even one that looks like an option.
INSTANTIATE_TEST_SUITE_P(OptionsAsNames, BindListAccepts,
                         testing::Values(Accepted{"ro:/b", {bind("ro", "/b")}},
                                         Accepted{"/a:/b,rw:/c", {bind("/a", "/b"), bind("rw", "/c")}},
                                         Accepted{"/a:/b:ro,ro:/c", {bind("/a", "/b", true), bind("ro", "/c")}},
                                         Accepted{"./ro", {bind("./ro", "./ro")}},
                                         Accepted{"/a:/ro", {bind("/a", "/ro")}}));

INSTANTIATE_TEST_SUITE_P(
    Characters, BindListAccepts,
    testing::Values(Accepted{"/a b:/x y", {bind("/a b", "/x y")}}, Accepted{"/a^b:/m", {bind("/a^b", "/m")}},
                    Accepted{"/ääkkö:/ö", {bind("/ääkkö", "/ö")}}, Accepted{"/a\"b':/c", {bind("/a\"b'", "/c")}},
                    Accepted{R"(/a\,b:/m)", {bind("/a,b", "/m")}}, Accepted{R"(/a\:b:/m)", {bind("/a:b", "/m")}},
                    Accepted{R"(/a\:b)", {bind("/a:b", "/a:b")}},
                    Accepted{R"(/a\,b,/c)", {bind("/a,b", "/a,b"), bind("/c", "/c")}},
                    Accepted{R"(/a:/b\,ro)", {bind("/a", "/b,ro")}},
                    Accepted{R"(/a:/b\:c:ro)", {bind("/a", "/b:c", true)}},
                    Accepted{R"(/a\b:/m)", {bind("/a\\b", "/m")}}, Accepted{R"(/a\\b:/m)", {bind("/a\\\\b", "/m")}},
                    Accepted{R"(/a\\:/m)", {bind("/a\\", "/m")}}, Accepted{R"(/a\\\:b:/m)", {bind("/a\\:b", "/m")}},
                    Accepted{R"(/a:/m\)", {bind("/a", "/m\\")}}, Accepted{"/\xff\xfe:/m", {bind("/\xff\xfe", "/m")}}));

struct Refused {
    const char* value;
    const char* message;  // part of the first line
    const char* marked;   // what the caret line covers, with the blanks before it
};

class BindListRefuses : public testing::TestWithParam<Refused> {};

TEST_P(BindListRefuses, Value) {
    const auto parsed = parse_bind_list(GetParam().value, kOption);
    ASSERT_FALSE(parsed);
    const Error& error = parsed.error();
    EXPECT_EQ(error.kind, Error::Kind::request);
    EXPECT_EQ(exit_code(error), 255);
    EXPECT_THAT(error.message, HasSubstr(GetParam().message));
    EXPECT_THAT(error.message,
                testing::EndsWith(std::string("\n    ") + GetParam().value + "\n    " + GetParam().marked));
    EXPECT_THAT(error.context, testing::ElementsAre("parsing the bind paths of --bind"));
}

INSTANTIATE_TEST_SUITE_P(
    Values, BindListRefuses,
    testing::Values(
        Refused{"/a:/b,ro", "misplaced bind option ro", "      ^~"},
        Refused{"/a,ro", "misplaced bind option ro", "   ^~"}, Refused{"ro", "misplaced bind option ro", "^~"},
        Refused{"/a,rw", "misplaced bind option rw", "   ^~"}, Refused{"rw,/a:/b", "misplaced bind option rw", "^~"},
        Refused{"/a:/b,optional", "misplaced bind option optional", "      ^~~~~~~~"},
        Refused{"/a:/b,id=3", "misplaced bind option id=3", "      ^~~~"},
        Refused{"/a:/b:ro,/c,ro", "misplaced bind option ro", "            ^~"},
        Refused{"/a:/b,,ro", "misplaced bind option ro", "       ^~"}, Refused{":/b", "empty bind source", "^"},
        Refused{" :/b", "empty bind source", "^"}, Refused{"/a,:/b", "empty bind source", "   ^"},
        Refused{":", "empty bind source", "^"}, Refused{"/a:", "empty bind destination", "   ^"},
        Refused{"/a::ro", "empty bind destination", "   ^"},
        Refused{"/a:b", "unable to add /a to mount list: destination must be an absolute path", "   ^"},
        Refused{"/ä:./mnt", "destination must be an absolute path", "   ^~~~~"},
        Refused{"/a:ro", "destination must be an absolute path", "   ^~"},
        Refused{"/a:/b:rx", "rx is not a valid bind option", "      ^~"},
        Refused{"/a:/b:/c", "/c is not a valid bind option", "      ^~"},
        Refused{"/a:/b:RO", "RO is not a valid bind option", "      ^~"},
        Refused{"/a:/b:", "\"\" is not a valid bind option", "      ^"},
        Refused{"/a:/b:ro:x", "too many colons", "         ^"}, Refused{"/a:/b:ro:", "too many colons", "         ^"},
        Refused{"/a:/b:ro,rw:x", "unable to add rw to mount list", "            ^"},
        Refused{"/a:/b:id=x", "id must be the number of a SIF object", "      ^~~~"},
        Refused{"/a:/b:ro,id=0", "id must be the number of a SIF object", "         ^~~~"}));

TEST(BindList, HintsSayHowToWriteIt) {
    EXPECT_EQ(parse_bind_list("/a:/b,ro", kOption).error().hint,
              "write SRC:DST:ro; for a file of that name write ./ro");
    EXPECT_THAT(parse_bind_list("/a:/b:x", kOption).error().hint, HasSubstr("ro, rw, optional"));
    EXPECT_THAT(parse_bind_list("/a:/b:ro:x", kOption).error().hint, HasSubstr("\\:"));
}

TEST(BindList, ANulByteIsRefusedBeforeItCanCutAPath) {
    const auto parsed = parse_bind_list(std::string_view("/a\0b:/c", 7), kOption);
    ASSERT_FALSE(parsed);
    EXPECT_THAT(parsed.error().message, HasSubstr("NUL"));
}

TEST(BindList, UnprintableBytesDoNotReachTheTerminal) {
    const auto parsed = parse_bind_list("/a\033[2J:b", kOption);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().message.find('\033'), std::string::npos);
}

TEST(BindList, EveryBindKnowsWhoAskedForIt) {
    const Origin variable{Origin::Kind::variable, "SINGULARITY_BIND"};
    const auto parsed = parse_bind_list("/a,/b", variable);
    ASSERT_TRUE(parsed);
    EXPECT_EQ((*parsed)[1].origin, variable);
    EXPECT_THAT(parse_bind_list("ro", variable).error().context[0], HasSubstr("variable SINGULARITY_BIND"));
}

TEST(BindToText, WritesTheShortestForm) {
    EXPECT_EQ(to_text(bind("/a", "/a")), "/a");
    EXPECT_EQ(to_text(bind("/a", "/a", true)), "/a:/a:ro");
    EXPECT_EQ(to_text(bind("/a,b:c", "/d", true, false)), "/a\\,b\\:c:/d:ro,optional");
    EXPECT_EQ(to_text(bind("/a\\b", "/c\\d")), "/a\\b:/c\\d");
    EXPECT_EQ(to_text(bind("/a\\", "/a\\")), "/a\\\\,");
    EXPECT_EQ(to_text(bind("/a\\", "/c\\", true)), "/a\\\\:/c\\\\:ro");
}

// Names made of the characters that matter to the grammar.
std::string random_path(std::mt19937& random, bool absolute) {
    constexpr std::string_view kAlphabet = "\\\\\\,,::^ro/=\"' .";
    std::uniform_int_distribution<std::size_t> length(1, 8);
    std::uniform_int_distribution<std::size_t> letter(0, kAlphabet.size() - 1);
    std::string path = absolute ? "/" : "";
    for (std::size_t left = length(random); left > 0; --left) path.push_back(kAlphabet[letter(random)]);
    if (path.front() == ' ') path.front() = 'x';
    if (path.back() == ' ') path.back() = 'x';
    return path;
}

TEST(BindToText, IsReadBackAsTheSameList) {
    std::mt19937 random(20240229);
    for (int round = 0; round < 20000; ++round) {
        std::vector<BindSpec> binds;
        std::string text;
        for (int i = 0; i < 3; ++i) {
            binds.push_back(
                bind(random_path(random, false), random_path(random, true), random() % 2 == 0, random() % 2 == 0));
            text.append(i > 0 ? "," : "").append(to_text(binds.back()));
        }
        const auto parsed = parse_bind_list(text, kOption);
        ASSERT_TRUE(parsed) << text << '\n' << format_error(parsed.error());
        ASSERT_EQ(*parsed, binds) << text;
    }
}

// Whatever is accepted can be written and read back; nothing makes the parser crash or loop.
TEST(BindList, AnyTextIsRefusedOrReadBackEqual) {
    constexpr std::string_view kAlphabet = "//a\\,:^ \trow=\"id\xc3\xa4";
    std::mt19937 random(7);
    std::uniform_int_distribution<std::size_t> letter(0, kAlphabet.size() - 1);
    int accepted = 0;
    for (int round = 0; round < 50000; ++round) {
        std::string text;
        for (std::size_t left = random() % 14; left > 0; --left) text.push_back(kAlphabet[letter(random)]);
        const auto parsed = parse_bind_list(text, kOption);
        if (!parsed) continue;
        for (const BindSpec& spec : *parsed) {
            ++accepted;
            const auto again = parse_bind_list(to_text(spec), kOption);
            ASSERT_TRUE(again) << '[' << text << "] [" << to_text(spec) << ']';
            ASSERT_EQ(*again, std::vector<BindSpec>{spec}) << '[' << text << ']';
        }
    }
    EXPECT_GT(accepted, 1000);
}

TEST(BindList, ALongListIsReadInFull) {
    std::string value;
    for (int i = 0; i < 1000; ++i) value += "/src" + std::to_string(i) + ":/dst" + std::to_string(i) + ":ro,";
    const auto parsed = parse_bind_list(value, kOption);
    ASSERT_TRUE(parsed);
    ASSERT_EQ(parsed->size(), 1000U);
    EXPECT_EQ(parsed->back(), bind("/src999", "/dst999", true));
}

TEST(Home, SourceAndTarget) {
    EXPECT_EQ(*parse_home("/a"), (HomeSpec{"/a", ""}));
    EXPECT_EQ(*parse_home("h:/home/me"), (HomeSpec{"h", "/home/me"}));
    EXPECT_EQ(*parse_home("/a:/"), (HomeSpec{"/a", "/"}));
    EXPECT_EQ(*parse_home("/a:"), (HomeSpec{"/a", ""}));
    EXPECT_EQ(*parse_home("/a,b:/c d"), (HomeSpec{"/a,b", "/c d"}));
}

TEST(Home, Refusals) {
    EXPECT_EQ(parse_home("/a:/b:/c").error().message, "home argument has incorrect number of elements: 3");
    EXPECT_EQ(parse_home("a:b:c:d").error().message, "home argument has incorrect number of elements: 4");
    EXPECT_EQ(parse_home("/a:b").error().message, "failed to add /a as home directory: path b is not an absolute path");
    EXPECT_THAT(parse_home("").error().message, HasSubstr("empty source"));
    EXPECT_THAT(parse_home(":/b").error().message, HasSubstr("empty source"));
    EXPECT_THAT(parse_home(std::string_view("/a\0b", 4)).error().message, HasSubstr("NUL"));
    EXPECT_EQ(exit_code(parse_home("a:b:c").error()), 255);
}

TEST(BindFromImage, TakesAPathAndAnObject) {
    const auto parsed = parse_bind_list("/i.sif:/data:id=4,image-src=/set", kOption);
    ASSERT_TRUE(parsed) << format_error(parsed.error());
    BindSpec wanted = bind("/i.sif", "/data");
    wanted.from_image = true;
    wanted.image_path = "/set";
    wanted.image_id = 4;
    EXPECT_EQ(*parsed, std::vector<BindSpec>{wanted});
    EXPECT_EQ(*parse_bind_list(to_text(wanted), kOption), std::vector<BindSpec>{wanted});
}

}  // namespace
}  // namespace swrun
