#include "cli/site_file.h"

// One of toml++ 3.3 fails for letters that TOML 1.1 alone takes in bare keys (U+00BD); without it the error is a message.
#define TOML_ASSERT(expr) static_cast<void>(0)
#include <toml++/toml.h>

#include <algorithm>
#include <optional>

#include "cli/name_list.h"
#include "support/path.h"
#include "support/text.h"

namespace swrun {
namespace {

// Where we are: made once per file, and names every position.
class Reader {
public:
    Reader(const std::string& path, Origin::Kind kind, const std::string& home)
        : path_(path), kind_(kind), home_(home) {}

    Result<SiteFile> file(const toml::table& root) const;

private:
    [[nodiscard]] Origin origin(const toml::node& node) const {
        return {kind_, path_ + ":" + std::to_string(node.source().begin.line)};
    }
    [[nodiscard]] Error wrong(const toml::source_region& at, std::string what) const {
        return make_error(Error::Kind::request, path_ + ":" + std::to_string(at.begin.line) + ":" +
                                                    std::to_string(at.begin.column) + ": " + std::move(what));
    }
    [[nodiscard]] Error wrong_type(const toml::node& node, std::string_view key, std::string_view wanted) const {
        return wrong(node.source(), std::string(key) + " must be " + std::string(wanted));
    }
    [[nodiscard]] Error unknown(const toml::key& key, std::string_view where, std::string_view allowed) const {
        return wrong(key.source(), "unknown key " + std::string(key.str()) + std::string(where))
            .with_hint("allowed: " + std::string(allowed));
    }

    Status table_entry(const toml::key& key, const toml::node& node, SiteTables& into, bool& known) const;
    Status binds(const toml::node& node, SiteTables& into) const;
    Result<BindSpec> bind(const toml::table& table) const;
    Status environment(const toml::node& node, SiteTables& into) const;
    Status defaults(const toml::node& node, SiteTables& into) const;
    Result<SiteDefault> value_of(const OptionSpec& spec, std::string_view key, const toml::node& node) const;
    Status profiles(const toml::node& node, SiteFile& into) const;

    const std::string& path_;
    Origin::Kind kind_;
    const std::string& home_;
};

std::string dashed(std::string_view key) {
    std::string name(key);
    std::replace(name.begin(), name.end(), '_', '-');
    return name;
}

// May a site file give this option of a launch a value?  Binds and variables have tables of their own.
bool can_default(const OptionSpec& spec) {
    return spec.support == Support::yes && spec.kind != ValueKind::array && spec.kind != ValueKind::map &&
           spec.id != OptionId::profile && spec.id != OptionId::help && spec.section != OptionSection::seeing;
}

std::string names_of_defaults() {
    std::string names;
    for (const OptionSpec& spec : options_of(commands_in(CommandGroup::launching))) {
        if (!can_default(spec) || spec.hidden) continue;
        std::string name(spec.name);
        std::replace(name.begin(), name.end(), '-', '_');
        append_name(names, ", ", name);
    }
    return names;
}

Result<SiteFile> Reader::file(const toml::table& root) const {
    SiteFile result;
    for (const auto& [key, node] : root) {
        bool known = false;
        SWRUN_CHECK(table_entry(key, node, result.base, known));
        if (known) continue;
        if (key == "profile") {
            SWRUN_CHECK(profiles(node, result));
        } else if (key == "default_profile") {
            const auto name = node.value_exact<std::string>();
            if (!name) return wrong_type(node, key.str(), "the name of a profile in quotes");
            result.default_profile = {*name, origin(node)};
        } else {
            return unknown(key, "", "bind, environment, defaults, profile, default_profile");
        }
    }
    return result;
}

Status Reader::table_entry(const toml::key& key, const toml::node& node, SiteTables& into, bool& known) const {
    known = true;
    if (key == "bind") return binds(node, into);
    if (key == "environment") return environment(node, into);
    if (key == "defaults") return defaults(node, into);
    known = false;
    return Unit{};
}

Status Reader::binds(const toml::node& node, SiteTables& into) const {
    constexpr std::string_view kWanted = "a list of tables: write [[bind]] above each";
    const toml::array* list = node.as_array();
    if (list == nullptr) return wrong_type(node, "bind", kWanted);
    for (const toml::node& entry : *list) {
        const toml::table* table = entry.as_table();
        if (table == nullptr) return wrong_type(entry, "bind", kWanted);
        SWRUN_TRY(BindSpec spec, bind(*table));
        into.binds.push_back(std::move(spec));
    }
    return Unit{};
}

Result<BindSpec> Reader::bind(const toml::table& table) const {
    BindSpec spec;
    spec.required = false;
    spec.origin = origin(table);
    for (const auto& [key, node] : table) {
        const bool is_path = key == "source" || key == "target";
        if (is_path) {
            auto value = node.value_exact<std::string>();
            if (!value) return wrong_type(node, key.str(), "a path in quotes");
            if (key == "source" && (*value == "~" || value->starts_with("~/"))) value->replace(0, 1, home_);
            if (!value->starts_with("/")) return wrong_type(node, key.str(), "an absolute path");
            (key == "source" ? spec.source : spec.target) = clean_path(*value);
        } else if (key == "read_only" || key == "required") {
            const auto value = node.value_exact<bool>();
            if (!value) return wrong_type(node, key.str(), "true or false");
            (key == "required" ? spec.required : spec.read_only) = *value;
        } else {
            return unknown(key, " in [[bind]]", "source, target, read_only, required");
        }
    }
    if (spec.source.empty()) return wrong(table.source(), "[[bind]] needs a source");
    if (spec.target.empty()) spec.target = spec.source;
    return spec;
}

Status Reader::environment(const toml::node& node, SiteTables& into) const {
    const toml::table* table = node.as_table();
    if (table == nullptr) return wrong_type(node, "environment", "a table: write [environment] above it");
    for (const auto& [key, value] : *table) {
        if (!is_identifier(key.str())) {
            return wrong(key.source(), std::string(key.str()) + " is not the name of a variable")
                .with_hint("letters, digits and _; no digit first");
        }
        const auto text = value.value_exact<std::string>();
        if (!text) return wrong_type(value, key.str(), "a text in quotes");
        into.environment.push_back({std::string(key.str()), *text, origin(value)});
    }
    return Unit{};
}

Status Reader::defaults(const toml::node& node, SiteTables& into) const {
    const toml::table* table = node.as_table();
    if (table == nullptr) return wrong_type(node, "defaults", "a table: write [defaults] above it");
    for (const auto& [key, value] : *table) {
        const OptionSpec* spec = find_option(commands_in(CommandGroup::launching), dashed(key.str()));
        if (spec == nullptr) return unknown(key, " in [defaults]", names_of_defaults());
        if (spec->support == Support::refused) {
            return wrong(key.source(),
                         "option " + std::string(key.str()) + " is not supported: " + std::string(spec->reason))
                .with_hint(spec->instead);
        }
        if (!can_default(*spec)) {
            const bool bind = spec->kind == ValueKind::array;
            return wrong(key.source(), "option " + std::string(key.str()) + " cannot have a default")
                .with_hint(bind                           ? "write a [[bind]] table"
                           : spec->kind == ValueKind::map ? "write it under [environment]"
                                                          : "allowed: " + names_of_defaults());
        }
        SWRUN_TRY(SiteDefault one, value_of(*spec, key.str(), value));
        into.defaults.push_back(std::move(one));
    }
    return Unit{};
}

Result<SiteDefault> Reader::value_of(const OptionSpec& spec, std::string_view key, const toml::node& node) const {
    SiteDefault result{canonical(spec.id), {}};
    if (spec.kind == ValueKind::boolean) {
        const auto value = node.value_exact<bool>();
        if (!value) return wrong_type(node, key, "true or false");
        result.values.push_back({*value ? "true" : "false", origin(node)});
        return result;
    }
    if (const auto value = node.value_exact<std::string>()) {
        result.values.push_back({*value, origin(node)});
        return result;
    }
    const toml::array* list = spec.kind == ValueKind::slice ? node.as_array() : nullptr;
    if (list == nullptr) {
        return wrong_type(node, key, spec.kind == ValueKind::slice ? "a list of texts in quotes" : "a text in quotes");
    }
    for (const toml::node& entry : *list) {
        const auto value = entry.value_exact<std::string>();
        if (!value) return wrong_type(entry, key, "a list of texts in quotes");
        result.values.push_back({*value, origin(entry)});
    }
    return result;
}

Status Reader::profiles(const toml::node& node, SiteFile& into) const {
    const toml::table* table = node.as_table();
    if (table == nullptr) {
        return wrong_type(node, "profile", "a table: write [profile.NAME] above it")
            .with_hint("to choose one always: default_profile = \"NAME\"");
    }
    for (const auto& [name, content] : *table) {
        const std::string profile = "profile." + std::string(name.str());
        const toml::table* tables = content.as_table();
        if (tables == nullptr) return wrong_type(content, profile, "a table: write [" + profile + "] above it");
        SiteTables result;
        for (const auto& [key, entry] : *tables) {
            bool known = false;
            SWRUN_CHECK(table_entry(key, entry, result, known));
            if (!known) return unknown(key, " in [" + profile + "]", "bind, environment, defaults");
        }
        into.profiles.emplace_back(std::string(name.str()), std::move(result));
    }
    return Unit{};
}

}  // namespace

Result<SiteFile> parse_site_file(std::string_view text, const std::string& path, Origin::Kind kind,
                                 const std::string& home) {
    const toml::parse_result parsed = toml::parse(text, path);
    if (!parsed) {
        const toml::source_position at = parsed.error().source().begin;
        return make_error(Error::Kind::request, path + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) +
                                                    ": " + std::string(parsed.error().description()));
    }
    return Reader(path, kind, home).file(parsed.table());
}

}  // namespace swrun
