// The syntax tree of shell/shell_lite: what the parser makes of one file and the evaluator walks.
// Plain data.  A construct that can be read but not evaluated stays in the tree as a refusal, so that
// it only counts when it is reached; what cannot even be read makes the whole file unsupported.
#pragma once

#include <string>
#include <vector>

namespace swrun {

// Why shell_lite stepped back.
struct Refusal {
    enum class Kind {
        none,
        construct,    // syntax, a builtin or a limit that is not ours
        command,      // a program would have to run; subject is its name
        redirection,  // a file would have to be opened; subject is its name
    };

    Kind kind = Kind::none;
    std::string reason;  // "FILE:LINE: what"
    std::string subject;

    friend bool operator==(const Refusal&, const Refusal&) = default;
};

struct ShellNode;
struct ShellWord;
using ShellScript = std::vector<ShellNode>;

struct ShellPart {
    enum class Kind { text, parameter, command };

    Kind kind = Kind::text;
    bool quoted = false;             // no field splitting, no pattern characters
    std::string text;                // the text, or the name of the parameter
    std::string op;                  // of a parameter: "", ":-", "%%", ...; "length" for ${#X}
    std::vector<ShellWord> operand;  // none or one
    std::vector<ShellNode> body;     // of a command substitution
};

struct ShellWord {
    std::vector<ShellPart> parts;
    int line = 0;
};

struct ShellAssignment {
    std::string name;
    ShellWord value;
};

struct ShellCaseItem {
    std::vector<ShellWord> patterns;
    ShellScript body;
};

struct ShellNode {
    enum class Kind { simple, conjunction, group, if_clause, for_clause, case_clause };

    Kind kind = Kind::simple;
    int line = 0;
    bool negated = false;
    Refusal refusal;  // reached: the file is unsupported
    std::vector<ShellAssignment> assignments;
    std::vector<ShellWord> words;     // simple: command; for: list; case: the one subject
    std::string name;                 // for: the variable
    bool has_list = true;             // for: false means "$@"
    std::vector<ShellScript> bodies;  // if: test, body, test, body, ..., else; for and group: one
    std::vector<ShellCaseItem> items;
    ShellScript nodes;       // conjunction: its members
    std::vector<bool> ands;  // ands[i] joins nodes[i] and nodes[i + 1]: && or ||
};

}  // namespace swrun
