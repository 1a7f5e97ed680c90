// The compound commands of ShellParser: if, for, case (XCU 2.9.4).
#include "shell/shell_parser.h"
#include "support/text.h"

namespace swrun {

bool ShellParser::parse_if(ShellNode& node) {
    node.kind = ShellNode::Kind::if_clause;
    at_ += 2;
    while (true) {
        node.bodies.emplace_back();
        if (!parse_list(node.bodies.back(), "a condition") || !expect("then")) return false;
        node.bodies.emplace_back();
        if (!parse_list(node.bodies.back(), "then")) return false;
        const std::string_view next = bare_word();
        if (next == "elif") {
            at_ += 4;
            continue;
        }
        if (next == "else") {
            at_ += 4;
            node.bodies.emplace_back();
            if (!parse_list(node.bodies.back(), "else")) return false;
        }
        return expect("fi");
    }
}

bool ShellParser::parse_for(ShellNode& node) {
    node.kind = ShellNode::Kind::for_clause;
    at_ += 3;
    skip_blanks();
    node.name = bare_word();
    if (!is_identifier(node.name)) return fail("a syntax error after for");
    at_ += node.name.size();
    skip_blanks();
    if (bare_word() == "in") {
        at_ += 2;
        for (skip_blanks(); !ends(Until::word_end); skip_blanks()) {
            node.words.emplace_back();
            if (!parse_word(node.words.back())) return false;
        }
        if (peek() != ';' && peek() != '\n') return fail("a syntax error in for");
    } else {
        node.has_list = false;
    }
    if (peek() == ';') ++at_;
    node.bodies.emplace_back();
    return expect("do") && parse_list(node.bodies.back(), "do") && expect("done");
}

bool ShellParser::parse_case(ShellNode& node) {
    node.kind = ShellNode::Kind::case_clause;
    at_ += 4;
    skip_blanks();
    node.words.emplace_back();
    if (!parse_word(node.words.back())) return false;
    if (node.words.back().parts.empty() || !expect("in")) return fail("a syntax error after case");
    for (skip_newlines(); bare_word() != "esac"; skip_newlines()) {
        if (at_end()) return fail("case without esac");
        if (!parse_case_item(node)) return false;
    }
    at_ += 4;
    return true;
}

bool ShellParser::parse_case_item(ShellNode& node) {
    ShellCaseItem item;
    if (peek() == '(') ++at_;
    while (true) {
        skip_blanks();
        item.patterns.emplace_back();
        if (!parse_word(item.patterns.back())) return false;
        if (item.patterns.back().parts.empty()) return fail("a syntax error in case");
        skip_blanks();
        if (peek() == ')') break;
        if (peek() != '|') return fail("a syntax error in case");
        ++at_;
    }
    ++at_;
    if (!parse_list(item.body, "")) return false;
    if (starts(";;&") || starts(";&")) return fail(";& in case");
    if (starts(";;")) {
        at_ += 2;
    } else if (bare_word() != "esac") {
        return fail("a syntax error in case");
    }
    node.items.push_back(std::move(item));
    return true;
}

}  // namespace swrun
