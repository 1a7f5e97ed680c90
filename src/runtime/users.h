// Users and groups of the host.  The passwd and group files are read first, without any library; an id
// that is not there (sssd, LDAP, winbind) is asked from NSS by swrun-tools, because the static launcher
// cannot load NSS modules (getpwnam in a static glibc program needs them as shared objects).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plan/host_facts.h"

namespace swrun {

// An unknown uid gives an invented user ("user1234", home "/", /bin/sh) with known = false.
[[nodiscard]] UserFacts look_up_user(uid_t uid, gid_t gid);

// Primary first, no gid twice; a gid without a name keeps an empty one.
[[nodiscard]] std::vector<GroupFacts> look_up_groups(gid_t primary);

// One line of passwd(5) or group(5) text by id; pure, for tests.
[[nodiscard]] std::optional<UserFacts> user_in_passwd(std::string_view text, uid_t uid);
[[nodiscard]] std::optional<std::string> group_name_in(std::string_view text, gid_t gid);

// The helper beside this executable or in ../libexec/swrun; empty when it is not installed.
[[nodiscard]] std::string find_tools();

}  // namespace swrun
