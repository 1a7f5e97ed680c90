#include "runtime/users.h"

#include <unistd.h>

#include <climits>

#include "support/io.h"
#include "support/path.h"
#include "support/process.h"
#include "support/text.h"

namespace swrun {
namespace {

constexpr std::size_t kMaxDatabase = 64U << 20U;
constexpr std::size_t kMaxAnswer = 1U << 20U;

std::string file_text(const char* path) { return read_file(path, kMaxDatabase).value_or(std::string()); }

// What NSS says, as a passwd or group line; empty when it knows nothing or cannot be asked.
std::string ask_nss(const char* database, unsigned long id) {
    const std::string tools = find_tools();
    if (tools.empty()) return {};
    return capture_output({tools, "id", database, std::to_string(id)}, kMaxAnswer).value_or(std::string());
}

UserFacts invented_user(uid_t uid) {
    UserFacts user;
    user.name = "user" + std::to_string(uid);
    user.home = "/";
    user.shell = "/bin/sh";
    user.known = false;
    return user;
}

}  // namespace

std::string find_tools() {
    char self[PATH_MAX];
    const ssize_t length = ::readlink("/proc/self/exe", self, sizeof self);
    if (length <= 0 || length == static_cast<ssize_t>(sizeof self)) return {};
    const std::string directory(parent_path(std::string_view(self, static_cast<std::size_t>(length))));
    for (const char* place : {"swrun-tools", "../libexec/swrun/swrun-tools"}) {
        std::string path = clean_path(join_path(directory, place));
        if (::access(path.c_str(), X_OK) == 0) return path;
    }
    return {};
}

std::optional<UserFacts> user_in_passwd(std::string_view text, uid_t uid) {
    for (const std::string_view line : split(text, '\n')) {
        const std::vector<std::string_view> fields = split(line, ':');
        if (fields.size() != 7 || parse_decimal(fields[2]) != uid) continue;
        UserFacts user;
        user.uid = uid;
        user.gid = static_cast<gid_t>(parse_decimal(fields[3]).value_or(0));
        user.name = fields[0];
        user.gecos = fields[4];
        user.home = fields[5];
        user.shell = fields[6];
        return user;
    }
    return std::nullopt;
}

std::optional<std::string> group_name_in(std::string_view text, gid_t gid) {
    for (const std::string_view line : split(text, '\n')) {
        const std::vector<std::string_view> fields = split(line, ':');
        if (fields.size() >= 3 && parse_decimal(fields[2]) == gid) return std::string(fields[0]);
    }
    return std::nullopt;
}

UserFacts look_up_user(uid_t uid, gid_t gid) {
    std::optional<UserFacts> found = user_in_passwd(file_text("/etc/passwd"), uid);
    if (!found) found = user_in_passwd(ask_nss("passwd", uid), uid);
    UserFacts user = found ? *std::move(found) : invented_user(uid);
    user.uid = uid;
    user.gid = gid;  // of the process: newgrp(1) and batch systems may have changed it
    return user;
}

std::vector<GroupFacts> look_up_groups(gid_t primary) {
    std::vector<gid_t> gids(static_cast<std::size_t>(std::max(0, ::getgroups(0, nullptr))));
    const int count = ::getgroups(static_cast<int>(gids.size()), gids.data());
    gids.resize(static_cast<std::size_t>(std::max(0, count)));
    gids.insert(gids.begin(), primary);
    const std::string text = file_text("/etc/group");
    std::vector<GroupFacts> groups;
    for (const gid_t gid : gids) {
        bool twice = false;
        for (const GroupFacts& group : groups) twice = twice || group.gid == gid;
        if (twice) continue;
        std::optional<std::string> name = group_name_in(text, gid);
        if (!name) name = group_name_in(ask_nss("group", gid), gid);
        groups.push_back({gid, name.value_or("")});
    }
    return groups;
}

}  // namespace swrun
