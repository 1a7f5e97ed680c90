#include "shell/shell_state.h"

#include "shell/shell_text.h"
#include "support/text.h"

namespace swrun {

namespace {

constexpr std::size_t kMaxDump = std::size_t{64} << 20;

bool octal(char c) { return c >= '0' && c <= '7'; }

class DumpReader {
public:
    explicit DumpReader(std::string_view text) : text_(text) {}

    [[nodiscard]] bool read(ShellReport& report) {
        return read_head(report) && read_exports(report.state) && at_ == text_.size() && take_own(report.state);
    }
    [[nodiscard]] std::size_t offset() const { return at_; }

private:
    [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
    [[nodiscard]] char peek() const { return at_end() ? '\0' : text_[at_]; }

    bool take(std::string_view what) {
        if (!text_.substr(at_).starts_with(what)) return false;
        at_ += what.size();
        return true;
    }

    // Up to one of the stop characters, which is left there.
    std::string_view until(std::string_view stops) {
        const std::size_t end = std::min(text_.find_first_of(stops, at_), text_.size());
        const std::string_view part = text_.substr(at_, end - at_);
        at_ = end;
        return part;
    }

    bool read_head(ShellReport& report) {
        if (!take("swrun-state 1\n") || !take("swrun-end ")) return false;
        const std::string_view step = until(" \n");
        if (step == "-") {
            report.complete = true;
        } else {
            const std::optional<std::uint64_t> number = parse_decimal(step);
            if (!number) return false;
            report.step = static_cast<std::size_t>(*number);
        }
        if (!take(" ")) return false;
        const std::optional<std::uint64_t> status = parse_decimal(until("\n"));
        if (!status || *status > 255 || !take("\nswrun-umask ")) return false;
        report.status = static_cast<int>(*status);
        mode_t mask = 0;
        for (const char c : until("\n")) {
            if (!octal(c) || mask > 0777) return false;
            mask = mask * 8 + static_cast<mode_t>(c - '0');
        }
        if (mask > 0777) return false;
        report.state.umask = mask;
        if (!take("\nswrun-hidden")) return false;
        while (take(" ")) {
            const std::string_view name = until(" \n");
            if (!is_identifier(name)) return false;
            report.state.hidden.emplace(name);
        }
        return take("\n");
    }

    // What our script exports to have it quoted by the shell.
    static bool take_own(ShellState& state) {
        const auto take_value = [&](const std::string& name) {
            const auto found = state.exported.find(name);
            if (found == state.exported.end()) return std::optional<std::string>();
            std::string value = std::move(found->second.value);
            state.exported.erase(found);
            return std::optional<std::string>(std::move(value));
        };
        state.shell = take_value("__swrun_shell").value_or("");
        for (const char option : take_value("__swrun_options").value_or("")) {
            if (std::string_view("aefu").find(option) != std::string_view::npos) state.options += option;
        }
        while (true) {
            std::optional<std::string> argument = take_value("__swrun_arg_" +
                                                             std::to_string(state.positional.size() + 1));
            if (!argument) return true;
            state.positional.push_back(*std::move(argument));
        }
    }

    bool read_exports(ShellState& state) {
        while (!take("swrun-eof\n")) {
            bool array = false;
            if (take("declare -")) {
                array = until(" \n").find_first_of("aA") != std::string_view::npos;
                if (!take(" ")) return false;
            } else if (take("export ")) {
                take("-- ");
            } else {
                return false;
            }
            const std::string_view name = until("=\n");
            if (!is_identifier(name)) return false;
            if (take("\n")) continue;  // marked for export, but not set
            take("=");
            Variable variable;
            variable.name = name;
            if (array ? !skip_array() : !read_word(variable.value)) return false;
            if (!take("\n")) return false;
            if (array) continue;  // no environment can hold one
            state.hidden.erase(variable.name);
            state.exported[variable.name] = std::move(variable);
        }
        return true;
    }

    bool skip_array() {
        std::string ignored;
        if (peek() == '\'') return read_word(ignored);  // bash 4.3 and older quote the whole list
        if (!take("(")) return false;
        while (!take(")")) {
            if (at_end()) return false;
            if (peek() == '"' || peek() == '\'' || peek() == '$') {
                if (!read_word(ignored)) return false;
            } else {
                ++at_;
            }
        }
        return true;
    }

    bool read_word(std::string& value) {
        while (!at_end() && peek() != '\n' && peek() != ' ' && peek() != ')') {
            if (take("$'")) {
                // What bash writes for values with control characters.
                const std::optional<std::string> inside = read_ansi_quotes(text_, at_);
                if (!inside) return false;
                value += *inside;
            } else if (take("'")) {
                value += until("'");
                if (!take("'")) return false;
            } else if (take("\"")) {
                if (!read_double_quotes(value)) return false;
            } else if (take("\\")) {
                if (at_end()) return false;
                value += text_[at_++];
            } else {
                value += text_[at_++];
            }
        }
        return value.find('\0') == std::string::npos;
    }

    bool read_double_quotes(std::string& value) {
        while (!take("\"")) {
            value += until("\"\\");
            if (!take("\\")) {
                if (at_end()) return false;
                continue;
            }
            if (at_end()) return false;
            if (std::string_view("$`\"\\\n").find(peek()) == std::string_view::npos) value += '\\';
            value += text_[at_++];
        }
        return true;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

Result<ShellReport> parse_shell_state(std::string_view dump) {
    if (dump.empty()) {
        return make_error(Error::Kind::image,
                          "the shell that reads the image's environment files ended without a report")
            .with_hint("a file below /.singularity.d/env replaces the EXIT trap, runs exec or kills its shell");
    }
    if (dump.size() > kMaxDump) return make_error(Error::Kind::image, "the image's environment is too large");
    ShellReport report;
    DumpReader reader(dump);
    if (!reader.read(report)) {
        return make_error(Error::Kind::image, "the report about the image's environment cannot be read at byte " +
                                                  std::to_string(reader.offset()));
    }
    return report;
}

}  // namespace swrun
