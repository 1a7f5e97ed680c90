#include <nlohmann/json.hpp>

#include "commands/instance_stats.h"

namespace swrun {

std::string stats_json(const GroupNumbers& numbers) {
    using Json = nlohmann::ordered_json;
    constexpr std::uint64_t kNano = 1000;  // of a microsecond
    const Json usage{{"total_usage", numbers.cpu_usec * kNano},
                     {"usage_in_kernelmode", numbers.cpu_system_usec * kNano},
                     {"usage_in_usermode", numbers.cpu_user_usec * kNano}};
    const Json bytes = Json::array(
        {{{"op", "Read"}, {"value", numbers.read_bytes}}, {{"op", "Write"}, {"value", numbers.written_bytes}}});
    const Json json{
        {"cpu_stats", {{"cpu_usage", usage}}},
        {"memory_stats", {{"usage", {{"usage", numbers.memory}, {"limit", numbers.memory_limit}}}}},
        {"pids_stats", {{"current", numbers.pids}, {"limit", numbers.pids_limit}}},
        {"blkio_stats", {{"io_service_bytes_recursive", bytes}}},
    };
    return json.dump(1, '\t') + "\n";
}

}  // namespace swrun
