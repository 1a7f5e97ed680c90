#include "runtime/users.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <unordered_set>

#include "support/io.h"
#include "support/path.h"
#include "support/process.h"
#include "support/text.h"

namespace swrun {
namespace {

constexpr std::size_t kMaxDatabase = 64U << 20U;
constexpr std::size_t kMaxSwitch = 1U << 20U;
constexpr std::size_t kMaxAnswer = 4U << 20U;
// Ids of one call: their digits fit into the 128 KiB of arguments that every kernel grants (execve(2)).
constexpr std::size_t kAtOnce = 4096;
constexpr std::string_view kGroupSection = "[group]\n";

std::string file_text(const char* path) { return read_file(path, kMaxDatabase).value_or(std::string()); }

// Where systemd's name service finds records of others than systemd itself: nss-systemd(8), userdbctl(1).
bool has_userdb() {
    constexpr std::array kPlaces = {"/run/systemd/userdb", "/etc/userdb",           "/run/userdb",
                                    "/run/host/userdb",    "/usr/local/lib/userdb", "/usr/lib/userdb"};
    return std::ranges::any_of(kPlaces, [](const char* path) { return ::access(path, F_OK) == 0; });
}

// What NSS is asked for and what it says, as lines of the two databases.
struct Question {
    std::optional<uid_t> uid;
    std::vector<gid_t> gids;
};
struct Answer {
    std::string passwd;
    std::string group;
};

void add_database(std::vector<std::string>& argv, std::string_view name, std::string_view nsswitch) {
    argv.emplace_back(name).append("=").append(services_beyond_files(nsswitch, name, has_userdb()).services);
}

void ask_once(const std::string& tools, std::string_view nsswitch, std::optional<uid_t> uid,
              std::span<const gid_t> gids, Answer& answer) {
    std::vector<std::string> argv = {tools, "id"};
    if (uid) {
        add_database(argv, "passwd", nsswitch);
        argv.push_back(std::to_string(*uid));
    }
    if (!gids.empty()) add_database(argv, "group", nsswitch);
    for (const gid_t gid : gids) argv.push_back(std::to_string(gid));
    const std::string said = capture_output(argv, kMaxAnswer).value_or(std::string());
    const std::size_t groups = said.find(kGroupSection);
    if (uid) answer.passwd = said.substr(0, groups);
    if (groups != std::string::npos) answer.group.append(said, groups + kGroupSection.size());
}

Answer ask_nss(Question question) {
    Answer answer;
    const std::string nsswitch = read_file("/etc/nsswitch.conf", kMaxSwitch).value_or(std::string());
    if (!services_beyond_files(nsswitch, "passwd", has_userdb()).any) question.uid.reset();
    if (!services_beyond_files(nsswitch, "group", has_userdb()).any) question.gids.clear();
    if (!question.uid && question.gids.empty()) return answer;
    const std::string tools = find_tools();
    if (tools.empty()) return answer;
    std::span<const gid_t> rest(question.gids);
    do {
        const std::span<const gid_t> some = rest.first(std::min(rest.size(), kAtOnce));
        ask_once(tools, nsswitch, question.uid, some, answer);
        question.uid.reset();
        rest = rest.subspan(some.size());
    } while (!rest.empty());
    return answer;
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

void name_groups(std::string_view text, std::vector<GroupFacts>& groups) {
    std::unordered_map<std::uint64_t, GroupFacts*> unnamed;
    for (GroupFacts& group : groups) {
        if (group.name.empty()) unnamed.emplace(group.gid, &group);
    }
    for (const std::string_view line : split(text, '\n')) {
        const std::vector<std::string_view> fields = split(line, ':');
        if (fields.size() < 3) continue;
        const auto found = unnamed.find(parse_decimal(fields[2]).value_or(UINT64_MAX));
        if (found == unnamed.end()) continue;
        found->second->name = fields[0];
        unnamed.erase(found);
    }
}

NameServices services_beyond_files(std::string_view nsswitch, std::string_view database, bool with_userdb) {
    for (std::string_view line : split(nsswitch, '\n')) {
        line = trim(line.substr(0, line.find('#')));
        if (!line.starts_with(database) || !trim(line.substr(database.size())).starts_with(':')) continue;
        // What an action in brackets makes of the order is for the C library to say.
        if (line.find('[') != std::string_view::npos) return {};
        std::vector<std::string> services;
        for (std::string_view rest = trim(line.substr(line.find(':') + 1)); !rest.empty();) {
            const std::string_view service = rest.substr(0, rest.find_first_of(" \t"));
            rest = trim(rest.substr(service.size()));
            if (service == "files" || (service == "systemd" && !with_userdb)) continue;
            services.emplace_back(service);
        }
        return {!services.empty(), join(services, " ")};
    }
    return {};
}

Caller look_up_caller(uid_t uid, gid_t gid) {
    Caller caller;
    std::vector<gid_t> gids(static_cast<std::size_t>(std::max(0, ::getgroups(0, nullptr))));
    gids.resize(static_cast<std::size_t>(std::max(0, ::getgroups(static_cast<int>(gids.size()), gids.data()))));
    gids.insert(gids.begin(), gid);
    std::unordered_set<gid_t> seen;
    for (const gid_t one : gids) {
        if (seen.insert(one).second) caller.groups.push_back({one, ""});
    }
    name_groups(file_text("/etc/group"), caller.groups);
    std::optional<UserFacts> user = user_in_passwd(file_text("/etc/passwd"), uid);
    Question question;
    if (!user) question.uid = uid;
    for (const GroupFacts& group : caller.groups) {
        if (group.name.empty()) question.gids.push_back(group.gid);
    }
    if (question.uid || !question.gids.empty()) {
        const Answer answer = ask_nss(std::move(question));
        name_groups(answer.group, caller.groups);
        if (!user) user = user_in_passwd(answer.passwd, uid);
    }
    caller.user = user ? *std::move(user) : invented_user(uid);
    caller.user.uid = uid;
    caller.user.gid = gid;  // of the process: newgrp(1) and batch systems may have changed it
    return caller;
}

}  // namespace swrun
