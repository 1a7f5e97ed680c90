// The word half of ShellParser: quoting (XCU 2.2) and expansions (XCU 2.6).
#include "shell/shell_parser.h"
#include "shell/shell_text.h"
#include "support/text.h"

namespace swrun {

namespace {

bool name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool digit(char c) { return c >= '0' && c <= '9'; }

void add_text(ShellWord& word, std::string_view text, bool quoted) {
    if (!word.parts.empty()) {
        ShellPart& last = word.parts.back();
        if (last.kind == ShellPart::Kind::text && last.quoted == quoted) {
            last.text += text;
            return;
        }
    }
    ShellPart part;
    part.text = text;
    part.quoted = quoted;
    word.parts.push_back(std::move(part));
}

}  // namespace

bool ShellParser::ends(Until until) const {
    if (at_end()) return true;
    const char c = peek();
    switch (until) {
        case Until::word_end: return std::string_view(" \t\n;&|()<>").find(c) != std::string_view::npos;
        case Until::brace:
        case Until::brace_in_quotes: return c == '}';
        case Until::quote: return c == '"';
    }
    return true;
}

bool ShellParser::parse_word(ShellWord& word) {
    word.line = line_;
    return parse_parts(word, Until::word_end);
}

bool ShellParser::parse_parts(ShellWord& word, Until until) {
    const bool quoted = until == Until::quote || until == Until::brace_in_quotes;
    while (!ends(until)) {
        const char c = peek();
        if (c == '\0') return fail("a NUL byte");
        if (c == '\\') {
            if (!parse_backslash(word, until)) return false;
        } else if (c == '\'' || c == '"') {
            if (!parse_quotes(word, until, c)) return false;
        } else if (c == '$') {
            if (!parse_dollar(word, quoted)) return false;
        } else if (c == '`') {
            if (!parse_backquotes(word, quoted)) return false;
        } else {
            if (c == '\n') ++line_;
            add_text(word, std::string_view(&text_[at_], 1), quoted);
            ++at_;
        }
    }
    return true;
}

bool ShellParser::parse_backslash(ShellWord& word, Until until) {
    const char next = peek(1);
    if (at_ + 1 >= text_.size()) return fail("a backslash at the end");
    if (next == '\n') {
        ++line_;
        at_ += 2;
        return true;
    }
    const bool plain = until == Until::word_end || until == Until::brace;
    const std::string_view special = until == Until::brace_in_quotes ? "$`\"\\}" : "$`\"\\";
    const bool keeps = !plain && special.find(next) == std::string_view::npos;
    add_text(word, text_.substr(keeps ? at_ : at_ + 1, keeps ? 2 : 1), true);
    at_ += 2;
    return true;
}

bool ShellParser::parse_quotes(ShellWord& word, Until until, char c) {
    if (c == '\'' && until == Until::brace_in_quotes) return fail("a single quote inside \"${ }\"");  // shells differ
    if (c == '\'' && until == Until::quote) {
        add_text(word, "'", true);  // an ordinary character inside double quotes
        ++at_;
        return true;
    }
    const bool nested = until == Until::brace_in_quotes;
    if (nested && !word.parts.empty()) return fail("a quote inside \"${ }\"");  // bash mixes them up
    const int start = line_;
    ++at_;
    // '' and "" are words too; but "$@" is none where there are no arguments.
    if (peek() == c) add_text(word, "", true);
    if (c == '\'') {
        const std::size_t close = text_.find('\'', at_);
        if (close == std::string_view::npos) return fail("a quote that is not closed");
        const std::string_view inside = text_.substr(at_, close - at_);
        for (const char each : inside) line_ += each == '\n' ? 1 : 0;
        add_text(word, inside, true);
        at_ = close + 1;
        return true;
    }
    if (++depth_ > kMaxDepth) return fail("nested too deeply");
    if (!parse_parts(word, Until::quote)) return false;
    --depth_;
    if (at_end()) {
        line_ = start;
        return fail("a quote that is not closed");
    }
    ++at_;
    return !nested || peek() == '}' || fail("a quote inside \"${ }\"");
}

bool ShellParser::parse_dollar(ShellWord& word, bool quoted) {
    const char next = peek(1);
    if (next == '(') return parse_substitution(word, quoted);
    if (next == '{') return parse_braces(word, quoted);
    if (next == '[') return fail("$[ ] arithmetic");
    if (!quoted && next == '\'') return parse_ansi_quotes(word);
    if (!quoted && next == '"') return fail("$\"\" quoting");
    ShellPart part;
    part.kind = ShellPart::Kind::parameter;
    part.quoted = quoted;
    std::size_t length = 0;
    if (name_start(next)) {
        while (name_start(peek(1 + length)) || digit(peek(1 + length))) ++length;
    } else if (digit(next) || (next != '\0' && std::string_view("@*#?$!-").find(next) != std::string_view::npos)) {
        length = 1;
    } else {
        add_text(word, "$", quoted);
        ++at_;
        return true;
    }
    part.text = text_.substr(at_ + 1, length);
    at_ += 1 + length;
    word.parts.push_back(std::move(part));
    return true;
}

bool ShellParser::parse_ansi_quotes(ShellWord& word) {
    std::size_t end = at_ + 2;
    const std::optional<std::string> value = read_ansi_quotes(text_, end);
    if (!value) return fail("$'' with this inside");
    for (const char each : text_.substr(at_, end - at_)) line_ += each == '\n' ? 1 : 0;
    add_text(word, *value, true);
    at_ = end;
    return true;
}

bool ShellParser::parse_braces(ShellWord& word, bool quoted) {
    if (++depth_ > kMaxDepth) return fail("nested too deeply");
    at_ += 2;
    ShellPart part;
    part.kind = ShellPart::Kind::parameter;
    part.quoted = quoted;
    const bool length_of = peek() == '#' && (name_start(peek(1)) || digit(peek(1)));
    if (length_of) ++at_;
    std::size_t length = 0;
    if (name_start(peek())) {
        while (name_start(peek(length)) || digit(peek(length))) ++length;
    } else if (digit(peek())) {
        while (digit(peek(length))) ++length;
    } else if (peek() != '\0' && std::string_view("@*#?").find(peek()) != std::string_view::npos) {
        length = 1;
    } else {
        return fail("an expansion beyond the POSIX ones");
    }
    part.text = text_.substr(at_, length);
    at_ += length;
    if (length_of) {
        part.op = "length";
        if (peek() != '}') return fail("an expansion beyond the POSIX ones");
    } else if (peek() != '}' && !parse_operand(part)) {
        return false;
    }
    if (peek() != '}') return fail("${ that is not closed");
    ++at_;
    --depth_;
    word.parts.push_back(std::move(part));
    return true;
}

bool ShellParser::parse_operand(ShellPart& part) {
    for (const std::string_view op : {":-", ":+", ":=", ":?", "%%", "##", "-", "+", "=", "?", "%", "#"}) {
        if (!starts(op)) continue;
        part.op = op;
        at_ += op.size();
        const bool pattern = op[0] == '%' || op[0] == '#';
        ShellWord operand;
        operand.line = line_;
        // Double quotes around ${X%pattern} do not quote the pattern (XCU 2.6.2).
        const Until until = part.quoted && !pattern ? Until::brace_in_quotes : Until::brace;
        if (!parse_parts(operand, until)) return false;
        part.operand.push_back(std::move(operand));
        return true;
    }
    return fail("an expansion beyond the POSIX ones");
}

bool ShellParser::parse_substitution(ShellWord& word, bool quoted) {
    if (peek(2) == '(') return fail("arithmetic");
    if (++depth_ > kMaxDepth) return fail("nested too deeply");
    at_ += 2;
    ShellPart part;
    part.kind = ShellPart::Kind::command;
    part.quoted = quoted;
    if (!parse_list(part.body, "")) return false;
    if (peek() != ')') return fail("$( that is not closed");
    ++at_;
    --depth_;
    word.parts.push_back(std::move(part));
    return true;
}

bool ShellParser::parse_backquotes(ShellWord& word, bool quoted) {
    if (++depth_ > kMaxDepth) return fail("nested too deeply");
    const int start = line_;
    std::string inside;
    ++at_;
    while (!at_end() && peek() != '`') {
        char c = peek();
        if (c == '\\' && peek(1) != '\0' &&
            std::string_view(quoted ? "$`\\\"" : "$`\\").find(peek(1)) != std::string_view::npos) {
            ++at_;
            c = peek();
        }
        if (c == '\n') ++line_;
        inside += c;
        ++at_;
    }
    if (at_end()) return fail("a backquote that is not closed");
    ++at_;
    ShellPart part;
    part.kind = ShellPart::Kind::command;
    part.quoted = quoted;
    ShellParser inner(file_, inside, start, depth_);
    if (!inner.parse(part.body)) {
        refusal_ = inner.refusal_;
        return false;
    }
    --depth_;
    word.parts.push_back(std::move(part));
    return true;
}

bool ShellParser::fail(std::string_view what) {
    if (refusal_.kind == Refusal::Kind::none) {
        refusal_.kind = Refusal::Kind::construct;
        refusal_.reason = file_ + ":" + std::to_string(line_) + ": " + std::string(what);
    }
    return false;
}

}  // namespace swrun
