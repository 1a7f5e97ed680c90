#include "support/proc_text.h"

#include <algorithm>
#include <charconv>

#include "support/path.h"
#include "support/text.h"

namespace swrun {

std::string_view stat_field(std::string_view stat, StatField field) {
    // The second field is the name in brackets, which may hold brackets and spaces itself.
    const std::size_t name_end = stat.rfind(") ");
    if (name_end == std::string_view::npos) return {};
    const auto fields = split(trim(stat.substr(name_end + 2)), ' ');
    const std::size_t at = static_cast<unsigned>(field) - static_cast<unsigned>(StatField::state);
    return at < fields.size() ? fields[at] : std::string_view();
}

std::optional<std::uint64_t> signal_mask_in(std::string_view status, std::string_view field) {
    for (const std::string_view line : split(status, '\n')) {
        if (!line.starts_with(field) || line.size() == field.size() || line[field.size()] != ':') continue;
        const std::string_view digits = trim(line.substr(field.size() + 1));
        std::uint64_t mask = 0;
        const auto [end, error] = std::from_chars(digits.begin(), digits.end(), mask, 16);
        if (error == std::errc() && end == digits.end()) return mask;
    }
    return std::nullopt;
}

bool GroupLine::has(std::string_view controller) const {
    return std::ranges::any_of(split(controllers, ','), [&](std::string_view one) { return one == controller; });
}

std::vector<GroupLine> group_lines(std::string_view cgroup) {
    std::vector<GroupLine> lines;
    for (const std::string_view line : split(cgroup, '\n')) {
        const std::size_t id_end = line.find(':');
        if (id_end == std::string_view::npos) continue;
        const std::size_t controllers_end = line.find(':', id_end + 1);
        if (controllers_end == std::string_view::npos) continue;
        const std::string_view path = line.substr(controllers_end + 1);
        if (path.starts_with('/')) lines.push_back({line.substr(id_end + 1, controllers_end - id_end - 1), path});
    }
    return lines;
}

std::string unified_group(std::string_view cgroup) {
    const auto lines = group_lines(cgroup);
    const auto found = std::ranges::find_if(lines, &GroupLine::is_unified);
    return found == lines.end() ? std::string() : std::string(found->path);
}

std::vector<std::string> group_and_above(std::string_view path) {
    std::vector<std::string> all;
    if (path.starts_with("/..")) return all;
    for (std::string group = clean_path(path);; group = std::string(parent_path(group))) {
        all.push_back(group);
        if (group.size() <= 1) return all;
    }
}

}  // namespace swrun
