#include "mounts/kernel/mount_lines.h"

#include <sys/mount.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "support/text.h"

namespace swrun {
namespace {

constexpr unsigned long kNoSymlinks = 256;  // MS_NOSYMFOLLOW, younger than the headers we build with

std::optional<int> number(std::string_view text) {
    int value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

bool is_octal(char c) { return c >= '0' && c <= '7'; }

// Blanks, newlines and backslashes in a path come as three octal digits.
std::string unescape(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escaped = text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) && is_octal(text[i + 2]) &&
                             is_octal(text[i + 3]);
        if (!escaped) {
            plain.push_back(text[i]);
            continue;
        }
        plain.push_back(static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0')));
        i += 3;
    }
    return plain;
}

// The way access times are kept is not in here: a remount that names none keeps what the mount has.
unsigned long flags_of(std::string_view options) {
    unsigned long flags = 0;
    for (const std::string_view option : split(options, ',')) {
        if (option == "ro") flags |= MS_RDONLY;
        if (option == "nosuid") flags |= MS_NOSUID;
        if (option == "nodev") flags |= MS_NODEV;
        if (option == "noexec") flags |= MS_NOEXEC;
        if (option == "nosymfollow") flags |= kNoSymlinks;
    }
    return flags;
}

}  // namespace

std::vector<MountLine> parse_mount_lines(std::string_view text) {
    std::vector<MountLine> table;
    for (const std::string_view line : split(text, '\n')) {
        const auto fields = split(line, ' ');  // id, parent, device, root, mount point, options, ...
        if (fields.size() < 6) continue;
        const std::optional<int> id = number(fields[0]);
        if (id) table.push_back({*id, unescape(fields[4]), flags_of(fields[5])});
    }
    return table;
}

std::vector<MountLine> mounts_below(const std::vector<MountLine>& table, int id, bool recursive) {
    std::vector<MountLine> found;
    const auto top = std::ranges::find(table, id, &MountLine::id);
    if (top == table.end()) return found;
    found.push_back(*top);
    if (!recursive) return found;
    const std::string prefix = top->point + '/';
    for (const MountLine& line : table) {
        if (line.point.starts_with(prefix)) found.push_back(line);
    }
    return found;
}

int mount_id_of(std::string_view fdinfo) {
    for (const std::string_view line : split(fdinfo, '\n')) {
        constexpr std::string_view kKey = "mnt_id:";
        if (line.starts_with(kKey)) return number(trim(line.substr(kKey.size()))).value_or(-1);
    }
    return -1;
}

}  // namespace swrun
