// What is known about users and about the namespaces of this host.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/namespaces.h"
#include "runtime/users.h"

namespace swrun {
namespace {

using testing::HasSubstr;
using testing::Not;

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

TEST(Users, ALineOfGroupById) {
    constexpr const char* kGroup = "root:x:0:\nbroken\nusers:x:100:u,v\nagain:x:100:\nshort:x:7";
    EXPECT_EQ(group_name_in(kGroup, 100), "users");
    EXPECT_EQ(group_name_in(kGroup, 7), "short");
    EXPECT_EQ(group_name_in(kGroup, 8), std::nullopt);
    EXPECT_EQ(group_name_in("", 0), std::nullopt);
}

TEST(Users, AnUnknownOneIsInvented) {
    constexpr uid_t kNobodyHasIt = 3999999937U;
    const UserFacts user = look_up_user(kNobodyHasIt, 55);
    EXPECT_EQ(user, (UserFacts{kNobodyHasIt, 55, "user3999999937", "", "/", "/bin/sh", false}));
}

TEST(Users, GroupsStartWithThePrimaryOneAndComeOnce) {
    constexpr gid_t kNobodyHasIt = 3999999937U;
    const std::vector<GroupFacts> groups = look_up_groups(kNobodyHasIt);
    ASSERT_FALSE(groups.empty());
    EXPECT_EQ(groups[0], (GroupFacts{kNobodyHasIt, ""}));
    for (std::size_t i = 0; i < groups.size(); ++i) {
        for (std::size_t k = 0; k < i; ++k) EXPECT_NE(groups[i].gid, groups[k].gid);
    }
    EXPECT_EQ(look_up_groups(::getgid())[0].gid, ::getgid());
}

TEST(NamespaceHints, SayWhatToAskFor) {
    for (const int err : {ENOSPC, EUSERS})
        EXPECT_THAT(user_namespace_hint(err), HasSubstr("user.max_user_namespaces")) << err;
    EXPECT_THAT(user_namespace_hint(EPERM), Not(HasSubstr("limit of user namespaces is reached")));
    EXPECT_THAT(user_namespace_hint(EPERM),
                testing::ContainsRegex("AppArmor|unprivileged_userns_clone|max_user_namespaces|seccomp"));
}

}  // namespace
}  // namespace swrun
