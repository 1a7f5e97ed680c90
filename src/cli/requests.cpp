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

std::optional<std::string> fill_cache(const Settings& settings, const CommandLine&, Invocation& into) {
    CacheRequest& ask = into.cache;
    const std::vector<std::string> types = words_of(settings, O::cache_type);
    for (const std::string& type : types) ask.all_types = ask.all_types && type == "all";
    ask.verbose = flag_of(settings, O::cache_verbose).value;
    ask.dry_run = flag_of(settings, O::cache_dry_run).value;
    ask.force = flag_of(settings, O::cache_force).value;
    ask.days = number_of(settings, O::cache_days, 0);
    return std::nullopt;
}

std::optional<std::string> fill_config_show(const Settings& settings, const CommandLine&, Invocation& into) {
    into.config.settings = shown_settings(settings);
    return std::nullopt;
}

std::optional<std::string> fill_config_global(const Settings& settings, const CommandLine& line, Invocation& into) {
    using Operation = ConfigRequest::Operation;
    ConfigRequest& ask = into.config;
    ask.settings = shown_settings(settings);
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

std::optional<std::string> fill_overlay(const Settings& settings, const CommandLine& line, Invocation& into) {
    OverlayRequest& ask = into.overlay;
    ask.file = line.words[0];
    ask.mebibytes = number_of(settings, O::overlay_size, ask.mebibytes);
    ask.sparse = flag_of(settings, O::overlay_sparse).value;
    ask.fakeroot = flag_of(settings, O::fakeroot).value;
    ask.directories = words_of(settings, O::overlay_directory);
    return std::nullopt;
}

std::optional<std::string> fill_instance(const Settings& settings, const CommandLine& line, Invocation& into) {
    InstanceRequest& ask = into.instance;
    if (line.command == Command::instance_stop && line.words.empty() && !flag_of(settings, O::instance_all).value) {
        return "invalid command";
    }
    if (!line.words.empty()) ask.pattern = line.words[0];
    ask.user = text_of(settings, O::instance_user).value.value_or("");
    ask.signal = text_of(settings, O::instance_signal).value.value_or("");
    ask.timeout = number_of(settings, O::instance_timeout, ask.timeout);
    ask.json = flag_of(settings, O::instance_json).value;
    ask.logs = flag_of(settings, O::instance_logs).value;
    ask.force = flag_of(settings, O::instance_force).value;
    ask.no_stream = flag_of(settings, O::instance_no_stream).value;
    return std::nullopt;
}

// What each of these commands takes from its line; commands without a row take nothing.
struct Filler {
    Command command;
    std::optional<std::string> (*fill)(const Settings& settings, const CommandLine& line, Invocation& into);
};

std::optional<std::string> fill_sif_file(const Settings&, const CommandLine& line, Invocation& into) {
    into.sif.file = line.words[0];
    return std::nullopt;
}

std::optional<std::string> fill_sif_object(const Settings&, const CommandLine& line, Invocation& into) {
    into.sif.file = line.words[1];
    return parse_object_id(line.words[0], into.sif.id);
}

std::optional<std::string> fill_capabilities(const Settings&, const CommandLine& line, Invocation& into) {
    into.capability_names = line.words.empty() ? "" : line.words[0];
    return std::nullopt;
}

constexpr Filler kFillers[] = {
    {Command::sif_list, fill_sif_file},
    {Command::sif_header, fill_sif_file},
    {Command::sif_info, fill_sif_object},
    {Command::sif_dump, fill_sif_object},
    {Command::cache_list, fill_cache},
    {Command::cache_clean, fill_cache},
    {Command::config_show, fill_config_show},
    {Command::config_global, fill_config_global},
    {Command::capability_list, fill_capabilities},
    {Command::capability_avail, fill_capabilities},
    {Command::overlay_create, fill_overlay},
    {Command::instance_list, fill_instance},
    {Command::instance_stats, fill_instance},
    {Command::instance_stop, fill_instance},
};

}  // namespace

std::optional<std::string> fill_small_request(const Settings& settings, const CommandLine& line, Invocation& into) {
    for (const auto& [command, fill] : kFillers) {
        if (command == *line.command) return fill(settings, line, into);
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
    for (const OptionSpec& spec : options_of(commands_in(CommandGroup::launching))) {
        for (const auto& [value, origin] : settings.of(spec.id)) {
            shown.push_back({"--" + std::string(spec.name), value, origin});
        }
    }
    return shown;
}

}  // namespace swrun
