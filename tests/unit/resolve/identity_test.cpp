#include "resolve/identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace swrun {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

UserFacts user(uid_t uid = 1234, gid_t gid = 1234) {
    UserFacts facts;
    facts.uid = uid;
    facts.gid = gid;
    facts.name = "u";
    facts.gecos = "Some User";
    facts.home = "/home/u";
    facts.shell = "/bin/bash";
    return facts;
}

constexpr const char* kOwnLine = "u:x:1234:1234:Some User:/inside:/bin/bash\n";

void expect_passwd(const std::string& image, const std::string& expected, const UserFacts& facts = user()) {
    const IdentityFile file = passwd_with_user(image, facts, "/inside");
    ASSERT_TRUE(file.text) << (file.notes.empty() ? "" : file.notes[0].text);
    EXPECT_EQ(*file.text, expected);
    EXPECT_THAT(file.notes, IsEmpty());
}

TEST(Passwd, AnUnknownUserIsAppended) {
    expect_passwd("root:x:0:0:root:/root:/bin/sh\n", std::string("root:x:0:0:root:/root:/bin/sh\n") + kOwnLine);
    expect_passwd("", kOwnLine);
}

TEST(Passwd, AMissingFinalNewlineIsAdded) {
    expect_passwd("last:x:9:9::/:/bin/sh", std::string("last:x:9:9::/:/bin/sh\n") + kOwnLine);
    expect_passwd("o:x:1234:555:g:/h:/bin/imgsh", "u:x:1234:555:Some User:/inside:/bin/imgsh\n");
}

TEST(Passwd, AKnownUidKeepsTheImagesGroupAndShell) {
    expect_passwd("root:x:0:0:root:/root:/bin/sh\nother:x:1234:555:gecos:/imghome:/bin/imgsh\nlast:x:9:9::/:/x\n",
                  "root:x:0:0:root:/root:/bin/sh\nu:x:1234:555:Some User:/inside:/bin/imgsh\nlast:x:9:9::/:/x\n");
}

TEST(Passwd, OnlyTheFirstLineOfAUidIsReplaced) {
    expect_passwd("a:x:1234:1::/a:/sh\nb:x:1234:2::/b:/sh\n", "u:x:1234:1:Some User:/inside:/sh\nb:x:1234:2::/b:/sh\n");
}

TEST(Passwd, RootKeepsNameAndGecosOfTheImage) {
    expect_passwd("admin:x:0:5:The Admin:/root:/bin/sh\n", "admin:x:0:5:The Admin:/inside:/bin/sh\n", user(0, 0));
    expect_passwd("a:x:1:1::/:/sh\n", "a:x:1:1::/:/sh\nu:x:0:0:Some User:/inside:/bin/bash\n", user(0, 0));
}

TEST(Passwd, LinesThatCarryNoUserStay) {
    const std::string image = "# local users\n\n  \n+::::::\n-bad\n+nis:x:1234:1::/:/sh\n";
    expect_passwd(image, image + kOwnLine);
}

TEST(Passwd, EmptyFieldsAreNoDamage) { expect_passwd("a::5:6:::\n", std::string("a::5:6:::\n") + kOwnLine); }

TEST(Passwd, AMalformedLineMeansNoUpdate) {
    for (const char* line : {"nocolons", "a:x:1:1::/", "a:x:1:1::/:/sh:more", "a:x:one:1::/:/sh", "a:x:1:::/:/sh",
                             "a:x:-1:1::/:/sh", "a:x:4294967296:1::/:/sh", "a:x: 1:1::/:/sh"}) {
        const IdentityFile file = passwd_with_user(std::string("root:x:0:0::/:/sh\n") + line + "\n", user(), "/inside");
        EXPECT_FALSE(file.text) << line;
        ASSERT_EQ(file.notes.size(), 1U) << line;
        EXPECT_EQ(file.notes[0].level, Level::warning);
        EXPECT_THAT(file.notes[0].text, HasSubstr(line));
    }
}

TEST(Passwd, AMissingFileIsAWarning) {
    const IdentityFile file = passwd_with_user(std::nullopt, user(), "/inside");
    EXPECT_FALSE(file.text);
    EXPECT_THAT(file.notes, ElementsAre(Note{Level::warning, "passwd file doesn't exist in container, not updating"}));
}

TEST(Passwd, FieldsCannotMakeNewFieldsOrLines) {
    UserFacts facts = user();
    facts.gecos = "Room: 5\nroot2:x:0:0";
    expect_passwd("", "u:x:1234:1234:Room  5 root2 x 0 0:/inside:/bin/bash\n", facts);
}

TEST(Passwd, NumbersAboveTwoToTheThirtyOne) {
    expect_passwd("", "u:x:4294967294:3000000000:Some User:/inside:/bin/bash\n", user(4294967294U, 3000000000U));
}

const std::vector<GroupFacts> kGroups = {{1234, "u"}, {20, "dialout"}, {7777, ""}, {24, "cdrom"}};

TEST(Group, NamedGroupsAreAppendedPrimaryFirst) {
    const IdentityFile file = group_with_user("root:x:0:\n", kGroups, "u");
    EXPECT_EQ(file.text, "root:x:0:\nu:x:1234:u\ndialout:x:20:u\ncdrom:x:24:u\n");
    EXPECT_THAT(file.notes, IsEmpty());
}

TEST(Group, AMissingFinalNewlineIsAdded) {
    EXPECT_EQ(group_with_user("root:x:0:", {{5, "g"}}, "u").text, "root:x:0:\ng:x:5:u\n");
    EXPECT_EQ(group_with_user("root:x:0:", {}, "u").text, "root:x:0:\n");
    EXPECT_EQ(group_with_user("", {{5, "g"}}, "u").text, "g:x:5:u\n");
}

TEST(Group, TheImagesLineOfTheSameGroupStays) {
    EXPECT_EQ(group_with_user("dialout:x:20:\n", {{20, "dialout"}}, "u").text, "dialout:x:20:\ndialout:x:20:u\n");
}

TEST(Group, AGroupIsAddedOnce) {
    EXPECT_EQ(group_with_user("", {{5, "g"}, {6, "h"}, {5, "g"}}, "u").text, "g:x:5:u\nh:x:6:u\n");
}

TEST(Group, AnUnknownPrimaryGroupIsLeftOut) {
    EXPECT_EQ(group_with_user("a:x:1:\n", {{1234, ""}}, "u").text, "a:x:1:\n");
}

TEST(Group, AMissingFileIsAWarning) {
    const IdentityFile file = group_with_user(std::nullopt, kGroups, "u");
    EXPECT_FALSE(file.text);
    EXPECT_THAT(file.notes, ElementsAre(Note{Level::warning, "group file doesn't exist in container, not updating"}));
}

TEST(Hostname, Valid) {
    for (const std::string& name :
         {std::string("a"), std::string("MyHost"), std::string("node-1.cluster.fi"), std::string("0"),
          std::string("a--b"), std::string(63, 'a'), std::string(31, 'a') + "." + std::string(32, 'b')}) {
        EXPECT_TRUE(hostname_valid(name)) << name;
    }
}

TEST(Hostname, Invalid) {
    for (const std::string& name :
         {std::string(""), std::string("foo_bar"), std::string("bad host"), std::string("-a"), std::string("a-"),
          std::string("a..b"), std::string(".a"), std::string("a."), std::string("a.-b"), std::string("ä"),
          std::string("a\n"), std::string(64, 'a'), std::string(32, 'a') + "." + std::string(32, 'b')}) {
        EXPECT_FALSE(hostname_valid(name)) << name;
    }
}

TEST(Hostname, TheFileIsOneLine) {
    EXPECT_EQ(*hostname_file("myhost"), "myhost\n");
    const auto bad = hostname_file("foo_bar");
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().message, "foo_bar is not a valid hostname");
    EXPECT_EQ(bad.error().kind, Error::Kind::request);
}

TEST(Hosts, OwnNetworkKnowsOnlyItself) {
    EXPECT_EQ(hosts_for_own_network(),
              "127.0.0.1   localhost\n"
              "::1         localhost ip6-localhost ip6-loopback\n"
              "ff02::1     ip6-allnodes\n"
              "ff02::2     ip6-allrouters\n");
}

TEST(Dns, OneLinePerAddress) {
    EXPECT_EQ(*resolv_conf_for_dns("8.8.8.8"), "nameserver 8.8.8.8\n");
    EXPECT_EQ(*resolv_conf_for_dns(" 1.1.1.1 , 2001:db8::1,"), "nameserver 1.1.1.1\nnameserver 2001:db8::1\n");
}

TEST(Dns, Addresses) {
    for (const char* address : {"0.0.0.0", "255.255.255.255", "::", "::1", "fe80::1", "1:2:3:4:5:6:7:8", "1::8",
                                "1:2:3:4:5:6:7::", "::ffff:1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "ABCD:ef01::"}) {
        EXPECT_TRUE(resolv_conf_for_dns(address)) << address;
    }
}

TEST(Dns, NoAddresses) {
    for (const char* address : {"foo",
                                "1.2.3",
                                "1.2.3.4.5",
                                "256.1.1.1",
                                "1.2.3.",
                                "01.2.3.4",
                                "1.2.3.-4",
                                "1.2.3.4\n",
                                ":",
                                ":::",
                                "1::2::3",
                                "1:2:3:4:5:6:7",
                                "1:2:3:4:5:6:7:8:9",
                                "1:2:3:4:5:6:7::8",
                                "12345::",
                                "g::",
                                "1:",
                                ":1",
                                "fe80::1%eth0",
                                "1.2.3.4::",
                                "::1.2.3",
                                "1.2.3.4:1:2:3:4:5:6"}) {
        const auto text = resolv_conf_for_dns(address);
        ASSERT_FALSE(text) << address;
        EXPECT_THAT(text.error().message, testing::EndsWith("is not a valid IP address"));
    }
}

TEST(Dns, TheErrorNamesTheAddress) {
    EXPECT_EQ(resolv_conf_for_dns("8.8.8.8,foo").error().message, "dns ip foo is not a valid IP address");
    EXPECT_EQ(resolv_conf_for_dns(" , ").error().kind, Error::Kind::request);
}

}  // namespace
}  // namespace swrun
