#include "commands/instance_stats.h"

#include <array>
#include <cstdio>

#include "instance/instance_state.h"
#include "support/text.h"

namespace swrun {
namespace {

std::uint64_t number_in(const std::string& text) { return parse_decimal(trim(text)).value_or(0); }

// "key value" lines.
std::uint64_t value_of(const std::string& text, std::string_view key) {
    for (const std::string_view line : split(text, '\n')) {
        if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ' ') {
            return parse_decimal(trim(line.substr(key.size()))).value_or(0);
        }
    }
    return 0;
}

// The sum of "key=N" over all devices of io.stat.
std::uint64_t sum_of(const std::string& text, std::string_view key) {
    std::uint64_t sum = 0;
    for (const std::string_view line : split(text, '\n')) {
        for (const std::string_view word : split(line, ' ')) {
            if (word.starts_with(key)) sum += parse_decimal(word.substr(key.size())).value_or(0);
        }
    }
    return sum;
}

std::string percent(double value) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.2f%%", value);
    return text.data();
}

}  // namespace

GroupNumbers numbers_in(const GroupTexts& texts) {
    GroupNumbers numbers;
    numbers.cpu_usec = value_of(texts.cpu_stat, "usage_usec");
    numbers.cpu_user_usec = value_of(texts.cpu_stat, "user_usec");
    numbers.cpu_system_usec = value_of(texts.cpu_stat, "system_usec");
    numbers.memory = number_in(texts.memory_current);
    numbers.memory_limit = number_in(texts.memory_max);  // "max" is no number
    numbers.read_bytes = sum_of(texts.io_stat, "rbytes=");
    numbers.written_bytes = sum_of(texts.io_stat, "wbytes=");
    numbers.pids = number_in(texts.pids_current);
    numbers.pids_limit = number_in(texts.pids_max);
    return numbers;
}

std::string bytes_text(std::uint64_t bytes) {
    constexpr std::array<const char*, 9> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"};
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (value >= 1024 && unit + 1 < kUnits.size()) {
        value /= 1024;
        ++unit;
    }
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.4g%s", value, kUnits[unit]);
    return text.data();
}

std::string stats_table(const std::string& name, const GroupNumbers& before, const GroupNumbers& now, double seconds) {
    const double cpu = static_cast<double>(now.cpu_usec - before.cpu_usec) / (seconds * 1e6) * 100;
    const double memory = now.memory_limit == 0
                              ? 0
                              : static_cast<double>(now.memory) / static_cast<double>(now.memory_limit) * 100;
    return aligned({{"INSTANCE NAME", "CPU USAGE", "MEM USAGE / LIMIT", "MEM %", "BLOCK I/O", "PIDS"},
                    {name, percent(cpu), bytes_text(now.memory) + " / " + bytes_text(now.memory_limit), percent(memory),
                     bytes_text(now.read_bytes) + " / " + bytes_text(now.written_bytes), std::to_string(now.pids)}});
}

}  // namespace swrun
