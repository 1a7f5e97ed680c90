// Users and groups of the host.  The passwd and group files are read first, without any library; what is
// not there (sssd, LDAP, winbind) is asked from NSS by swrun-tools, because the static launcher cannot load
// NSS modules (getpwnam in a static glibc program needs them as shared objects): all ids in one call, for its
// start costs more than its answers, and none where NSS knows nothing but the files (nsswitch.conf(5)).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plan/host_facts.h"

namespace swrun {

struct Caller {
    UserFacts user;                  // an unknown uid is invented ("user1234", home "/", /bin/sh) with known = false
    std::vector<GroupFacts> groups;  // primary first, no gid twice; a gid without a name keeps an empty one

    friend bool operator==(const Caller&, const Caller&) = default;
};

[[nodiscard]] Caller look_up_caller(uid_t uid, gid_t gid);

// ---- what it is made of, pure, for tests

// One line of passwd(5) text by id.
[[nodiscard]] std::optional<UserFacts> user_in_passwd(std::string_view text, uid_t uid);

// Names those that have none yet by the lines of group(5) text; of several lines for one gid the first counts.
void name_groups(std::string_view text, std::vector<GroupFacts>& groups);

// Who is to be asked beyond the files, by the text of nsswitch.conf.
struct NameServices {
    bool any = true;       // false: whatever the files lack, nobody has
    std::string services;  // to ask, as that file writes them; empty: all that it names, in its own order

    friend bool operator==(const NameServices&, const NameServices&) = default;
};

// `database`: "passwd" or "group".  `with_userdb`: the host has records for systemd's service, nss-systemd(8),
// which looks into seven directories for each id all the same.
[[nodiscard]] NameServices services_beyond_files(std::string_view nsswitch, std::string_view database,
                                                 bool with_userdb);

// The helper beside this executable or in ../libexec/swrun; empty when it is not installed.
[[nodiscard]] std::string find_tools();

}  // namespace swrun
