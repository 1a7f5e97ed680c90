#include "instance/instance_state.h"

#include <algorithm>
#include <cctype>

#include "support/proc_text.h"
#include "support/text.h"

namespace swrun {
namespace {

constexpr std::string_view kScheme = "instance://";
constexpr std::size_t kMaxName = 240;  // a file name with ".json" behind it

}  // namespace

bool instance_name_valid(std::string_view name) {
    if (name.empty() || name.size() > kMaxName || name == "." || name == "..") return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
    });
}

std::optional<std::string> instance_of_address(std::string_view image) {
    if (!image.starts_with(kScheme)) return std::nullopt;
    return std::string(image.substr(kScheme.size()));
}

std::string aligned(const std::vector<std::vector<std::string>>& rows) {
    constexpr std::size_t kGap = 4;
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i + 1 < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size() + kGap);
    }
    std::string text;
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            text.append(row[i]);
            if (i + 1 < row.size()) text.append(widths[i] - row[i].size(), ' ');
        }
        text.push_back('\n');
    }
    return text;
}

std::string instance_table(const std::vector<InstanceState>& list, bool logs) {
    std::vector<std::vector<std::string>> rows;
    if (logs) {
        rows.push_back({"INSTANCE NAME", "PID", "LOGS"});
    } else {
        rows.push_back({"INSTANCE NAME", "PID", "IP", "IMAGE"});
    }
    for (const InstanceState& one : list) {
        const std::string pid = std::to_string(one.init.pid);
        if (logs) {
            rows.push_back({one.name, pid, one.log_err});
            rows.push_back({"", "", one.log_out});
        } else {
            rows.push_back({one.name, pid, "", one.image});
        }
    }
    return aligned(rows);
}

std::optional<std::uint64_t> start_time_in(std::string_view stat) {
    const std::string_view state = stat_field(stat, StatField::state);
    if (state == "Z" || state == "X") return std::nullopt;
    return parse_decimal(stat_field(stat, StatField::start_time));
}

}  // namespace swrun
