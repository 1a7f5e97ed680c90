#include "cli/requests.h"

#include <limits>

#include "cli/precedence.h"
#include "cli/values.h"
#include "support/path.h"
#include "support/text.h"

namespace swrun {
namespace {

using O = OptionId;

// The wording is that of Go's number parser, which tools see from Apptainer.
std::optional<std::string> parse_object_id(const std::string& word, std::uint32_t& id) {
    const std::optional<std::uint64_t> number = parse_decimal(word);
    const bool digits = !word.empty() && word.find_first_not_of("0123456789") == std::string::npos;
    if (number && *number <= std::numeric_limits<std::uint32_t>::max()) {
        id = static_cast<std::uint32_t>(*number);
        return std::nullopt;
    }
    return "while converting id: strconv.ParseUint: parsing " + quote_text(word) +
           (digits ? ": value out of range" : ": invalid syntax");
}

std::int64_t number_of(const Settings& settings, OptionId id, std::int64_t otherwise) {
    const Text text = text_of(settings, id);
    return text.value ? parse_number(*text.value).value_or(otherwise) : otherwise;
}

std::vector<std::string> words_of(const Settings& settings, OptionId id) {
    std::vector<std::string> words;
    for (const auto& one : settings.of(id)) words.push_back(one.value);
    return words;
}

void fill_cache(const Settings& settings, CacheRequest& ask) {
    const std::vector<std::string> types = words_of(settings, O::cache_type);
    for (const std::string& type : types) ask.all_types = ask.all_types && type == "all";
    ask.verbose = flag_of(settings, O::cache_verbose).value;
    ask.dry_run = flag_of(settings, O::cache_dry_run).value;
    ask.force = flag_of(settings, O::cache_force).value;
    ask.days = number_of(settings, O::cache_days, 0);
}

std::optional<std::string> fill_config(const Settings& settings, const CommandLine& line, ConfigRequest& ask) {
    using Operation = ConfigRequest::Operation;
    ask.directive = line.words[0];
    const auto on = [&](OptionId id) { return flag_of(settings, id).value; };
    if (on(O::config_set) || on(O::config_unset) || on(O::config_reset)) {
        ask.operation = Operation::write;
    } else if (on(O::config_get)) {
        ask.operation = Operation::get;
    } else {
        return "you must specify an option (eg: --set/--unset)";
    }
    return std::nullopt;
}

void fill_overlay(const Settings& settings, const CommandLine& line, OverlayRequest& ask) {
    ask.file = line.words[0];
    ask.mebibytes = number_of(settings, O::overlay_size, ask.mebibytes);
    ask.sparse = flag_of(settings, O::overlay_sparse).value;
    ask.fakeroot = flag_of(settings, O::fakeroot).value;
    ask.directories = words_of(settings, O::overlay_directory);
}

}  // namespace

std::optional<std::string> fill_small_request(const Settings& settings, const CommandLine& line, Invocation& into) {
    const std::vector<std::string>& words = line.words;
    switch (*line.command) {
        case Command::sif_list:
        case Command::sif_header: into.sif.file = words[0]; return std::nullopt;
        case Command::sif_info:
        case Command::sif_dump: into.sif.file = words[1]; return parse_object_id(words[0], into.sif.id);
        case Command::cache_list:
        case Command::cache_clean: fill_cache(settings, into.cache); return std::nullopt;
        case Command::config_show: into.config.settings = shown_settings(settings); return std::nullopt;
        case Command::config_global:
            into.config.settings = shown_settings(settings);
            return fill_config(settings, line, into.config);
        case Command::capability_list:
        case Command::capability_avail: into.capability_names = words.empty() ? "" : words[0]; return std::nullopt;
        case Command::overlay_create: fill_overlay(settings, line, into.overlay); return std::nullopt;
        case Command::exec:
        case Command::run:
        case Command::shell:
        case Command::test:
        case Command::inspect:
        case Command::run_help:
        case Command::doctor:
        case Command::wrapper:
        case Command::version:
        case Command::help:
        case Command::man:
        case Command::completion:
        case Command::sif:
        case Command::cache:
        case Command::config:
        case Command::capability:
        case Command::overlay:
        case Command::elsewhere: return std::nullopt;
    }
    return std::nullopt;
}

std::string cache_directory(const Variables& variables, const std::string& home) {
    if (const auto found = variables.find("CACHEDIR"); found && found->value.starts_with('/')) {
        return join_path(found->value, "swrun");
    }
    const std::string_view xdg = variables.plain("XDG_CACHE_HOME").value_or("");
    if (xdg.starts_with('/')) return join_path(xdg, "swrun");
    return home.empty() ? "" : join_path(home, ".cache/swrun");
}

std::vector<ShownSetting> shown_settings(const Settings& settings) {
    std::vector<ShownSetting> shown;
    for (const OptionSpec& spec : options()) {
        if ((spec.commands & kLaunchMask) == 0) continue;
        for (const auto& [value, origin] : settings.of(spec.id)) {
            shown.push_back({"--" + std::string(spec.name), value, origin});
        }
    }
    return shown;
}

}  // namespace swrun
