#include "cli/variables.h"

#include <array>

#include "cli/values.h"
#include "support/text.h"

namespace swrun {
namespace {

constexpr std::array<std::string_view, 3> kPrefixes = {"SWRUN_", "APPTAINER_", "SINGULARITY_"};
constexpr std::size_t kApptainer = 1;
constexpr std::size_t kSingularity = 2;

std::string full_name(std::size_t prefix, std::string_view key) { return std::string(kPrefixes[prefix]).append(key); }

std::size_t prefix_of(std::string_view name) {
    for (std::size_t i = 0; i < kPrefixes.size(); ++i) {
        if (name.starts_with(kPrefixes[i])) return i;
    }
    return kPrefixes.size();
}

bool is_blank(std::string_view value) { return trim(value).empty(); }

Error bad_value(const OptionSpec& spec, const Variables::Found& found, const std::string& fault) {
    Error error = make_error(Error::Kind::request,
                             "While parsing environment variables: while updating flags from environment: \n"
                             "unable to set flag " +
                                 std::string(spec.name) + " to value " + std::string(found.value) + ": " + fault);
    error.add_context("reading the variable " + found.name);
    return error;
}

// --bind and --mount collect from every variable that is in force, by prefix, then by key.
void append_all(const Variables& variables, const OptionSpec& spec, Settings& settings, std::vector<Note>& notes) {
    List values = settings.of(spec.id);
    for (const std::string_view prefix : kPrefixes) {
        for (const std::string_view key : spec.keys) {
            const auto found = key.empty() ? std::nullopt : variables.find(key);
            if (!found || is_blank(found->value) || !found->name.starts_with(prefix)) continue;
            variables.explain(key, notes);
            values.push_back({std::string(found->value), {Origin::Kind::variable, found->name}});
        }
    }
    if (!values.empty()) settings.set(spec.id, std::move(values));
}

Status set_first(const Variables& variables, const OptionSpec& spec, Settings& settings, std::vector<Note>& notes) {
    const OptionId id = canonical(spec.id);
    for (const std::string_view key : spec.keys) {
        if (key.empty() || settings.has(id)) return Unit{};
        const auto found = variables.find(key, spec.own);
        if (!found || is_blank(found->value)) continue;
        if (!spec.own) variables.explain(key, notes);
        std::string value(found->value);
        if (spec.kind == ValueKind::boolean || spec.kind == ValueKind::number) {
            if (const auto fault = fault_of(spec.kind, value)) return bad_value(spec, *found, *fault);
        }
        if (spec.kind == ValueKind::boolean) value = parse_bool(value).value_or(false) ? "true" : "false";
        List values;
        for (std::string& element : elements_of_variable(spec.kind, value)) {
            values.push_back({std::move(element), {Origin::Kind::variable, found->name}});
        }
        settings.set(id, std::move(values));
    }
    return Unit{};
}

}  // namespace

Variables::Variables(Environment environment) : environment_(environment) {
    for (const auto& [name, value] : environment) {
        const std::size_t prefix = prefix_of(name);
        if (prefix == kPrefixes.size()) continue;
        const std::string_view key = std::string_view(name).substr(kPrefixes[prefix].size());
        entries_.push_back({prefix, key, value});
    }
}

// Of two with one name the first counts, as for getenv(3).
const Variables::Entry* Variables::entry(std::size_t prefix, std::string_view key) const {
    for (const Entry& one : entries_) {
        if (one.prefix == prefix && one.key == key) return &one;
    }
    return nullptr;
}

std::optional<Variables::Found> Variables::find(std::string_view key, bool own_prefix_only) const {
    for (std::size_t prefix = 0; prefix < (own_prefix_only ? 1 : kPrefixes.size()); ++prefix) {
        if (const Entry* one = entry(prefix, key)) return Found{full_name(prefix, key), one->value};
    }
    return std::nullopt;
}

void Variables::explain(std::string_view key, std::vector<Note>& notes) const {
    const Entry* old = entry(kSingularity, key);
    if (old == nullptr || entry(0, key) != nullptr) return;
    const Entry* preferred = entry(kApptainer, key);
    const std::string old_name = full_name(kSingularity, key);
    const std::string new_name = full_name(kApptainer, key);
    if (preferred == nullptr) {
        notes.push_back(
            {Level::verbose, "Environment variable " + old_name + " is set, but " + new_name + " is preferred"});
    } else if (preferred->value != old->value) {
        notes.push_back({Level::warning, old_name + " and " + new_name + " have different values, using the latter"});
    }
}

std::optional<std::string_view> Variables::plain(std::string_view name) const {
    for (const auto& [key, value] : environment_) {
        if (key == name) return value;
    }
    return std::nullopt;
}

Status apply_variables(const Variables& variables, const CommandSet& commands, Settings& settings,
                       std::vector<Note>& notes) {
    for (const OptionSpec& spec : options_of(commands)) {
        if (spec.keys[0].empty()) continue;
        if (spec.support == Support::ignored && spec.reason.empty()) continue;  // nothing would come of it
        if (spec.kind == ValueKind::array) {
            append_all(variables, spec, settings, notes);
        } else {
            SWRUN_CHECK(set_first(variables, spec, settings, notes));
        }
    }
    return Unit{};
}

}  // namespace swrun
