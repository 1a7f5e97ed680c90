#include "resolve/identity.h"

#include <algorithm>

#include "support/text.h"

namespace swrun {
namespace {

constexpr std::size_t kPasswdFields = 7;  // passwd(5)
constexpr std::size_t kMaxLabel = 63;     // RFC 1035, 2.3.4
constexpr std::size_t kMaxHostname = 64;  // __NEW_UTS_LEN: sethostname(2) gives EINVAL above

struct PasswdLine {
    std::vector<std::string_view> fields;
    std::uint64_t uid = 0;
};

bool is_id(std::string_view text, std::uint64_t& id) {
    const auto value = parse_decimal(text);
    if (!value || *value > 0xFFFFFFFFU) return false;
    id = *value;
    return true;
}

// Blank lines, comments and NIS lines (nsswitch.conf(5), compat) carry no user but are no damage.
bool carries_no_user(std::string_view line) {
    const std::string_view text = trim(line);
    return text.empty() || text[0] == '#' || text[0] == '+' || text[0] == '-';
}

std::optional<PasswdLine> parse_passwd_line(std::string_view line) {
    PasswdLine parsed;
    parsed.fields = split(line, ':');
    std::uint64_t gid = 0;
    if (parsed.fields.size() != kPasswdFields) return std::nullopt;
    if (!is_id(parsed.fields[2], parsed.uid) || !is_id(parsed.fields[3], gid)) return std::nullopt;
    return parsed;
}

// A directory service may hand out fields that these files have no way to write.
std::string field(std::string_view text) {
    std::string safe(text);
    std::replace_if(
        safe.begin(), safe.end(), [](char c) { return c == ':' || c == '\n' || c == '\0'; }, ' ');
    return safe;
}

std::string passwd_line(const UserFacts& user, std::string_view home, const PasswdLine* of_image) {
    const bool keep_name = of_image != nullptr && user.uid == 0;
    std::string line = keep_name ? std::string(of_image->fields[0]) : field(user.name);
    line.append(":x:").append(std::to_string(user.uid)).append(":");
    line.append(of_image != nullptr ? std::string(of_image->fields[3]) : std::to_string(user.gid)).append(":");
    line.append(keep_name ? std::string(of_image->fields[4]) : field(user.gecos)).append(":");
    line.append(field(home)).append(":");
    line.append(of_image != nullptr ? std::string(of_image->fields[6]) : field(user.shell)).append("\n");
    return line;
}

IdentityFile not_updated(std::string text) {
    IdentityFile file;
    file.notes.push_back({Level::warning, std::move(text)});
    return file;
}

// Lines without their newlines; a last line without one counts, nothing follows a final newline.
std::vector<std::string_view> lines_of(std::string_view text) {
    if (text.empty()) return {};
    if (text.back() == '\n') text.remove_suffix(1);
    return split(text, '\n');
}

bool is_ipv4(std::string_view text) {
    const std::vector<std::string_view> parts = split(text, '.');
    return parts.size() == 4 && std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
               const auto value = parse_decimal(part);
               return value && *value <= 255 && part.size() <= 3 && (part.size() == 1 || part[0] != '0');
           });
}

bool is_hex_group(std::string_view text) {
    return !text.empty() && text.size() <= 4 &&
           text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

// The number of 16-bit groups in "a:b:c"; nullopt when one of them is none.  The last may be an IPv4 address.
std::optional<std::size_t> count_groups(std::string_view text, bool may_end_in_ipv4) {
    if (text.empty()) return 0;
    const std::vector<std::string_view> parts = split(text, ':');
    std::size_t count = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const bool last = i + 1 == parts.size();
        if (is_hex_group(parts[i])) {
            count += 1;
        } else if (last && may_end_in_ipv4 && is_ipv4(parts[i])) {
            count += 2;
        } else {
            return std::nullopt;
        }
    }
    return count;
}

// The text forms of RFC 4291, 2.2; no zone: resolv.conf readers differ in what they make of one.
bool is_ipv6(std::string_view text) {
    const std::size_t gap = text.find("::");
    if (gap == std::string_view::npos) return count_groups(text, true) == std::size_t{8};
    const auto head = count_groups(text.substr(0, gap), false);
    const auto tail = count_groups(text.substr(gap + 2), true);
    return head && tail && *head + *tail < 8;
}

}  // namespace

IdentityFile passwd_with_user(std::optional<std::string_view> image_passwd, const UserFacts& user,
                              std::string_view home) {
    if (!image_passwd) return not_updated("passwd file doesn't exist in container, not updating");
    std::string text;
    bool replaced = false;
    for (const std::string_view line : lines_of(*image_passwd)) {
        const auto parsed = parse_passwd_line(line);
        if (!parsed && !carries_no_user(line)) {
            return not_updated("malformed line in the passwd file of the container, not updating: " + printable(line));
        }
        const bool is_user = parsed && parsed->uid == user.uid && !replaced && !carries_no_user(line);
        if (is_user) {
            text.append(passwd_line(user, home, &*parsed));
            replaced = true;
        } else {
            text.append(line).push_back('\n');
        }
    }
    if (!replaced) text.append(passwd_line(user, home, nullptr));
    IdentityFile file;
    file.text = std::move(text);
    return file;
}

IdentityFile group_with_user(std::optional<std::string_view> image_group, const std::vector<GroupFacts>& groups,
                             std::string_view user_name) {
    if (!image_group) return not_updated("group file doesn't exist in container, not updating");
    std::string text(*image_group);
    if (!text.empty() && text.back() != '\n') text.push_back('\n');
    std::vector<gid_t> added;
    for (const GroupFacts& group : groups) {
        if (group.name.empty() || std::find(added.begin(), added.end(), group.gid) != added.end()) continue;
        added.push_back(group.gid);
        text.append(field(group.name)).append(":x:").append(std::to_string(group.gid)).append(":");
        text.append(field(user_name)).push_back('\n');
    }
    IdentityFile file;
    file.text = std::move(text);
    return file;
}

IdentityFile merged_with(const IdentityPlan& who, Ghost::Merge merge, std::optional<std::string_view> text) {
    return merge == Ghost::Merge::group ? group_with_user(text, who.groups, who.user.name)
                                        : passwd_with_user(text, who.user, who.home);
}

bool hostname_valid(std::string_view name) {
    if (name.size() > kMaxHostname) return false;
    const auto inner = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    };
    const std::vector<std::string_view> labels = split(name, '.');
    return std::all_of(labels.begin(), labels.end(), [&](std::string_view label) {
        return !label.empty() && label.size() <= kMaxLabel && label.front() != '-' && label.back() != '-' &&
               std::all_of(label.begin(), label.end(), inner);
    });
}

Result<std::string> hostname_file(std::string_view name) {
    if (hostname_valid(name)) return std::string(name) + '\n';
    return make_error(Error::Kind::request, printable(name) + " is not a valid hostname")
        .with_hint("letters, digits and inner hyphens; labels of 63 at most, joined by dots; 64 in all");
}

std::string_view hosts_for_own_network() {
    return "127.0.0.1   localhost\n"
           "::1         localhost ip6-localhost ip6-loopback\n"
           "ff02::1     ip6-allnodes\n"
           "ff02::2     ip6-allrouters\n";
}

Result<std::string> resolv_conf_for_dns(std::string_view list) {
    std::string text;
    for (const std::string_view word : split(list, ',')) {
        std::string address(word);
        std::erase(address, ' ');
        if (address.empty()) continue;
        if (!is_ipv4(address) && !is_ipv6(address)) {
            return make_error(Error::Kind::request, "dns ip " + printable(address) + " is not a valid IP address");
        }
        text.append("nameserver ").append(address).push_back('\n');
    }
    if (text.empty()) return make_error(Error::Kind::request, "no dns ip address given");
    return text;
}

}  // namespace swrun
