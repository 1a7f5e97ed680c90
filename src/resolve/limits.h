// Limits as they are asked for (the options of Singularity, or a TOML file in the words of the OCI runtime
// specification) and what is written into a control group of version 2 for them.  Pure: runtime/control_group
// writes.  Conversions are those of the OCI runtimes, which existing values are meant for.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plan/launch_plan.h"
#include "plan/launch_request.h"
#include "support/result.h"

namespace swrun {

// In the units and ranges of version 1, in which everybody speaks.
struct LimitValues {
    struct Device {
        std::string number;  // "MAJOR:MINOR"
        std::uint64_t value = 0;
    };

    std::optional<std::int64_t> memory;  // bytes; -1: unlimited
    std::optional<std::int64_t> memory_reservation;
    std::optional<std::int64_t> memory_swap;  // memory and swap together
    bool oom_kill_disable = false;
    std::optional<std::int64_t> cpu_quota;  // microseconds
    std::optional<std::uint64_t> cpu_period;
    std::optional<std::uint64_t> cpu_shares;
    std::string cpuset_cpus;
    std::string cpuset_mems;
    std::optional<std::int64_t> pids;
    std::optional<std::uint64_t> blkio_weight;
    std::vector<Device> blkio_weight_device;
    std::vector<std::pair<std::string, Device>> throttles;     // "rbps", "wbps", "riops", "wiops"
    std::vector<std::pair<std::string, std::string>> unified;  // file and value, as they are
    std::vector<Note> notes;
};

// What the machine has to say about the values.
struct LimitFacts {
    unsigned cpus = 1;
    std::map<std::string, std::string> devices;  // path -> "MAJOR:MINOR" of those that are devices
};

// All that the plan of limits is made from besides the request.
struct LimitInput {
    LimitFacts facts;
    std::optional<LimitValues> file;  // what --apply-cgroups names, read
};

// From the options; nullopt when none is given.  Messages are those that tools know.
[[nodiscard]] Result<std::optional<LimitValues>> read_limit_options(const LimitRequest& request,
                                                                    const LimitFacts& facts);

// What to write, in an order that the kernel accepts.
[[nodiscard]] Result<LimitPlan> plan_limits(const LimitValues& values, const Origin& origin);

// Is any limit asked for, by option or by file?
[[nodiscard]] bool asks_for_limits(const LimitRequest& request);

// "512m", "1.5 GiB", "1048576": bytes, in powers of 1024.
[[nodiscard]] Result<std::int64_t> parse_size(std::string_view text);

// "memory" of "memory.max": the controller that has to be there for the file.
[[nodiscard]] std::string_view controller_of(std::string_view file);

// cpu.weight and io.weight (1 to 10000) of version 1's shares (2 to 262144) and weight (10 to 1000).
[[nodiscard]] std::uint64_t cpu_weight_of(std::uint64_t shares);
[[nodiscard]] std::uint64_t io_weight_of(std::uint64_t weight);

}  // namespace swrun
