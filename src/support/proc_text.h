// What the text files below /proc/PID say.  Pure: the caller reads them.  Texts are the kernel's, but of a process that may
// have named itself as it likes: what does not fit the format is left out.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace swrun {

// The fields of /proc/PID/stat by the numbers that proc_pid_stat(5) gives them.
enum class StatField : unsigned {
    state = 3,
    start_time = 22,
    processor = 39,
    arg_start = 48,
    arg_end = 49,
    env_start = 50,
    env_end = 51
};

// Empty when there is no such field.  Points into the text, so a temporary one is refused, here as below.
[[nodiscard]] std::string_view stat_field(std::string_view stat, StatField field);
template <class Text>
requires std::same_as<Text, std::string> std::string_view stat_field(Text&& stat, StatField field)
= delete;

// A field of /proc/PID/status that is a set of signals (SigBlk, SigIgn, SigCgt): bit N-1 stands for signal N.
[[nodiscard]] std::optional<std::uint64_t> signal_mask_in(std::string_view status, std::string_view field);

// A line of /proc/PID/cgroup, "ID:CONTROLLERS:PATH" (cgroups(7)).  Points into the text.
struct GroupLine {
    std::string_view controllers;  // separated by commas; empty for version 2
    std::string_view path;         // absolute

    [[nodiscard]] bool is_unified() const { return controllers.empty(); }
    [[nodiscard]] bool has(std::string_view controller) const;
};
[[nodiscard]] std::vector<GroupLine> group_lines(std::string_view cgroup);
template <class Text>
requires std::same_as<Text, std::string> std::vector<GroupLine> group_lines(Text&& cgroup)
= delete;

// Where hosts have the groups of version 2.
inline constexpr const char* kGroupMount = "/sys/fs/cgroup";

// The path of the group of version 2; empty when there is none.
[[nodiscard]] std::string unified_group(std::string_view cgroup);

// "/a/b" gives "/a/b", "/a", "/": a limit of each counts for the first.  None of "/../a": a group outside the control group
// namespace has no files inside (cgroup_namespaces(7)).
[[nodiscard]] std::vector<std::string> group_and_above(std::string_view path);

}  // namespace swrun
