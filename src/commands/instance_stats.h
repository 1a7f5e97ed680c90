// The numbers of a control group of version 2 as `instance stats` shows them.  Pure: the files come in as text.
#pragma once

#include <cstdint>
#include <string>

namespace swrun {

// Contents of the group's files; empty for those that it lacks.
struct GroupTexts {
    std::string cpu_stat;
    std::string memory_current;
    std::string memory_max;
    std::string io_stat;
    std::string pids_current;
    std::string pids_max;
};

struct GroupNumbers {
    std::uint64_t cpu_usec = 0;
    std::uint64_t cpu_user_usec = 0;
    std::uint64_t cpu_system_usec = 0;
    std::uint64_t memory = 0;
    std::uint64_t memory_limit = 0;  // 0: none
    std::uint64_t read_bytes = 0;
    std::uint64_t written_bytes = 0;
    std::uint64_t pids = 0;
    std::uint64_t pids_limit = 0;

    friend bool operator==(const GroupNumbers&, const GroupNumbers&) = default;
};

[[nodiscard]] GroupNumbers numbers_in(const GroupTexts& texts);

// The columns of Apptainer; `seconds` have passed between the two.
[[nodiscard]] std::string stats_table(const std::string& name, const GroupNumbers& before, const GroupNumbers& now,
                                      double seconds);

// In the shape of the OCI runtimes' statistics.
[[nodiscard]] std::string stats_json(const GroupNumbers& numbers);

// "1.5GiB", four significant digits.
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);

}  // namespace swrun
