#include "env/env_rules.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "env/env_names.h"
#include "support/text.h"

namespace swrun {

namespace {

constexpr std::string_view kNewPrefix = "APPTAINERENV_";
constexpr std::string_view kOldPrefix = "SINGULARITYENV_";

// Never taken from the caller.  The second row is what a shell keeps for itself: it would not survive
// the image's files either.
constexpr std::array<std::string_view, 8> kNeverForwarded = {"HOME",   "PATH", "LD_LIBRARY_PATH", "IFS",
                                                             "OPTIND", "PPID", "RANDOM",          "DIRSTACK"};

// Forwarded even with --cleanenv.
constexpr std::array<std::string_view, 11> kAlwaysForwarded = {"TERM",        "http_proxy", "HTTP_PROXY", "https_proxy",
                                                               "HTTPS_PROXY", "no_proxy",   "NO_PROXY",   "all_proxy",
                                                               "ALL_PROXY",   "ftp_proxy",  "FTP_PROXY"};

constexpr std::array<std::string_view, 5> kNotOverridable = {"HOME", "APPTAINER_SHELL", "SINGULARITY_SHELL",
                                                             "APPTAINER_APPNAME", "SINGULARITY_APPNAME"};

// One wish for an override, before ranks are compared.
struct Wish {
    EnvOverride value;
    std::string shown;  // the variable that says it, for messages
};

void warn(std::vector<Note>& notes, std::string text) { notes.push_back({Level::warning, std::move(text)}); }

// May this name be forced at all?  Says why not.
bool is_allowed(const Wish& wish, std::vector<Note>& notes) {
    const std::string& name = wish.value.name;
    if (name.empty()) {
        if (wish.value.origin.kind == Origin::Kind::argument) {
            warn(notes, "Ignore environment variable =" + printable(wish.value.value) + ": variable name missing");
        }
        return false;
    }
    if (!is_identifier(name)) {
        warn(notes, "Ignore environment variable " + printable(wish.shown) + ": " + printable(name) +
                        " is not a valid variable name");
        return false;
    }
    if (is_listed(name, kNotOverridable)) {
        warn(notes, "Overriding " + name + " environment variable with " + wish.shown + " is not permitted");
        return false;
    }
    if (name == "EUID" || name == "UID" || name == "GID" || name == "PWD") {
        notes.push_back({name == "EUID" ? Level::warning : Level::verbose, name + ": readonly variable"});
        return false;
    }
    return true;
}

// Keeps the first place of a name and the last value.
void put(std::vector<EnvOverride>& list, const EnvOverride& value) {
    const auto same = std::find_if(list.begin(), list.end(), [&](const auto& each) { return each.name == value.name; });
    if (same == list.end()) {
        list.push_back(value);
    } else {
        *same = value;
    }
}

std::vector<Wish> wishes_with_prefix(const std::map<std::string, Variable>& caller, std::string_view prefix) {
    std::vector<Wish> wishes;
    for (const auto& [name, variable] : caller) {
        if (!name.starts_with(prefix) || name.size() == prefix.size()) continue;
        wishes.push_back({{name.substr(prefix.size()), variable.value, {Origin::Kind::variable, name}}, name});
    }
    return wishes;
}

// The old spelling loses against everything else of the same name, with the words that people know.
bool old_spelling_counts(const Wish& old, const std::map<std::string, std::string>& stronger,
                         std::vector<Note>& notes) {
    const std::string fresh = std::string(kNewPrefix) + old.value.name;
    const auto found = stronger.find(old.value.name);
    if (found == stronger.end()) {
        notes.push_back(
            {Level::verbose, "Environment variable " + old.shown + " is set, but " + fresh + " is preferred"});
        return true;
    }
    if (found->second == old.value.value) return false;
    warn(notes, old.shown + " and " + fresh + " have different values, using the latter");
    warn(notes, "Skipping environment variable [" + old.shown + "=" + printable(old.value.value) + "], " +
                    old.value.name + " is already overridden with different value [" + printable(found->second) + "]");
    return false;
}

std::vector<EnvOverride> make_overrides(const EnvInputs& inputs, const std::map<std::string, Variable>& caller,
                                        std::vector<Note>& notes) {
    std::vector<EnvOverride> from_options;
    const auto add_option = [&](const EnvOverride& value) {
        if (is_allowed({value, std::string(kNewPrefix) + value.name}, notes)) put(from_options, value);
    };
    for (const EnvOverride& value : inputs.env_file_values) add_option(value);
    std::set<std::string> in_files;
    for (const EnvOverride& value : from_options) in_files.insert(value.name);
    for (const EnvOverride& value : inputs.request.overrides) {
        if (in_files.contains(value.name)) {
            notes.push_back(
                {Level::verbose, "Ignored environment file variable " + value.name + ": override from --env"});
        }
        add_option(value);
    }

    std::map<std::string, std::string> stronger;
    for (const EnvOverride& value : from_options) stronger[value.name] = value.value;
    std::map<std::string, EnvOverride> prefixed;
    for (const Wish& wish : wishes_with_prefix(caller, kNewPrefix)) {
        if (!is_allowed(wish, notes)) continue;
        prefixed[wish.value.name] = wish.value;
        stronger.try_emplace(wish.value.name, wish.value.value);
    }
    for (const Wish& wish : wishes_with_prefix(caller, kOldPrefix)) {
        if (!is_allowed(wish, notes)) continue;
        if (old_spelling_counts(wish, stronger, notes)) prefixed[wish.value.name] = wish.value;
    }

    std::vector<EnvOverride> result;
    for (const auto& [name, value] : prefixed) result.push_back(value);
    for (const EnvOverride& value : from_options) put(result, value);
    return result;
}

bool is_kept(const std::string& name, const LaunchRequest& request) {
    return std::any_of(request.keep_env.begin(), request.keep_env.end(), [&](const Asked<std::string>& kept) {
        const std::string_view pattern = kept.value;
        return pattern.ends_with('*') ? name.starts_with(pattern.substr(0, pattern.size() - 1)) : name == pattern;
    });
}

bool is_forwarded(const std::string& name, const LaunchRequest& request) {
    if (name.starts_with("APPTAINER_") || name.starts_with("SINGULARITY_")) return false;
    if (name.starts_with(kNewPrefix) || name.starts_with(kOldPrefix)) return false;
    if (is_listed(name, kNeverForwarded)) return false;
    for (const Asked<std::string>& left_out : request.no_env) {
        if (left_out.value == name) return false;
    }
    return !wants_clean_environment(request) || is_listed(name, kAlwaysForwarded) || is_kept(name, request);
}

std::vector<std::pair<std::string, std::string>> runtime_variables(const EnvInputs& inputs) {
    const LaunchRequest& request = inputs.request;
    std::vector<std::pair<std::string, std::string>> list;
    const auto both = [&](const std::string& suffix, const std::string& value) {
        list.emplace_back("APPTAINER_" + suffix, value);
        list.emplace_back("SINGULARITY_" + suffix, value);
    };
    both("CONTAINER", inputs.image.path);
    both("NAME", inputs.image.name);
    both("BIND", join(inputs.bind_targets, ","));
    both("ENVIRONMENT", std::string(kCustomEnvFile));
    if (!request.instance.empty()) both("INSTANCE", request.instance);
    list.emplace_back("APPTAINER_COMMAND", action_name(request.action));
    const std::string app = request.app.value.value_or("");
    list.emplace_back("APPTAINER_APPNAME", app);
    if (!app.empty()) list.emplace_back("SINGULARITY_APPNAME", app);
    const std::string shell = request.shell.value.value_or("");
    if (request.action == Action::shell && !shell.empty()) both("SHELL", shell);
    if (request.no_eval.value || request.compat.value) both("NO_EVAL", "1");
    return list;
}

// The caller's variables by name, with the site's defaults where he has none.  Of a name that occurs
// twice the first counts, as for getenv(3).
std::map<std::string, Variable> caller_variables(const EnvInputs& inputs) {
    std::map<std::string, Variable> caller;
    for (const auto& [name, value] : inputs.host.environment) {
        if (!name.empty()) caller.try_emplace(name, Variable{name, value, "caller"});
    }
    for (const EnvOverride& value : inputs.request.site_env) {
        if (!value.name.empty())
            caller.try_emplace(value.name, Variable{value.name, value.value, to_text(value.origin)});
    }
    return caller;
}

}  // namespace

bool wants_clean_environment(const LaunchRequest& request) {
    return request.cleanenv.value || request.containall.value || request.compat.value;
}

EnvRules apply_env_rules(const EnvInputs& inputs) {
    EnvRules rules;
    const std::map<std::string, Variable> caller = caller_variables(inputs);
    rules.overrides = make_overrides(inputs, caller, rules.notes);
    std::set<std::string> forced;
    for (EnvOverride& value : rules.overrides) {
        forced.insert(value.name);
        // The directory of injected libraries stays reachable whatever the user asks for.
        if (value.name == "LD_LIBRARY_PATH" && !value.value.empty())
            value.value += ":" + std::string(kLibraryDirectory);
    }

    std::map<std::string, Variable> forwarded;
    for (const auto& [name, variable] : caller) {
        if (is_forwarded(name, inputs.request) && !forced.contains(name)) forwarded[name] = variable;
    }
    const auto provide = [&](const std::string& name, const std::string& value) {
        forwarded[name] = {name, value, "swrun"};
    };
    if (!wants_clean_environment(inputs.request)) {
        const auto path = caller.find("PATH");
        if (!forced.contains("USER_PATH")) {
            provide("USER_PATH", (path == caller.end() ? "" : path->second.value) +
                                     ":/bin:/usr/bin:/sbin:/usr/sbin:/usr/local/bin:/usr/local/sbin");
        }
    } else if (!forced.contains("LANG") && !forwarded.contains("LANG")) {
        provide("LANG", "C");
    }
    provide("HOME", inputs.home);
    provide("PATH", std::string(kDefaultPath));
    for (const auto& [name, value] : runtime_variables(inputs)) provide(name, value);
    for (auto& [name, variable] : forwarded) rules.forwarded.push_back(std::move(variable));
    return rules;
}

StartupPlan make_startup_plan(const EnvInputs& inputs, std::vector<Note>& notes) {
    EnvRules rules = apply_env_rules(inputs);
    notes.insert(notes.end(), rules.notes.begin(), rules.notes.end());
    StartupPlan plan;
    plan.forwarded = std::move(rules.forwarded);
    plan.overrides = std::move(rules.overrides);
    plan.no_eval = inputs.request.no_eval.value || inputs.request.compat.value;
    plan.strict = inputs.request.strict_compat.value;
    plan.app = inputs.request.app.value.value_or("");
    if (inputs.request.action == Action::shell) plan.shell = inputs.request.shell.value.value_or("");
    plan.script_name = std::string("/.singularity.d/actions/") + action_name(inputs.request.action);
    // What `shell` is given beside the image is ignored (with a warning), so its files do not see it either.
    if (inputs.request.action != Action::shell) plan.positional = inputs.request.arguments;
    return plan;
}

}  // namespace swrun
