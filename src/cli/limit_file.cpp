#include "cli/limit_file.h"

// One of toml++ 3.3 fails for letters that TOML 1.1 alone takes in bare keys (U+00BD); without it the error is a message.
#define TOML_ASSERT(expr) static_cast<void>(0)
#include <toml++/toml.h>

#include "support/text.h"

namespace swrun {
namespace {

// Collects the first mistake; reading goes on without effect.
class Reader {
public:
    explicit Reader(const std::string& path) : path_(path) {}

    template <class T> void number(const toml::table& table, std::string_view key, std::optional<T>& into) {
        const toml::node* node = table.get(key);
        if (node == nullptr) return;
        const auto value = node->value_exact<std::int64_t>();
        if (!value || (std::is_unsigned_v<T> && *value < 0)) return wrong(*node, key, "a whole number");
        into = static_cast<T>(*value);
    }
    void text(const toml::table& table, std::string_view key, std::string& into) {
        const toml::node* node = table.get(key);
        if (node == nullptr) return;
        const auto value = node->value_exact<std::string>();
        if (!value) return wrong(*node, key, "a text in quotes");
        into = *value;
    }
    const toml::table* table(const toml::table& in, std::string_view key) {
        const toml::node* node = in.get(key);
        if (node == nullptr) return nullptr;
        if (node->as_table() == nullptr) wrong(*node, key, "a table");
        return node->as_table();
    }
    template <class Act> void each(const toml::table& in, std::string_view key, Act act) {
        const toml::node* node = in.get(key);
        if (node == nullptr) return;
        const toml::array* list = node->as_array();
        if (list == nullptr) return wrong(*node, key, "a list of tables");
        for (const toml::node& entry : *list) {
            if (entry.as_table() == nullptr) return wrong(entry, key, "a list of tables");
            act(*entry.as_table());
        }
    }
    void wrong(const toml::node& node, std::string_view key, std::string_view wanted) {
        if (error_) return;
        const toml::source_position at = node.source().begin;
        error_ = make_error(Error::Kind::request, path_ + ":" + std::to_string(at.line) + ":" +
                                                      std::to_string(at.column) + ": " + std::string(key) +
                                                      " must be " + std::string(wanted));
    }
    [[nodiscard]] const std::optional<Error>& error() const { return error_; }

private:
    const std::string& path_;
    std::optional<Error> error_;
};

void read_memory(Reader& reader, const toml::table& table, LimitValues& values) {
    reader.number(table, "limit", values.memory);
    reader.number(table, "reservation", values.memory_reservation);
    reader.number(table, "swap", values.memory_swap);
    const toml::node* node = table.get("disableOOMKiller");
    if (node == nullptr) return;
    if (!node->is_boolean()) return reader.wrong(*node, "disableOOMKiller", "true or false");
    values.oom_kill_disable = node->value_exact<bool>().value_or(false);
}

void read_cpu(Reader& reader, const toml::table& table, LimitValues& values) {
    reader.number(table, "shares", values.cpu_shares);
    reader.number(table, "quota", values.cpu_quota);
    reader.number(table, "period", values.cpu_period);
    reader.text(table, "cpus", values.cpuset_cpus);
    reader.text(table, "mems", values.cpuset_mems);
}

LimitValues::Device read_device(Reader& reader, const toml::table& table, std::string_view value_key) {
    std::optional<std::uint64_t> major;
    std::optional<std::uint64_t> minor;
    std::optional<std::uint64_t> value;
    reader.number(table, "major", major);
    reader.number(table, "minor", minor);
    reader.number(table, value_key, value);
    return {std::to_string(major.value_or(0)) + ":" + std::to_string(minor.value_or(0)), value.value_or(0)};
}

void read_block_io(Reader& reader, const toml::table& table, LimitValues& values) {
    reader.number(table, "weight", values.blkio_weight);
    reader.each(table, "weightDevice", [&](const toml::table& entry) {
        values.blkio_weight_device.push_back(read_device(reader, entry, "weight"));
    });
    constexpr std::pair<const char*, const char*> kThrottles[] = {{"throttleReadBpsDevice", "rbps"},
                                                                  {"throttleWriteBpsDevice", "wbps"},
                                                                  {"throttleReadIOPSDevice", "riops"},
                                                                  {"throttleWriteIOPSDevice", "wiops"}};
    for (const auto& [key, kind] : kThrottles) {
        reader.each(table, key, [&, name = std::string(kind)](const toml::table& entry) {
            values.throttles.emplace_back(name, read_device(reader, entry, "rate"));
        });
    }
}

void read_unified(Reader& reader, const toml::table& table, LimitValues& values) {
    for (const auto& [key, node] : table) {
        std::string value;
        reader.text(table, key.str(), value);
        values.unified.emplace_back(std::string(key.str()), std::move(value));
    }
}

void read_others(Reader& reader, const toml::table& root, LimitValues& values) {
    reader.each(root, "hugepageLimits", [&](const toml::table& entry) {
        std::string size;
        std::optional<std::uint64_t> limit;
        reader.text(entry, "pageSize", size);
        reader.number(entry, "limit", limit);
        values.unified.emplace_back("hugetlb." + size + ".max", std::to_string(limit.value_or(0)));
    });
    if (root.contains("devices")) {
        values.notes.push_back({Level::warning, "Device limits will not be applied with rootless cgroups"});
    }
    for (const char* key : {"network", "rdma"}) {
        if (root.contains(key)) {
            values.notes.push_back({Level::warning, std::string("limits of [") + key + "] are not applied"});
        }
    }
}

}  // namespace

Result<LimitValues> parse_limit_file(std::string_view text, const std::string& path) {
    const toml::parse_result parsed = toml::parse(text, path);
    if (!parsed) {
        const toml::source_position at = parsed.error().source().begin;
        return make_error(Error::Kind::request, path + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) +
                                                    ": " + std::string(parsed.error().description()));
    }
    const toml::table& root = parsed.table();
    Reader reader(path);
    LimitValues values;
    if (const toml::table* table = reader.table(root, "memory")) read_memory(reader, *table, values);
    if (const toml::table* table = reader.table(root, "cpu")) read_cpu(reader, *table, values);
    if (const toml::table* table = reader.table(root, "pids")) reader.number(*table, "limit", values.pids);
    if (const toml::table* table = reader.table(root, "blockIO")) read_block_io(reader, *table, values);
    if (const toml::table* table = reader.table(root, "unified")) read_unified(reader, *table, values);
    read_others(reader, root, values);
    if (reader.error()) return *reader.error();
    return values;
}

}  // namespace swrun
