#include "shell/shell_parser.h"

#include <algorithm>
#include <array>

#include "support/text.h"

namespace swrun {

namespace {

constexpr std::array<std::string_view, 8> kEnders = {"then", "else", "elif", "fi", "do", "done", "esac", "}"};

// Commands that other shells give a grammar of their own, so that reading on would be guessing.
constexpr std::array<std::string_view, 13> kForeign = {"while",  "until", "function", "select",  "time",
                                                       "coproc", "[[",    "let",      "declare", "typeset",
                                                       "local",  "alias", "]]"};

template <std::size_t N> bool one_of(std::string_view word, const std::array<std::string_view, N>& list) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// The text of a word when nothing in it needs evaluation, for messages.
std::string plain_text(const ShellWord& word) {
    std::string text;
    for (const ShellPart& part : word.parts) text += part.kind == ShellPart::Kind::text ? part.text : "...";
    return text;
}

}  // namespace

bool ShellParser::parse(ShellScript& script) {
    if (!parse_list(script, "")) return false;
    return at_end() || fail("a syntax error");
}

void ShellParser::skip_blanks() {
    while (!at_end()) {
        if (is_blank(peek())) {
            ++at_;
        } else if (starts("\\\n")) {
            at_ += 2;
            ++line_;
        } else if (peek() == '#') {
            while (!at_end() && peek() != '\n') ++at_;
        } else {
            return;
        }
    }
}

void ShellParser::skip_newlines() {
    for (skip_blanks(); peek() == '\n' && !at_end(); skip_blanks()) {
        ++at_;
        ++line_;
    }
}

// The unquoted characters up to the next separator, when they can be a reserved word.
std::string_view ShellParser::bare_word() const {
    std::size_t end = at_;
    while (end < text_.size() && std::string_view(" \t\n;&|()<>").find(text_[end]) == std::string_view::npos) ++end;
    return text_.substr(at_, end - at_);
}

bool ShellParser::at_list_end() const {
    return at_end() || peek() == ')' || starts(";;") || one_of(bare_word(), kEnders);
}

bool ShellParser::expect(std::string_view reserved) {
    skip_newlines();
    if (bare_word() != reserved) return fail("a syntax error: \"" + std::string(reserved) + "\" expected");
    at_ += reserved.size();
    return true;
}

// `what` names a list that must not be empty.
bool ShellParser::parse_list(ShellScript& script, std::string_view what) {
    for (skip_newlines(); !at_list_end(); skip_newlines()) {
        ShellNode node;
        if (!parse_and_or(node)) return false;
        skip_blanks();
        if (peek() == '&' && peek(1) != '&') {
            node.refusal.kind = Refusal::Kind::construct;
            node.refusal.reason = file_ + ":" + std::to_string(line_) + ": a background command";
            ++at_;
        } else if (peek() == ';' && peek(1) != ';') {
            ++at_;
        } else if (peek() != '\n' && !at_end() && peek() != ')' && !starts(";;")) {
            return fail("a syntax error");
        }
        script.push_back(std::move(node));
    }
    if (!what.empty() && script.empty()) return fail("nothing in " + std::string(what));
    return true;
}

bool ShellParser::parse_and_or(ShellNode& node) {
    ShellNode first;
    if (!parse_pipeline(first)) return false;
    skip_blanks();
    if (!starts("&&") && !starts("||")) {
        node = std::move(first);
        return true;
    }
    node.kind = ShellNode::Kind::conjunction;
    node.line = first.line;
    node.nodes.push_back(std::move(first));
    while (starts("&&") || starts("||")) {
        node.ands.push_back(peek() == '&');
        at_ += 2;
        skip_newlines();
        ShellNode next;
        if (!parse_pipeline(next)) return false;
        node.nodes.push_back(std::move(next));
        skip_blanks();
    }
    return true;
}

bool ShellParser::parse_pipeline(ShellNode& node) {
    bool negated = false;
    if (bare_word() == "!") {
        ++at_;
        skip_blanks();
        negated = true;
    }
    if (!parse_command(node)) return false;
    node.negated = negated;
    skip_blanks();
    while (peek() == '|' && peek(1) != '|') {
        if (node.refusal.kind == Refusal::Kind::none) {
            node.refusal.kind = Refusal::Kind::construct;
            node.refusal.reason = file_ + ":" + std::to_string(line_) + ": a pipeline";
        }
        ++at_;
        skip_newlines();
        ShellNode next;
        if (!parse_command(next)) return false;
        if (next.refusal.kind != Refusal::Kind::none) node.refusal = next.refusal;
        skip_blanks();
    }
    return true;
}

bool ShellParser::parse_command(ShellNode& node) {
    if (++depth_ > kMaxDepth) return fail("nested too deeply");
    node.line = line_;
    const std::string_view word = bare_word();
    bool good = true;
    if (peek() == '(') return fail("a subshell");
    if (one_of(word, kForeign)) return fail("\"" + std::string(word) + "\"");
    if (word == "if") {
        good = parse_if(node);
    } else if (word == "for") {
        good = parse_for(node);
    } else if (word == "case") {
        good = parse_case(node);
    } else if (word == "{") {
        ++at_;
        node.kind = ShellNode::Kind::group;
        node.bodies.emplace_back();
        good = parse_list(node.bodies.back(), "{ }") && expect("}");
    } else {
        --depth_;
        return parse_simple(node);
    }
    if (!good) return false;
    for (skip_blanks(); at_redirection(); skip_blanks()) {
        if (!parse_redirection(node)) return false;
    }
    --depth_;
    return true;
}

bool ShellParser::at_redirection() const {
    std::size_t ahead = 0;
    while (peek(ahead) >= '0' && peek(ahead) <= '9') ++ahead;
    return peek(ahead) == '<' || peek(ahead) == '>';
}

bool ShellParser::parse_redirection(ShellNode& node) {
    while (peek() >= '0' && peek() <= '9') ++at_;
    if (starts("<<")) return fail("a here-document");
    if (peek(1) == '(') return fail("process substitution");
    ++at_;
    if (peek() == '>' || peek() == '&' || peek() == '|') ++at_;
    skip_blanks();
    ShellWord target;
    if (!parse_word(target)) return false;
    if (target.parts.empty()) return fail("a redirection without a file");
    if (node.refusal.kind == Refusal::Kind::none) {
        node.refusal.kind = Refusal::Kind::redirection;
        node.refusal.subject = plain_text(target);
        node.refusal.reason = file_ + ":" + std::to_string(line_) + ": a redirection";
    }
    return true;
}

bool ShellParser::parse_simple(ShellNode& node) {
    for (skip_blanks(); !at_end(); skip_blanks()) {
        if (at_redirection()) {
            if (!parse_redirection(node)) return false;
            continue;
        }
        if (starts("&>")) return fail("&> redirection");
        if (peek() == '(') return fail("a function definition or a list in parentheses");
        if (ends(Until::word_end)) break;
        const std::string_view word = bare_word();
        const std::size_t equals = word.find('=');
        if (node.words.empty() && equals != std::string_view::npos) {
            if (is_identifier(word.substr(0, equals))) {
                if (!parse_assignment(node, equals)) return false;
                continue;
            }
            const std::string_view target = word.substr(0, equals);
            if (target.ends_with('+') && is_identifier(target.substr(0, equals - 1))) return fail("+=");
            if (is_identifier(target.substr(0, target.find('[')))) return fail("an array");
        }
        ShellWord value;
        if (!parse_word(value)) return false;
        if (peek() == '(') return fail("a function definition or a list in parentheses");
        node.words.push_back(std::move(value));
    }
    const bool empty = node.words.empty() && node.assignments.empty() && node.refusal.kind == Refusal::Kind::none;
    return !empty || fail("a syntax error");
}

bool ShellParser::parse_assignment(ShellNode& node, std::size_t name_length) {
    ShellAssignment assignment;
    assignment.name = text_.substr(at_, name_length);
    at_ += name_length + 1;
    if (peek() == '(') return fail("an array");
    if (!parse_word(assignment.value)) return false;
    if (peek() == '(') return fail("a list in parentheses");
    node.assignments.push_back(std::move(assignment));
    return true;
}

}  // namespace swrun
