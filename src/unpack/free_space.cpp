#include "unpack/free_space.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <vector>

#include "support/io.h"
#include "support/proc_text.h"
#include "support/text.h"

namespace swrun {
namespace {

constexpr std::size_t kMaxText = 1U << 20U;

// The files of a group's memory controller (cgroups(7), and Documentation/admin-guide/cgroup-v1/memory.rst).
struct GroupFiles {
    const char* mount;
    const char* limit;
    const char* used;
    const char* cache_prefix;  // of the lines of memory.stat that count what the kernel gives back when asked
};
constexpr GroupFiles kVersion2 = {kGroupMount, "/memory.max", "/memory.current", ""};
constexpr GroupFiles kVersion1 = {"/sys/fs/cgroup/memory", "/memory.limit_in_bytes", "/memory.usage_in_bytes",
                                  "total_"};

std::optional<std::uint64_t> number_in(const std::string& file) {
    const Result<std::string> text = read_file(file, kMaxText);
    return text ? parse_decimal(trim(*text)) : std::nullopt;
}

// The number behind KEY in lines of "KEY NUMBER ...".
std::uint64_t number_after(std::string_view text, std::string_view key) {
    for (const std::string_view line : split(text, '\n')) {
        if (!line.starts_with(key)) continue;
        const std::string_view rest = trim(line.substr(key.size()));
        return parse_decimal(rest.substr(0, rest.find(' '))).value_or(0);
    }
    return 0;
}

// What one group still allows; nullopt: as much as you like.
std::optional<std::uint64_t> room_in_group(const std::string& directory, const GroupFiles& files) {
    const std::optional<std::uint64_t> limit = number_in(directory + files.limit);
    const std::optional<std::uint64_t> used = number_in(directory + files.used);
    if (!limit || !used) return std::nullopt;
    const std::string stat = read_file(directory + "/memory.stat", kMaxText).value_or(std::string());
    const std::string prefix = files.cache_prefix;
    const std::uint64_t cache = number_after(stat, prefix + "inactive_file ") +
                                number_after(stat, prefix + "active_file ");
    const std::uint64_t held = *used - std::min(*used, cache);
    return *limit - std::min(*limit, held);
}

std::uint64_t room_in_groups(const std::string& root, std::string_view group, const GroupFiles& files) {
    std::uint64_t room = UINT64_MAX;
    for (const std::string& one : group_and_above(group)) {
        const std::string directory = root + files.mount + (one == "/" ? "" : one);
        room = std::min(room, room_in_group(directory, files).value_or(UINT64_MAX));
    }
    return room;
}

}  // namespace

Space free_memory(const std::string& root) {
    Space space{UINT64_MAX, UINT64_MAX};
    if (const Result<std::string> text = read_file(root + "/proc/meminfo", kMaxText)) {
        space.bytes = number_after(*text, "MemAvailable:") * 1024;
    }
    const std::string groups = read_file(root + "/proc/self/cgroup", kMaxText).value_or(std::string());
    for (const GroupLine& line : group_lines(groups)) {
        if (line.is_unified()) space.bytes = std::min(space.bytes, room_in_groups(root, line.path, kVersion2));
        if (line.has("memory")) space.bytes = std::min(space.bytes, room_in_groups(root, line.path, kVersion1));
    }
    return space;
}

Result<Space> free_disk(int directory, std::string_view name) {
    struct statvfs fs {};
    if (::fstatvfs(directory, &fs) != 0) return sys_error(Error::Kind::host, "statvfs", name, errno);
    Space space{std::uint64_t{fs.f_bavail} * fs.f_frsize, UINT64_MAX};
    if (fs.f_files != 0) space.entries = fs.f_favail;  // some count no files
    return space;
}

std::string size_text(std::uint64_t bytes) {
    constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = static_cast<double>(bytes) / 1024;
    std::size_t unit = 0;
    for (; value >= 1023.95 && unit + 1 < std::size(kUnits); ++unit) value /= 1024;
    char text[32];
    std::snprintf(text, sizeof text, "%.1f %s", value, kUnits[unit]);
    return text;
}

}  // namespace swrun
