// Evaluator behind shell/shell_lite: walks the syntax tree of one file over a ShellSession.  Private to
// this room; shell_lite.cpp is the only caller.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shell/shell_lite.h"

namespace swrun {

// Limits of one run_shell_text, shared by the files that it sources.
struct ShellBudget {
    std::size_t steps = 100000;                 // commands and expansions
    std::size_t comparisons = 20000000;         // of pattern matching
    std::size_t bytes = std::size_t{16} << 20;  // of values made
    int files = 64;                             // sourced, in all
};

class ShellEvaluator {
public:
    enum class Flow { next, break_loop, continue_loop, returned, exited, refused };

    ShellEvaluator(std::string file, ShellSession& session, const ShellOptions& options, ShellBudget& budget, int depth)
        : file_(std::move(file)), session_(session), options_(options), budget_(budget), depth_(depth) {}

    [[nodiscard]] Flow run(const ShellScript& script);
    [[nodiscard]] int status() const { return status_; }
    [[nodiscard]] const Refusal& refusal() const { return refusal_; }

private:
    // The fields that one word becomes.
    struct Fields {
        std::vector<std::string> done;
        std::string current;
        bool open = false;
        bool split = true;  // false: one field, as in an assignment

        void close();
    };

    // Commands: shell_eval.cpp
    Flow run_node(const ShellNode& node);
    Flow run_conjunction(const ShellNode& node);
    Flow run_if(const ShellNode& node);
    Flow run_for(const ShellNode& node);
    Flow run_case(const ShellNode& node);
    Flow run_simple(const ShellNode& node);
    bool expand_command(const ShellNode& node, std::vector<std::string>& fields);
    bool assign(const std::string& name, std::string value);
    bool may_assign(const std::string& name, bool& ignored);
    Flow refuse(std::string_view what, Refusal::Kind kind = Refusal::Kind::construct, std::string subject = "");
    void note(const std::string& text, Level level = Level::warning);
    bool spend(std::size_t bytes);

    // Builtins: shell_builtins.cpp
    Flow run_builtin(const std::vector<std::string>& argv);
    Flow do_export(const std::vector<std::string>& argv);
    Flow do_unset(const std::vector<std::string>& argv);
    Flow do_echo(const std::vector<std::string>& argv);
    Flow do_printf(const std::vector<std::string>& argv);
    Flow do_source(const std::vector<std::string>& argv);
    Flow do_leave(const std::vector<std::string>& argv);
    Flow do_umask(const std::vector<std::string>& argv);
    Flow do_set(const std::vector<std::string>& argv);
    Flow do_shift(const std::vector<std::string>& argv);

    // test and [: shell_test.cpp
    Flow do_test(std::vector<std::string> argv);
    std::optional<bool> test_words(const std::vector<std::string>& words);
    std::optional<bool> test_few(const std::vector<std::string>& words);
    std::optional<bool> test_unary(const std::string& op, const std::string& operand);
    std::optional<bool> test_binary(const std::string& left, const std::string& op, const std::string& right);
    std::optional<bool> test_file(char op, const std::string& path);
    std::optional<std::string> file_path(const std::string& path);

    // Words: shell_expand.cpp
    bool expand_fields(const ShellWord& word, std::vector<std::string>& fields);
    std::optional<std::string> expand_value(const ShellWord& word);
    std::optional<std::string> expand_pattern(const ShellWord& word);
    bool expand_parts(const ShellWord& word, Fields& fields, bool inside_operand);
    bool add_parameter(const ShellPart& part, Fields& fields);
    bool add_operator(const ShellPart& part, const std::optional<std::string>& value, Fields& fields);
    bool add_all_positional(const ShellPart& part, Fields& fields);
    bool add_result(std::string_view value, bool quoted, Fields& fields);
    bool end_by_unset(const std::string& name);
    bool parameter_value(const std::string& name, std::optional<std::string>& value);
    std::optional<std::string> substitute(const ShellPart& part);

    std::string file_;
    ShellSession& session_;
    const ShellOptions& options_;
    ShellBudget& budget_;
    int depth_;
    int line_ = 0;
    int status_ = 0;
    std::size_t status_changes_ = 0;  // by substitutions and refused assignments: they outlive X=...
    std::size_t status_mark_ = 0;     // status_changes_ when the current command began
    bool status_unsure_ = false;      // shells disagree about $? here
    bool ended_ = false;              // by an unset variable: what then fails is no refusal
    int loops_ = 0;
    bool ifs_changed_ = false;
    Refusal refusal_;
};

}  // namespace swrun
