// The small files of /etc that a launch generates: the user's lines in passwd and group, hostname,
// hosts and resolv.conf.  Called by resolve, which hands in the image's own text and the host's
// facts; the results become generated files of the plan.  Pure: knows no file system and no database.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plan/host_facts.h"
#include "plan/launch_plan.h"
#include "support/result.h"

namespace swrun {

// `text` is empty when the image's file is to be left as it is; a note says why.
struct IdentityFile {
    std::optional<std::string> text;
    std::vector<Note> notes;

    friend bool operator==(const IdentityFile&, const IdentityFile&) = default;
};

// The image's passwd(5) with the caller's line: the first line with that uid is replaced, keeping the
// image's gid and shell (and for uid 0 its name and gecos), or else a line is appended.  `home` is the
// home directory inside.  A malformed line means no update: what a reader makes of the rest is unknown.
[[nodiscard]] IdentityFile passwd_with_user(std::optional<std::string_view> image_passwd, const UserFacts& user,
                                            std::string_view home);

// The image's group(5) and one line per group of the caller, with the caller as only member.  Groups
// without a name are left out.  A line of the image with the same name or gid stays and comes first.
[[nodiscard]] IdentityFile group_with_user(std::optional<std::string_view> image_group,
                                           const std::vector<GroupFacts>& groups, std::string_view user_name);

// One of the two, by the kind of merge that a generated file names; `text`: the image's own.
[[nodiscard]] IdentityFile merged_with(const IdentityPlan& who, Ghost::Merge merge,
                                       std::optional<std::string_view> text);

// Labels of letters, digits and inner hyphens, 63 bytes each, joined by dots (RFC 1123, 2.1), and no
// longer than the kernel takes (64, uname(2)).
[[nodiscard]] bool hostname_valid(std::string_view name);

// /etc/hostname; an invalid name is an error of kind request.
[[nodiscard]] Result<std::string> hostname_file(std::string_view name);

// /etc/hosts for a network namespace of one's own, where the host's addresses mean nothing.
[[nodiscard]] std::string_view hosts_for_own_network();

// /etc/resolv.conf from a comma separated list of addresses; blanks and empty words are ignored.
// Anything but a numeric IPv4 or IPv6 address is an error of kind request, as is a list without any.
[[nodiscard]] Result<std::string> resolv_conf_for_dns(std::string_view list);

}  // namespace swrun
