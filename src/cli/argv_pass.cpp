#include "cli/argv_pass.h"

#include <string_view>

#include "cli/values.h"

namespace swrun {
namespace {

using Fault = std::optional<std::string>;

// Reads options from a list of words, one call per word that starts with a dash.
class Scanner {
public:
    Scanner(std::span<const std::string> words, const CommandSet& takers) : words_(words), takers_(takers) {}

    // Consumes options up to the first operand or behind "--"; `all`: operands in between are collected.
    Fault run(std::vector<Occurrence>& found, std::vector<std::string>* between) {
        while (at_ < words_.size()) {
            const std::string& word = words_[at_];
            if (word.size() < 2 || word[0] != '-') {
                if (between == nullptr) return std::nullopt;
                between->push_back(word);
                ++at_;
                continue;
            }
            ++at_;
            if (word == "--") return std::nullopt;
            Fault fault = word[1] == '-' ? long_option(word, found) : letters(word.substr(1), found);
            if (fault) return fault;
        }
        return std::nullopt;
    }

    [[nodiscard]] std::size_t position() const { return at_; }

private:
    Fault long_option(const std::string& word, std::vector<Occurrence>& found) {
        const std::string_view body = std::string_view(word).substr(2);
        if (body[0] == '-' || body[0] == '=') return "bad flag syntax: " + word;
        const std::size_t equals = body.find('=');
        const std::string_view name = body.substr(0, equals);
        const OptionSpec* spec = find_option(takers_, name);
        if (spec == nullptr) return "unknown flag: --" + std::string(name);
        if (equals != std::string_view::npos) return add(*spec, std::string(body.substr(equals + 1)), found);
        if (spec->kind == ValueKind::boolean) return add(*spec, "true", found);
        if (at_ >= words_.size()) return "flag needs an argument: " + word;
        return add(*spec, words_[at_++], found);
    }

    // `rest` is what follows the dash: letters of booleans, of which the last may take a value.
    Fault letters(std::string_view rest, std::vector<Occurrence>& found) {
        while (!rest.empty()) {
            const OptionSpec* spec = find_letter(takers_, rest[0]);
            if (spec == nullptr) {
                return "unknown shorthand flag: '" + std::string(rest.substr(0, 1)) + "' in -" + std::string(rest);
            }
            if (rest.size() > 2 && rest[1] == '=') return add(*spec, std::string(rest.substr(2)), found);
            if (spec->kind == ValueKind::boolean) {
                if (Fault fault = add(*spec, "true", found)) return fault;
                rest.remove_prefix(1);
                continue;
            }
            if (rest.size() > 1) return add(*spec, std::string(rest.substr(1)), found);
            if (at_ >= words_.size()) {
                return "flag needs an argument: '" + std::string(rest) + "' in -" + std::string(rest);
            }
            return add(*spec, words_[at_++], found);
        }
        return std::nullopt;
    }

    static Fault add(const OptionSpec& spec, std::string value, std::vector<Occurrence>& found) {
        if (spec.kind == ValueKind::boolean) {
            const std::optional<bool> literal = parse_bool(value);
            if (!literal) return invalid_argument(spec, value, fault_of(spec.kind, value).value_or(""));
            value = *literal ? "true" : "false";
        }
        found.push_back({canonical(spec.id), std::move(value)});
        return std::nullopt;
    }

    std::span<const std::string> words_;
    CommandSet takers_;  // the command whose options these are
    std::size_t at_ = 0;
};

std::string plural_fault(std::string_view rule, int wanted, std::string_view got, std::size_t given) {
    std::string text(rule);
    text.append(" ").append(std::to_string(wanted)).append(" arg(s), ").append(got).append(" ");
    return text.append(std::to_string(given));
}

}  // namespace

std::variant<CommandLine, UsageFault> scan_arguments(std::span<const std::string> argv) {
    CommandLine line;
    if (argv.empty()) return line;
    line.called = called_as(argv[0]);
    std::span<const std::string> rest = argv.subspan(1);

    Scanner globals(rest, Command::before);
    if (Fault fault = globals.run(line.global, nullptr)) {
        return UsageFault{UsageFault::Kind::option, std::nullopt, *std::move(fault)};
    }
    rest = rest.subspan(globals.position());
    if (rest.empty()) return line;

    line.command_word = rest[0];
    const CommandSpec* command = find_command(rest[0], line.called == CalledAs::own);
    if (command == nullptr) {
        return UsageFault{UsageFault::Kind::unknown_command, std::nullopt, line.command_word};
    }
    rest = rest.subspan(1);
    if (has_parts(*command) && !rest.empty()) {
        if (const CommandSpec* part = find_command(rest[0], line.called == CalledAs::own, command->name)) {
            command = part;
            line.command_word = full_name(*part);
            rest = rest.subspan(1);
        }
    }
    line.command = command->id;
    line.spec = command;
    if (command->id == Command::elsewhere || command->id == Command::wrapper) {
        line.words.assign(rest.begin(), rest.end());  // somebody else's words: nothing here to judge
        return line;
    }
    Scanner own(rest, command->id);
    if (Fault fault = own.run(line.options, command->options_after ? &line.words : nullptr)) {
        return UsageFault{UsageFault::Kind::option, command->id, *std::move(fault)};
    }
    rest = rest.subspan(own.position());
    line.words.insert(line.words.end(), rest.begin(), rest.end());
    return line;
}

std::optional<UsageFault> check_operands(const CommandLine& line) {
    if (!line.command) return UsageFault{UsageFault::Kind::no_command, std::nullopt, ""};
    if (*line.command == Command::elsewhere) return std::nullopt;
    if (has_parts(*line.spec)) {
        return UsageFault{UsageFault::Kind::operands, line.command, "invalid command",
                          line.words.empty() ? "" : line.words[0]};
    }
    const CommandSpec& spec = *line.spec;
    const std::size_t given = line.words.size();
    const bool few = given < static_cast<std::size_t>(spec.min_words);
    const bool many = spec.max_words >= 0 && given > static_cast<std::size_t>(spec.max_words);
    if (!few && !many) return std::nullopt;
    std::string what = spec.max_words < 0 ? plural_fault("requires at least", spec.min_words, "only received", given)
                                          : plural_fault("accepts", spec.max_words, "received", given);
    if (spec.max_words > spec.min_words) {
        what.insert(what.find(' '), " between " + std::to_string(spec.min_words) + " and");
    }
    return UsageFault{UsageFault::Kind::operands, line.command, std::move(what)};
}

bool is_set(std::span<const Occurrence> given, OptionId id) {
    bool set = false;
    for (const Occurrence& one : given) {
        if (one.id == id) set = one.value == "true";
    }
    return set;
}

}  // namespace swrun
