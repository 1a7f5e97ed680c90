// What is known about the caller.
#include <gtest/gtest.h>
#include <unistd.h>

#include "runtime/users.h"

namespace swrun {
namespace {

constexpr const char* kPasswd =
    "# comment\nroot:x:0:0:root:/root:/bin/bash\nbroken:x:1000\n+nis::::::\n"
    "u:x:1000:100:Some User,,,:/home/u:/bin/zsh\nsecond:x:1000:5:::\nbig:x:4294967294:1:::/bin/sh";

TEST(Users, ALineOfPasswdById) {
    const std::optional<UserFacts> user = user_in_passwd(kPasswd, 1000);
    ASSERT_TRUE(user);
    EXPECT_EQ(*user, (UserFacts{1000, 100, "u", "Some User,,,", "/home/u", "/bin/zsh", true}))
        << "the first one counts";
    EXPECT_EQ(user_in_passwd(kPasswd, 4294967294U)->name, "big") << "no final newline";
    EXPECT_EQ(user_in_passwd(kPasswd, 0)->home, "/root");
}

TEST(Users, WhatIsNotThere) {
    EXPECT_FALSE(user_in_passwd(kPasswd, 1));
    EXPECT_FALSE(user_in_passwd("", 0));
    for (const char* line : {"u:x::1:::", "u:x:-1:1:::", "u:x: 7:1:::", "u:x:7x:1:::", "u:x:7:1::", "u:x:7:1::::"}) {
        EXPECT_FALSE(user_in_passwd(line, 7)) << line;
        EXPECT_FALSE(user_in_passwd(line, 0)) << line;
    }
}

std::vector<GroupFacts> named(std::string_view text, std::vector<GroupFacts> groups) {
    name_groups(text, groups);
    return groups;
}

TEST(Users, GroupsAreNamedById) {
    constexpr const char* kGroup = "root:x:0:\nbroken\nusers:x:100:u,v\nagain:x:100:\nshort:x:7\nodd:x:x:\n";
    EXPECT_EQ(named(kGroup, {{100, ""}, {7, ""}, {8, ""}, {0, "mine"}}),
              (std::vector<GroupFacts>{{100, "users"}, {7, "short"}, {8, ""}, {0, "mine"}}));
    EXPECT_EQ(named("", {{0, ""}}), (std::vector<GroupFacts>{{0, ""}}));
    EXPECT_EQ(named("a:x:5:\nb:x:5:\n", {{5, ""}}), (std::vector<GroupFacts>{{5, "a"}})) << "the first one counts";
}

NameServices beyond(std::string_view text, bool with_userdb = false) {
    return services_beyond_files(text, "group", with_userdb);
}

TEST(NameServices, WhoIsAskedBeyondTheFiles) {
    EXPECT_EQ(beyond("passwd: ldap\ngroup: files\n"), (NameServices{false, ""}));
    EXPECT_EQ(beyond("group:\tfiles systemd # comment\n"), (NameServices{false, ""}));
    EXPECT_EQ(beyond("group: files systemd", true), (NameServices{true, "systemd"}));
    EXPECT_EQ(beyond("group: sss files  ldap"), (NameServices{true, "sss ldap"}));
    EXPECT_EQ(beyond("  group : compat"), (NameServices{true, "compat"}));
}

TEST(NameServices, WhatIsNotUnderstoodIsAskedAsConfigured) {
    for (const char* text : {"", "group: files [NOTFOUND=return] ldap", "group: files [SUCCESS=merge] systemd",
                             "#group: files\n", "groups: files\n", "group files\n"}) {
        EXPECT_EQ(beyond(text), (NameServices{true, ""})) << text;
    }
}

TEST(Users, AnUnknownOneIsInvented) {
    constexpr uid_t kNobodyHasIt = 3999999937U;
    const Caller caller = look_up_caller(kNobodyHasIt, 55);
    EXPECT_EQ(caller.user, (UserFacts{kNobodyHasIt, 55, "user3999999937", "", "/", "/bin/sh", false}));
}

TEST(Users, GroupsStartWithThePrimaryOneAndComeOnce) {
    constexpr gid_t kNobodyHasIt = 3999999937U;
    const std::vector<GroupFacts> groups = look_up_caller(::getuid(), kNobodyHasIt).groups;
    ASSERT_FALSE(groups.empty());
    EXPECT_EQ(groups[0], (GroupFacts{kNobodyHasIt, ""}));
    for (std::size_t i = 0; i < groups.size(); ++i) {
        for (std::size_t k = 0; k < i; ++k) EXPECT_NE(groups[i].gid, groups[k].gid);
    }
    EXPECT_EQ(look_up_caller(::getuid(), ::getgid()).groups[0].gid, ::getgid());
}

}  // namespace
}  // namespace swrun
