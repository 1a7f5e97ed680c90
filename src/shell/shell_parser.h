// Parser of shell/shell_lite: text of one file to a syntax tree.  The grammar is the part of POSIX
// XCU 2.10 that generators of environment files use; anything else is refused with its line, never
// read in some other way.  Used by shell_eval only; private to this room.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "shell/shell_ast.h"

namespace swrun {

class ShellParser {
public:
    // `file` only names the text in messages; `first_line` is for text taken out of a larger one.
    ShellParser(std::string file, std::string_view text, int first_line = 1, int depth = 0)
        : file_(std::move(file)), text_(text), line_(first_line), depth_(depth) {}

    // False: refusal() says why.
    [[nodiscard]] bool parse(ShellScript& script);
    [[nodiscard]] const Refusal& refusal() const { return refusal_; }

private:
    static constexpr int kMaxDepth = 60;  // of nested commands and expansions: the stack is not hostile text's

    enum class Until { word_end, brace, brace_in_quotes, quote };

    // Commands: shell_parser.cpp
    bool parse_list(ShellScript& script, std::string_view what);
    bool parse_and_or(ShellNode& node);
    bool parse_pipeline(ShellNode& node);
    bool parse_command(ShellNode& node);
    bool parse_simple(ShellNode& node);
    bool parse_redirection(ShellNode& node);
    bool parse_if(ShellNode& node);
    bool parse_for(ShellNode& node);
    bool parse_case(ShellNode& node);
    bool parse_case_item(ShellNode& node);
    bool parse_assignment(ShellNode& node, std::size_t name_length);
    bool expect(std::string_view reserved);
    [[nodiscard]] std::string_view bare_word() const;
    [[nodiscard]] bool at_redirection() const;
    [[nodiscard]] bool at_list_end() const;

    // Words: shell_words.cpp
    bool parse_word(ShellWord& word);
    bool parse_parts(ShellWord& word, Until until);
    bool parse_quotes(ShellWord& word, Until until, char c);
    bool parse_ansi_quotes(ShellWord& word);
    bool parse_backslash(ShellWord& word, Until until);
    bool parse_dollar(ShellWord& word, bool quoted);
    bool parse_braces(ShellWord& word, bool quoted);
    bool parse_operand(ShellPart& part);
    bool parse_substitution(ShellWord& word, bool quoted);
    bool parse_backquotes(ShellWord& word, bool quoted);
    [[nodiscard]] bool ends(Until until) const;

    bool fail(std::string_view what);
    [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
    [[nodiscard]] char peek(std::size_t ahead = 0) const {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
    }
    [[nodiscard]] bool starts(std::string_view what) const { return text_.substr(at_).starts_with(what); }
    void skip_blanks();    // and comments, and continued lines
    void skip_newlines();  // and all that skip_blanks does

    std::string file_;
    std::string_view text_;
    std::size_t at_ = 0;
    int line_ = 1;
    int depth_ = 0;
    Refusal refusal_;
};

}  // namespace swrun
