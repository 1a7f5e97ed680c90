#include "cli/options.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <array>

#include "cli/completion.h"
#include "cli/help.h"
#include "cli/man.h"
#include "cli/precedence.h"
#include "cli/requests.h"
#include "cli/site_config.h"
#include "cli/transport.h"
#include "cli/values.h"
#include "cli/wrapper.h"
#include "support/text.h"

namespace swrun {
namespace {

using Outcome = std::variant<Invocation, UsageError>;

// Declares one option to CLI11.  Every value is exactly one word: cli/argv_pass has seen to that.  All are
// collected; store() knows where only the last one counts.  `fault` gets the wording that tools know.
CLI::Option* declare(CLI::App& app, const OptionSpec& spec, std::string& fault) {
    CLI::Option* option = app.add_option("--" + std::string(spec.name));
    option->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    if (const auto choices = choices_of(spec); !choices.empty()) {
        option->check(CLI::IsMember(std::vector<std::string>(choices.begin(), choices.end())));
    }
    option->check([&spec, &fault](const std::string& value) {
        const auto why = fault_of(spec.kind, value);
        if (why) fault = invalid_argument(spec, value, *why);
        return why.value_or("");
    });
    return option;
}

void store(const OptionSpec& spec, const std::vector<std::string>& words, Settings& settings) {
    const Origin origin{Origin::Kind::argument, "--" + std::string(spec.name)};
    List values;
    for (const std::string& word : words) {
        if (!is_list(spec.kind)) values.clear();
        for (std::string& element : elements_of(spec.kind, word)) values.push_back({std::move(element), origin});
    }
    settings.set(spec.id, std::move(values));
}

// Builds a CLI11 application of the options that occur, and nothing else: a plain launch builds none.
std::optional<std::string> type_values(std::span<const Occurrence> given, Settings& settings) {
    if (given.empty()) return std::nullopt;
    CLI::App app;
    app.set_help_flag();
    std::string fault;
    std::array<CLI::Option*, kOptionCount> declared{};
    std::vector<std::string> words;
    for (const Occurrence& one : given) {
        CLI::Option*& option = declared[index_of(one.id)];
        if (option == nullptr) option = declare(app, spec_of(one.id), fault);
        words.insert(words.end(), {"--" + std::string(spec_of(one.id).name), one.value});
    }
    std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
    try {
        app.parse(std::move(words));
    } catch (const CLI::Error& error) {
        return fault.empty() ? std::string(error.what()) : fault;
    }
    for (std::size_t i = 0; i < kOptionCount; ++i) {
        if (declared[i] != nullptr) store(options()[i], declared[i]->results(), settings);
    }
    return std::nullopt;
}

// run-singularity IMAGE ... is `--quiet run IMAGE ...`; the wrapper names and `wrapper` say so in words.
std::variant<std::vector<std::string>, UsageError> plain_arguments(const CliInput& input, const Variables& variables) {
    std::vector<std::string> argv(input.argv.begin(), input.argv.end());
    if (argv.empty()) argv.emplace_back("swrun");
    const CalledAs called = called_as(argv[0]);
    if (called == CalledAs::run_singularity) {
        argv[0] = "apptainer";
        argv.insert(argv.begin() + 1, {"--quiet", "run"});
        return argv;
    }
    std::size_t first = 1;  // of the wrapper's own arguments
    if (called != CalledAs::wrapper) {
        const auto scanned = scan_arguments(argv);
        const auto* line = std::get_if<CommandLine>(&scanned);
        if (line == nullptr || line->command != Command::wrapper) return argv;
        first = argv.size() - line->words.size();
    }
    auto expanded = expand_wrapper(std::span(argv).subspan(first), variables, input.is_regular_file);
    if (auto* error = std::get_if<UsageError>(&expanded)) return std::move(*error);
    argv.resize(called == CalledAs::wrapper ? 1 : first - 1);
    if (called == CalledAs::wrapper) argv[0] = "apptainer";
    for (std::string& word : std::get<0>(expanded)) argv.push_back(std::move(word));
    return argv;
}

Invocation only_text(const CommandLine& line, Command command, std::string text) {
    Invocation result;
    result.called = line.called;
    result.command = command;
    result.text = std::move(text);
    return result;
}

std::string version_text(const CommandLine& line, bool with_name) {
    const bool own = line.called == CalledAs::own;
    const std::string number(own ? kVersion : kCompatVersion);
    return (with_name ? std::string(shown_name(line.called)) + " version " : "") + number + "\n";
}

Outcome help_outcome(const CommandLine& line, const std::string& topic, const std::string& home) {
    if (topic.empty()) return only_text(line, Command::help, top_help(line.called, home));
    const bool own = line.called == CalledAs::own;
    const std::size_t space = topic.find(' ');
    const CommandSpec* command = find_command(topic.substr(0, space), own);
    if (command != nullptr && space != std::string::npos) {
        const CommandSpec* part = find_command(topic.substr(space + 1), own, command->name);
        if (part != nullptr) command = part;
    }
    if (command == nullptr) {
        return usage_error({UsageFault::Kind::unknown_command, std::nullopt, topic.substr(0, space)}, line.called,
                           home);
    }
    return only_text(line, Command::help, command_help(*command, line.called, home));
}

Outcome completion_outcome(const CommandLine& line, const std::string& home) {
    const auto script = completion_script(line.words[0], line.called);
    if (script) return only_text(line, Command::completion, *script);
    return usage_error(
        {UsageFault::Kind::operands, line.command, "unknown shell " + line.words[0] + ": bash, zsh or fish"},
        line.called, home);
}

// What prints a text and is done; nullopt for everything else.  The section `about` holds just these commands.
std::optional<Outcome> text_outcome(const CommandLine& line, const std::string& home) {
    if (is_set(line.global, OptionId::man)) return only_text(line, Command::man, man_page());
    if (is_set(line.global, OptionId::help)) return help_outcome(line, "", home);
    if (is_set(line.global, OptionId::version)) return only_text(line, Command::version, version_text(line, true));
    if (is_set(line.options, OptionId::help)) return help_outcome(line, line.command_word, home);
    const auto operands = check_operands(line);
    if (operands) return usage_error(*operands, line.called, home);
    if (line.spec->section != CommandSection::about) return std::nullopt;
    const Command command = *line.command;
    if (command == Command::help) return help_outcome(line, join(line.words, " "), home);
    if (command == Command::man) return only_text(line, command, man_page());
    if (command == Command::completion) return completion_outcome(line, home);
    return only_text(line, command, version_text(line, false));
}

Status apply_site(const CliInput& input, const Variables& variables, const CommandSet& commands, Settings& settings,
                  Invocation& result) {
    SiteQuery query;
    query.default_host_file = input.default_host_file;
    query.home = input.home;
    query.xdg_config_home = variables.plain("XDG_CONFIG_HOME").value_or("");
    const Text file = text_of(settings, OptionId::config);
    if (file.value && result.dropin()) {
        result.notes.push_back({Level::warning, "--config is ignored: swrun reads swrun.toml, not " + *file.value});
    } else if (file.value) {
        query.host_file = {*file.value, file.origin};
    }
    if (const auto found = variables.find("CONFIG", true); query.host_file.value.empty() && found) {
        query.host_file = {std::string(found->value), {Origin::Kind::variable, found->name}};
    }
    const Text profile = text_of(settings, OptionId::profile);
    if (profile.value) query.profile = {*profile.value, profile.origin};
    SWRUN_TRY(SiteConfig site, load_site_config(query));
    apply_site_defaults(site.tables, commands, settings);
    result.launch.site_binds = std::move(site.tables.binds);
    result.launch.site_env = std::move(site.tables.environment);
    result.profile = std::move(site.profile);
    result.site_files = std::move(site.files);
    result.notes.insert(result.notes.end(), site.notes.begin(), site.notes.end());
    return Unit{};
}

Action action_of(Command command) {
    if (command == Command::instance_start) return Action::start;
    if (command == Command::instance_run) return Action::run;
    return command == Command::run     ? Action::run
           : command == Command::shell ? Action::shell
           : command == Command::test  ? Action::test
                                       : Action::exec;
}

// `exec IMAGE -- PROGRAM`: no program has that name, and people write it.  A runscript may want it, and a tool that
// drives Singularity knows what it gets.
void drop_separator(Invocation& invocation) {
    LaunchRequest& launch = invocation.launch;
    if (invocation.dropin() || launch.strict_compat.value || launch.action != Action::exec) return;
    if (launch.arguments.size() > 1 && launch.arguments[0] == "--") launch.arguments.erase(launch.arguments.begin());
}

// What an operand has wrong is the result; an Error is somebody else's fault: a variable's, a site file's.
Result<std::optional<std::string>> fill_request(const CliInput& input, const Variables& variables,
                                                const CommandLine& line, Settings& settings, Invocation& result) {
    if (result.launches()) {
        result.launch.action = action_of(result.command);
        result.launch.image = line.words[0];
        const bool starts = is_in(result.command, CommandGroup::starting);
        if (starts) {
            result.launch.instance = line.words[1];
            result.instance.pid_file = text_of(settings, OptionId::pid_file).value.value_or("");
        }
        result.launch.arguments.assign(line.words.begin() + (starts ? 2 : 1), line.words.end());
        SWRUN_CHECK(apply_site(input, variables, result.command, settings, result));
        if (auto error = refused_transport(line.words[0])) return *std::move(error);
        SWRUN_CHECK(fill_launch(settings, result));
        if (result.launch.hot_cache.value) result.cache.directory = cache_directory(variables, input.home);
        drop_separator(result);
        return std::optional<std::string>{};
    }
    if (is_in(result.command, CommandGroup::inspecting)) {
        if (auto error = refused_transport(line.words[0])) return *std::move(error);
        result.inspect.image = line.words[0];
        fill_inspect(settings, result);
        return std::optional<std::string>{};
    }
    if (result.command == Command::doctor) SWRUN_CHECK(apply_site(input, variables, result.command, settings, result));
    if (is_in(result.command, CommandGroup::configuring)) {
        const CommandSet& launching = commands_in(CommandGroup::launching);
        SWRUN_CHECK(apply_variables(variables, launching, settings, result.notes));
        SWRUN_CHECK(apply_site(input, variables, launching, settings, result));
    }
    if (is_in(result.command, CommandGroup::caching)) result.cache.directory = cache_directory(variables, input.home);
    return fill_small_request(settings, line, result);
}

Result<Outcome> typed_outcome(const CliInput& input, const Variables& variables, CommandLine&& line) {
    const Command command = *line.command;
    if (command == Command::elsewhere) {
        return make_error(Error::Kind::request, "swrun does not do `" + line.command_word + "`")
            .with_hint(line.spec->instead);
    }
    Invocation result;
    result.called = line.called;
    result.command = command;
    Settings settings;
    for (const auto& given : {line.global, line.options}) {
        if (auto fault = type_values(given, settings)) {
            return Outcome(usage_error({UsageFault::Kind::option, command, *fault}, line.called, input.home));
        }
    }
    SWRUN_CHECK(apply_variables(variables, {command, Command::before}, settings, result.notes));
    SWRUN_CHECK(check_supported(settings, result.notes));
    result.level = level_of(settings, variables);
    result.color = !flag_of(settings, OptionId::nocolor).value && variables.plain("NO_COLOR").value_or("").empty();
    SWRUN_TRY(auto fault, fill_request(input, variables, line, settings, result));
    if (fault) {
        return Outcome(usage_error({UsageFault::Kind::operands, command, *fault}, line.called, input.home));
    }
    return Outcome(std::move(result));
}

}  // namespace

Result<Outcome> read_command_line(const CliInput& input) {
    const Variables variables(input.environment);
    auto plain = plain_arguments(input, variables);
    if (auto* error = std::get_if<UsageError>(&plain)) return Outcome(std::move(*error));
    auto scanned = scan_arguments(std::get<0>(plain));
    if (const auto* fault = std::get_if<UsageFault>(&scanned)) {
        return Outcome(usage_error(*fault, called_as(std::get<0>(plain)[0]), input.home));
    }
    CommandLine& line = std::get<CommandLine>(scanned);
    if (auto outcome = text_outcome(line, input.home)) return *std::move(outcome);
    return typed_outcome(input, variables, std::move(line));
}

}  // namespace swrun
