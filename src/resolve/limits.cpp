#include "resolve/limits.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "support/text.h"

namespace swrun {
namespace {

constexpr std::uint64_t kPeriod = 100000;  // microseconds; the kernel's own default
constexpr double kLeastCpus = 0.01;        // the kernel refuses less (EINVAL)

Error wrong(std::string text) { return make_error(Error::Kind::request, std::move(text)); }

std::optional<std::int64_t> parse_signed(std::string_view text) {
    const bool negative = text.starts_with('-');
    const std::optional<std::uint64_t> value = parse_decimal(negative ? text.substr(1) : text);
    if (!value || *value > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
    return negative ? -static_cast<std::int64_t>(*value) : static_cast<std::int64_t>(*value);
}

std::optional<double> parse_real(std::string_view text) {
    double value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, code] = std::from_chars(text.data(), end, value);
    if (text.empty() || code != std::errc{} || stop != end || !std::isfinite(value)) return std::nullopt;
    return value;
}

Status read_memory(const LimitRequest& request, LimitValues& values) {
    const auto size = [](const Text& text, const char* name, std::optional<std::int64_t>& into) -> Status {
        if (!text.value) return {};
        Result<std::int64_t> bytes = parse_size(*text.value);
        if (!bytes) return wrong(std::string("invalid ") + name + " value: " + bytes.error().message);
        into = *bytes;
        return {};
    };
    SWRUN_CHECK(size(request.memory, "memory", values.memory));
    SWRUN_CHECK(size(request.memory_reservation, "memory-reservation", values.memory_reservation));
    values.oom_kill_disable = request.oom_kill_disable.value;
    if (request.memory_swap.value == "-1") {
        values.memory_swap = -1;
        return {};
    }
    return size(request.memory_swap, "memory-swap", values.memory_swap);
}

Status read_cpu(const LimitRequest& request, const LimitFacts& facts, LimitValues& values) {
    if (request.cpu_shares.value) {
        const std::int64_t shares = parse_signed(*request.cpu_shares.value).value_or(0);
        if (shares > 0) values.cpu_shares = static_cast<std::uint64_t>(shares);
    }
    values.cpuset_cpus = request.cpuset_cpus.value.value_or("");
    values.cpuset_mems = request.cpuset_mems.value.value_or("");
    if (!request.cpus.value) return {};
    const std::optional<double> cpus = parse_real(*request.cpus.value);
    if (!cpus) return wrong("invalid cpus value: can't convert " + printable(*request.cpus.value) + " to decimal");
    if (*cpus < kLeastCpus || *cpus > facts.cpus) {
        return wrong("cpus value must be in range 0.01 - " + std::to_string(facts.cpus));
    }
    values.cpu_period = kPeriod;
    // Rounded before it is cut: 0.29 * 100000 is a little less than 29000 in binary.
    values.cpu_quota = std::llround(std::floor(*cpus * static_cast<double>(kPeriod) + 1e-6));
    return {};
}

Status read_pids(const LimitRequest& request, LimitValues& values) {
    if (!request.pids_limit.value) return {};
    const std::int64_t pids = parse_signed(*request.pids_limit.value).value_or(0);
    if (pids < -1) return wrong("invalid pids-limit: " + std::to_string(pids));
    if (pids != 0) values.pids = pids;
    return {};
}

Result<LimitValues::Device> read_weighted_device(const std::string& text, const LimitFacts& facts) {
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos)
        return wrong("blkio-weight-device specifications must be in <device>:<weight> format");
    const std::string path = text.substr(0, colon);
    const auto device = facts.devices.find(path);
    if (device == facts.devices.end()) return wrong("while examining device: " + printable(path) + " is not a device");
    const std::optional<std::int64_t> weight = parse_signed(std::string_view(text).substr(colon + 1));
    if (!weight) return wrong(printable(text.substr(colon + 1)) + " is not a valid device weight");
    if (*weight < 10 || *weight > 1000) return wrong("blkio-device-weight must be in range 10-1000");
    return LimitValues::Device{device->second, static_cast<std::uint64_t>(*weight)};
}

Status read_blkio(const LimitRequest& request, const LimitFacts& facts, LimitValues& values) {
    if (request.blkio_weight.value) {
        const std::int64_t weight = parse_signed(*request.blkio_weight.value).value_or(0);
        if (weight > 0 && (weight < 10 || weight > 1000)) return wrong("blkio-weight must be in range 10-1000");
        if (weight > 0) values.blkio_weight = static_cast<std::uint64_t>(weight);
    }
    for (const Asked<std::string>& asked : request.blkio_weight_device) {
        SWRUN_TRY(LimitValues::Device device, read_weighted_device(asked.value, facts));
        values.blkio_weight_device.push_back(std::move(device));
    }
    return {};
}

std::string limit_text(std::int64_t value) { return value < 0 ? "max" : std::to_string(value); }

// Version 1 limits memory and swap together, version 2 swap alone.
Result<std::optional<std::string>> swap_text(const LimitValues& values) {
    const std::int64_t swap = values.memory_swap.value_or(0);
    const std::int64_t memory = values.memory.value_or(0);
    if (memory == -1 && swap == 0) return std::optional<std::string>("max");
    if (swap == 0) return std::optional<std::string>();
    if (swap == -1) return std::optional<std::string>("max");
    if (memory == 0 || memory == -1) return wrong("unable to set swap limit without memory limit");
    if (swap < memory) return wrong("memory+swap limit should be >= memory limit");
    return std::optional<std::string>(std::to_string(swap - memory));
}

Status plan_memory(const LimitValues& values, LimitPlan& plan) {
    // Swap first: a smaller memory.max may have to push pages out at once.
    SWRUN_TRY(const std::optional<std::string> swap, swap_text(values));
    if (swap) plan.settings.push_back({"memory.swap.max", *swap, "", ""});
    if (values.memory.value_or(0) != 0) plan.settings.push_back({"memory.max", limit_text(*values.memory), "", ""});
    if (values.memory_reservation.value_or(0) != 0)
        plan.settings.push_back({"memory.low", limit_text(*values.memory_reservation), "", ""});
    return {};
}

void plan_cpu(const LimitValues& values, LimitPlan& plan) {
    if (values.cpu_quota || values.cpu_period) {
        const std::int64_t quota = values.cpu_quota.value_or(-1);
        const std::string period = std::to_string(values.cpu_period.value_or(kPeriod));
        plan.settings.push_back({"cpu.max", (quota > 0 ? std::to_string(quota) : "max") + " " + period, "", ""});
    }
    if (values.cpu_shares.value_or(0) != 0)
        plan.settings.push_back({"cpu.weight", std::to_string(cpu_weight_of(*values.cpu_shares)), "", ""});
    if (!values.cpuset_cpus.empty()) plan.settings.push_back({"cpuset.cpus", values.cpuset_cpus, "", ""});
    if (!values.cpuset_mems.empty()) plan.settings.push_back({"cpuset.mems", values.cpuset_mems, "", ""});
}

// With the BFQ scheduler the file has another name and version 1's range (block/bfq-cgroup.c).
void plan_io(const LimitValues& values, LimitPlan& plan) {
    const auto weight = [&](const std::string& whom, std::uint64_t value) {
        plan.settings.push_back({"io.weight", whom + " " + std::to_string(io_weight_of(value)), "io.bfq.weight",
                                 whom + " " + std::to_string(value)});
    };
    if (values.blkio_weight.value_or(0) != 0) weight("default", *values.blkio_weight);
    for (const LimitValues::Device& device : values.blkio_weight_device) weight(device.number, device.value);
    for (const auto& [kind, device] : values.throttles) {
        plan.settings.push_back({"io.max", device.number + " " + kind + "=" + std::to_string(device.value), "", ""});
    }
}

// A file of the group itself, of a controller: nothing that moves processes or leads elsewhere.
bool may_be_set(std::string_view file) {
    return file.find('/') == std::string_view::npos && file.find('.') != std::string_view::npos &&
           !file.starts_with('.') && !file.starts_with("cgroup.");
}

}  // namespace

Result<std::int64_t> parse_size(std::string_view text) {
    constexpr std::string_view kUnits = "kmgtp";
    const std::size_t last = text.find_last_of("0123456789. ");
    const std::string shown = "'" + printable(text) + "'";
    if (last == std::string_view::npos) return wrong("invalid size: " + shown);
    const std::string_view number = text.substr(0, text[last] == ' ' ? last : last + 1);
    const std::string_view suffix = text.substr(last + 1);
    const std::optional<double> value = parse_real(number);
    if (!value) return wrong("strconv.ParseFloat: parsing \"" + printable(number) + "\": invalid syntax");
    if (*value < 0) return wrong("invalid size: " + shown);
    double bytes = *value;
    if (!suffix.empty()) {
        std::string small;
        for (const char c : suffix) small.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
        const std::size_t unit = kUnits.find(small[0]);
        const std::string rest = small.substr(1);
        const bool known = small == "b" ||
                           (unit != std::string_view::npos && (rest.empty() || rest == "b" || rest == "ib"));
        if (!known) return wrong("invalid suffix: '" + printable(suffix) + "'");
        for (std::size_t i = 0; small != "b" && i <= unit; ++i) bytes *= 1024;
    }
    if (bytes >= 9.2e18) return wrong("invalid size: " + shown);
    return static_cast<std::int64_t>(bytes);
}

std::string_view controller_of(std::string_view file) { return file.substr(0, file.find('.')); }

// So that 1024, the default of version 1, is 100, the default of version 2, and the ends meet the ends.
std::uint64_t cpu_weight_of(std::uint64_t shares) {
    if (shares <= 2) return 1;
    if (shares >= 262144) return 10000;
    const double l = std::log2(static_cast<double>(shares));
    const double exponent = (l * l + 125 * l) / 612.0 - 7.0 / 34.0;
    return static_cast<std::uint64_t>(std::ceil(std::pow(10, exponent)));
}

std::uint64_t io_weight_of(std::uint64_t weight) { return weight < 10 ? 1 : 1 + (weight - 10) * 9999 / 990; }

bool asks_for_limits(const LimitRequest& request) {
    LimitRequest without = request;
    without.file = {};
    return request.file.value.has_value() || !(without == LimitRequest{});
}

Result<std::optional<LimitValues>> read_limit_options(const LimitRequest& request, const LimitFacts& facts) {
    LimitValues values;
    SWRUN_CHECK(read_blkio(request, facts, values));
    SWRUN_CHECK(read_cpu(request, facts, values));
    SWRUN_CHECK(read_memory(request, values));
    SWRUN_CHECK(read_pids(request, values));
    const bool any = values.memory || values.memory_reservation || values.memory_swap || values.oom_kill_disable ||
                     values.cpu_quota || values.cpu_shares || !values.cpuset_cpus.empty() ||
                     !values.cpuset_mems.empty() || values.pids || values.blkio_weight ||
                     !values.blkio_weight_device.empty();
    if (!any) return std::optional<LimitValues>();
    return std::optional<LimitValues>(std::move(values));
}

Result<LimitPlan> plan_limits(const LimitValues& values, const Origin& origin) {
    LimitPlan plan;
    plan.origin = origin;
    SWRUN_CHECK(plan_memory(values, plan));
    plan_cpu(values, plan);
    plan_io(values, plan);
    if (values.pids.value_or(0) != 0) plan.settings.push_back({"pids.max", limit_text(*values.pids), "", ""});
    for (const auto& [file, value] : values.unified) {
        if (!may_be_set(file))
            return wrong("unified resource \"" + printable(file) + "\" is not a file of a controller");
        plan.settings.push_back({file, value, "", ""});
    }
    return plan;
}

}  // namespace swrun
