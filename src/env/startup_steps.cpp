#include "env/startup_steps.h"

#include "env/env_names.h"
#include "support/path.h"
#include "support/text.h"

namespace swrun {

namespace {

// The inside of a double-quoted word: a double quote that is not already escaped becomes literal, and
// a last backslash cannot escape the closing quote.
std::string double_quoted(std::string_view value) {
    std::string text = "\"";
    bool escaped = false;
    for (const char c : value) {
        if (c == '"' && !escaped) text += '\\';
        escaped = c == '\\' && !escaped;
        text += c;
    }
    if (escaped) text += '\\';
    return text + "\"";
}

bool is_path_name(std::string_view name) { return name == "PATH" || name == "PREPEND_PATH" || name == "APPEND_PATH"; }

}  // namespace

std::vector<StartupStep> startup_steps(const StartupPlan& plan) {
    using Kind = StartupStep::Kind;
    std::vector<StartupStep> steps;
    bool forced = false;
    for (std::size_t i = 0; i < plan.files.size(); ++i) {
        const std::string_view name = base_name(plan.files[i].path);
        if (plan.has_env_directory && name == "90-environment.sh") steps.push_back({Kind::default_path, 0});
        steps.push_back({Kind::source, i});
        const bool oci = name == "10-docker.sh" || name == "10-docker2singularity.sh";
        if (oci || !plan.has_env_directory) steps.push_back({Kind::complete_path, 0});
        if (plan.has_env_directory && name == "99-base.sh") {
            steps.push_back({Kind::overrides, 0});
            steps.push_back({Kind::libraries, 0});
            forced = true;
        }
    }
    if (!forced) {
        steps.push_back({Kind::overrides, 0});
        steps.push_back({Kind::libraries, 0});
    }
    return steps;
}

std::string complete_path(std::string_view path) {
    std::string full(path);
    const std::vector<std::string_view> present = split(path, ':');
    for (const std::string_view wanted : split(kDefaultPath, ':')) {
        bool found = false;
        for (const std::string_view each : present) found = found || each == wanted;
        if (found) continue;
        if (!full.empty()) full += ':';
        full += wanted;
    }
    return full;
}

std::string override_text(const EnvOverride& override_value, bool no_eval) {
    const std::string prefix(is_path_name(override_value.name) ? kUserPathPrefix : "");
    const std::string word = no_eval ? shell_quote(override_value.value) : double_quoted(override_value.value);
    return "export " + prefix + override_value.name + "=" + word;
}

bool is_visible_to_image(std::string_view name) {
    return is_listed(name, kProtectedNames) || is_listed(name, kVisibleNames);
}

}  // namespace swrun
