#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mounts/bind_spec.h"

namespace swrun {
namespace {

const Origin kOption{Origin::Kind::argument, "--mount"};

struct Fields {
    std::string source;
    std::string target;
    bool read_only = false;
    bool required = true;
    bool nested = true;
};

BindSpec spec_of(const Fields& fields) {
    BindSpec spec;
    spec.source = fields.source;
    spec.target = fields.target;
    spec.read_only = fields.read_only;
    spec.required = fields.required;
    spec.nested = fields.nested;
    spec.origin = kOption;
    return spec;
}

struct Accepted {
    const char* value;
    std::vector<Fields> binds;
};

class MountAccepts : public testing::TestWithParam<Accepted> {};

TEST_P(MountAccepts, Value) {
    const auto parsed = parse_mount_spec(GetParam().value, kOption);
    ASSERT_TRUE(parsed) << format_error(parsed.error());
    ASSERT_EQ(parsed->size(), GetParam().binds.size());
    for (std::size_t i = 0; i < parsed->size(); ++i) EXPECT_EQ((*parsed)[i], spec_of(GetParam().binds[i])) << i;
}

INSTANTIATE_TEST_SUITE_P(
    Values, MountAccepts,
    testing::Values(Accepted{"type=bind,source=/a,destination=/b", {{"/a", "/b"}}},
                    Accepted{"src=/a,dst=/b", {{"/a", "/b"}}}, Accepted{"target=/b,src=a", {{"a", "/b"}}},
                    Accepted{"src=/a,dst=/b,ro", {{"/a", "/b", true}}},
                    Accepted{"readonly,src=/a,dst=/b", {{"/a", "/b", true}}},
                    Accepted{"src=/a,dst=/b,ro=true", {{"/a", "/b", true}}},
                    Accepted{"src=/a,dst=/b,ro=false", {{"/a", "/b", false}}},
                    Accepted{"src=/a,dst=/b,optional", {{"/a", "/b", false, false}}},
                    Accepted{"src=/a,dst=/b,nonested", {{"/a", "/b", false, true, false}}},
                    Accepted{"type=bind,\"source=/a,b\",dst=/x", {{"/a,b", "/x"}}},
                    Accepted{"\"source=/a\"\"b\",dst=/x", {{"/a\"b", "/x"}}},
                    Accepted{"source=/a:b^c\\,dst=/c:d", {{"/a:b^c\\", "/c:d"}}},
                    Accepted{"source=/a=b,dst=/c=", {{"/a=b", "/c="}}},
                    Accepted{"source=/a b,dst=/c d", {{"/a b", "/c d"}}}, Accepted{"source=/a, dst=/b", {{"/a", "/b"}}},
                    Accepted{"src=/a,dst=/b,src=/c", {{"/c", "/b"}}}, Accepted{"", {}},
                    Accepted{"src=/a,dst=/b\nsrc=/c,dst=/d,ro", {{"/a", "/b"}, {"/c", "/d", true}}},
                    Accepted{"\n  src=/a,dst=/b\r\n\n", {{"/a", "/b"}}},
                    Accepted{"\"src=/a\nb\",dst=/c\nsrc=/d,dst=/e", {{"/a\nb", "/c"}, {"/d", "/e"}}}));

struct Refused {
    const char* value;
    const char* message;
};

class MountRefuses : public testing::TestWithParam<Refused> {};

TEST_P(MountRefuses, Value) {
    const auto parsed = parse_mount_spec(GetParam().value, kOption);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().kind, Error::Kind::request);
    EXPECT_EQ(parsed.error().message, GetParam().message);
    EXPECT_THAT(parsed.error().context,
                testing::ElementsAre(std::string("parsing mount \"") + GetParam().value + '"', "reading --mount"));
}

INSTANTIATE_TEST_SUITE_P(
    Values, MountRefuses,
    testing::Values(
        Refused{"src=/a,dst=/b,rw", "invalid key \"rw\" in mount specification"},
        Refused{"src=/a,dst=/b,foo=1", "invalid key \"foo\" in mount specification"},
        Refused{"src=/a,dst=/b,", "invalid key \"\" in mount specification"},
        Refused{"SRC=/a,dst=/b", "invalid key \"SRC\" in mount specification"},
        Refused{"type=tmpfs,dst=/b", "unsupported mount type \"tmpfs\", only 'bind' is supported"},
        Refused{"type,src=/a,dst=/b", "unsupported mount type \"\", only 'bind' is supported"},
        Refused{"type=bind,dst=/b", "mounts must specify a source and a destination"},
        Refused{"type=bind,src=/a", "mounts must specify a source and a destination"},
        Refused{"src=,dst=/b", "mount source cannot be empty"},
        Refused{"src=/a,dst", "mount destination cannot be empty"},
        Refused{"src=/a,dst=b", "unable to add /a to mount list: destination must be an absolute path"},
        Refused{"src=/a,dst=/b,bind-propagation=shared", "bind-propagation not supported for individual mounts"},
        Refused{"src=/a,dst=/b,id=-1", "id must be the number of a SIF object"},
        Refused{"src=/a,dst=/b,id=4294967296", "id must be the number of a SIF object"},
        Refused{"src=/a,dst=/b,ro=maybe", "invalid value \"maybe\" of key \"ro\" in mount specification"},
        Refused{"src=\"/a,b\",dst=/x", "a quote is not closed, or stands inside a field that does not begin with one"},
        Refused{"\"src=/a,dst=/x", "a quote is not closed, or stands inside a field that does not begin with one"}));

TEST(Mount, TheErrorNamesTheRecordOfSeveral) {
    const auto parsed = parse_mount_spec("src=/a,dst=/b\nsrc=/c,dst=/d,rw", kOption);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().context[0], "parsing mount \"src=/c,dst=/d,rw\"");
    EXPECT_EQ(parsed.error().hint, "a mount is writable unless ro is given");
}

TEST(Mount, ANulByteIsRefused) {
    const auto parsed = parse_mount_spec(std::string_view("src=/a\0b,dst=/c", 15), kOption);
    ASSERT_FALSE(parsed);
    EXPECT_THAT(parsed.error().message, testing::HasSubstr("NUL"));
}

}  // namespace
}  // namespace swrun
