// What is written down about a running instance: who it is, where its processes are, and what a process that
// joins it must know.  One JSON file per instance, in the place and with the keys that Apptainer has, so that
// tools which look there find it.  Pure: instance/instance_store reads and writes the files.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plan/join_terms.h"
#include "support/result.h"

namespace swrun {

// A process, told apart from a later one with the same number: numbers are used again, start times within one
// boot are not (proc_pid_stat(5), field 22).
struct ProcessMark {
    pid_t pid = 0;
    std::uint64_t start_time = 0;  // in clock ticks since boot
    std::string boot;              // /proc/sys/kernel/random/boot_id

    friend bool operator==(const ProcessMark&, const ProcessMark&) = default;
};

struct InstanceState {
    std::string name;
    std::string user;
    std::string image;       // absolute path
    ProcessMark init;        // process 1 of the instance as the host sees it; pid 0 while it starts
    ProcessMark supervisor;  // its parent, or while it starts the process that starts it
    std::string log_out;
    std::string log_err;
    bool user_namespace = true;
    bool has_group = false;  // a control group of its own
    bool ours = true;        // false: written by Apptainer, which records no start times
    bool starting = false;

    JoinTerms terms;  // for those who join

    friend bool operator==(const InstanceState&, const InstanceState&) = default;
};

// [A-Za-z0-9._-]+, and neither "." nor "..": the name becomes a directory.
[[nodiscard]] bool instance_name_valid(std::string_view name);

// NAME of "instance://NAME"; nullopt for anything else.
[[nodiscard]] std::optional<std::string> instance_of_address(std::string_view image);

[[nodiscard]] std::string instance_to_json(const InstanceState& state);
[[nodiscard]] Result<InstanceState> instance_from_json(std::string_view text);

// What `instance list` prints: columns, or with `logs` the files, or JSON.
[[nodiscard]] std::string instance_table(const std::vector<InstanceState>& list, bool logs);
[[nodiscard]] std::string instance_list_json(const std::vector<InstanceState>& list);

// Rows of cells, aligned: each column but the last as wide as its widest cell and four more.
[[nodiscard]] std::string aligned(const std::vector<std::vector<std::string>>& rows);

// Field 22 of /proc/PID/stat; the second field may hold anything, brackets and spaces included.  A process that
// has ended and waits for its parent counts as gone: nobody may ever ask for it (containers without an init).
[[nodiscard]] std::optional<std::uint64_t> start_time_in(std::string_view stat);

}  // namespace swrun
