#include "env/oci_runscript.h"

#include "support/text.h"

namespace swrun {

namespace {

constexpr std::string_view kMark = "eval \"set ${SINGULARITY_OCI_RUN}\"";

// Words of shell text; nullopt when one needs evaluation or a quote is not closed.
class WordReader {
public:
    explicit WordReader(std::string_view text) : text_(text) {}

    std::optional<std::vector<std::string>> read() {
        std::vector<std::string> words;
        while (true) {
            while (at_ < text_.size() && std::string_view(" \t\n").find(text_[at_]) != std::string_view::npos) ++at_;
            if (at_ >= text_.size()) return words;
            words.emplace_back();
            if (!read_word(words.back())) return std::nullopt;
        }
    }

private:
    bool read_word(std::string& word) {
        while (at_ < text_.size() && std::string_view(" \t\n").find(text_[at_]) == std::string_view::npos) {
            const char c = text_[at_++];
            if (c == '\'') {
                const std::size_t close = text_.find('\'', at_);
                if (close == std::string_view::npos) return false;
                word += text_.substr(at_, close - at_);
                at_ = close + 1;
            } else if (c == '"') {
                if (!read_quotes(word)) return false;
            } else if (c == '\\') {
                if (at_ >= text_.size()) return false;
                word += text_[at_++];
            } else if (std::string_view("$`*?[]{}~;&|<>()#!").find(c) != std::string_view::npos) {
                return false;
            } else {
                word += c;
            }
        }
        return true;
    }

    bool read_quotes(std::string& word) {
        while (at_ < text_.size()) {
            const char c = text_[at_++];
            if (c == '"') return true;
            if (c == '$' || c == '`') return false;
            if (c == '\\' && at_ < text_.size()) {
                const char next = text_[at_++];
                if (std::string_view("$`\"\\").find(next) == std::string_view::npos) word += '\\';
                word += next;
            } else {
                word += c;
            }
        }
        return false;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

// The value of NAME='...' at the start of a line: one shell word, mostly in single quotes over several
// lines, with '"'"' or '\'' for a quote in it.
std::optional<std::string> assigned(std::string_view text, std::string_view name) {
    const std::string start = std::string(name) + "='";
    std::size_t at = 0;
    while (!text.substr(at).starts_with(start)) {
        at = text.find('\n', at);
        if (at == std::string_view::npos) return std::nullopt;
        ++at;
    }
    at += start.size() - 1;
    std::string value;
    while (at < text.size() && text[at] != '\n') {
        if (text.substr(at).starts_with("\\'")) {
            value += '\'';
            at += 2;
            continue;
        }
        const char quote = text[at];
        if (quote != '\'' && quote != '"') return std::nullopt;
        const std::size_t close = text.find(quote, at + 1);
        if (close == std::string_view::npos) return std::nullopt;
        const std::string_view inside = text.substr(at + 1, close - at - 1);
        if (quote == '"' && inside.find_first_of("$`\\") != std::string_view::npos) return std::nullopt;
        value += inside;
        at = close + 1;
    }
    return value;
}

bool has_line(std::string_view text, std::string_view wanted) {
    for (const std::string_view line : split(text, '\n')) {
        if (line == wanted) return true;
    }
    return false;
}

}  // namespace

std::optional<OciRunscript> parse_oci_runscript(std::string_view text) {
    if (!has_line(text, kMark)) return std::nullopt;
    const std::optional<std::string> entrypoint = assigned(text, "OCI_ENTRYPOINT");
    const std::optional<std::string> cmd = assigned(text, "OCI_CMD");
    if (!entrypoint || !cmd) return std::nullopt;
    std::optional<std::vector<std::string>> entrypoint_words = WordReader(*entrypoint).read();
    std::optional<std::vector<std::string>> cmd_words = WordReader(*cmd).read();
    if (!entrypoint_words || !cmd_words) return std::nullopt;
    return OciRunscript{std::move(*entrypoint_words), std::move(*cmd_words)};
}

std::vector<std::string> compose_oci_command(const OciRunscript& script, const std::vector<std::string>& arguments) {
    std::vector<std::string> command = script.entrypoint;
    const std::vector<std::string>& rest = arguments.empty() ? script.cmd : arguments;
    command.insert(command.end(), rest.begin(), rest.end());
    return command;
}

}  // namespace swrun
