#include "shell/shell_eval.h"

#include <algorithm>
#include <array>

#include "shell/shell_pattern.h"
#include "support/text.h"

namespace swrun {

namespace {

// Assigning one of these changes how a shell works, not just a value.
bool is_magic(std::string_view name) {
    static constexpr std::array<std::string_view, 14> kMagic = {
        "_",      "DIRSTACK", "FUNCNAME", "GROUPS",  "IFS",       "LINENO",  "OPTERR",
        "OPTIND", "PPID",     "RANDOM",   "SECONDS", "SHELLOPTS", "SRANDOM", "POSIXLY_CORRECT"};
    return name.starts_with("BASH") || std::find(kMagic.begin(), kMagic.end(), name) != kMagic.end();
}

}  // namespace

ShellEvaluator::Flow ShellEvaluator::run(const ShellScript& script) {
    for (const ShellNode& node : script) {
        const Flow flow = run_node(node);
        if (flow != Flow::next) return flow;
    }
    return Flow::next;
}

ShellEvaluator::Flow ShellEvaluator::run_node(const ShellNode& node) {
    if (node.line > 0) line_ = node.line;
    status_mark_ = status_changes_;
    if (budget_.steps == 0) return refuse("too many steps");
    --budget_.steps;
    if (node.refusal.kind != Refusal::Kind::none) {
        refusal_ = node.refusal;
        return Flow::refused;
    }
    Flow flow = Flow::next;
    switch (node.kind) {
        case ShellNode::Kind::simple: flow = run_simple(node); break;
        case ShellNode::Kind::conjunction: flow = run_conjunction(node); break;
        case ShellNode::Kind::group: flow = run(node.bodies.front()); break;
        case ShellNode::Kind::if_clause: flow = run_if(node); break;
        case ShellNode::Kind::for_clause: flow = run_for(node); break;
        case ShellNode::Kind::case_clause: flow = run_case(node); break;
    }
    if (flow == Flow::refused && ended_ && refusal_.kind == Refusal::Kind::none) return Flow::exited;
    if (flow == Flow::next && node.negated) status_ = status_ == 0 ? 1 : 0;
    return flow;
}

ShellEvaluator::Flow ShellEvaluator::run_conjunction(const ShellNode& node) {
    Flow flow = run_node(node.nodes.front());
    for (std::size_t i = 0; i < node.ands.size() && flow == Flow::next; ++i) {
        if ((status_ == 0) == node.ands[i]) flow = run_node(node.nodes[i + 1]);
    }
    return flow;
}

ShellEvaluator::Flow ShellEvaluator::run_if(const ShellNode& node) {
    std::size_t i = 0;
    for (; i + 1 < node.bodies.size(); i += 2) {
        const Flow flow = run(node.bodies[i]);
        if (flow != Flow::next) return flow;
        if (status_ == 0) return run(node.bodies[i + 1]);
    }
    if (i < node.bodies.size()) return run(node.bodies[i]);
    status_ = 0;
    return Flow::next;
}

ShellEvaluator::Flow ShellEvaluator::run_for(const ShellNode& node) {
    std::vector<std::string> values;
    if (!node.has_list) values = session_.positional;
    for (const ShellWord& word : node.words) {
        if (!expand_fields(word, values)) return Flow::refused;
    }
    if (values.empty()) status_ = 0;
    Flow flow = Flow::next;
    ++loops_;
    for (std::string& value : values) {
        if (budget_.steps == 0) return refuse("too many steps");
        --budget_.steps;
        if (!assign(node.name, std::move(value))) return Flow::refused;
        flow = run(node.bodies.front());
        if (flow != Flow::next && flow != Flow::continue_loop) break;
        flow = Flow::next;
    }
    --loops_;
    return flow == Flow::break_loop ? Flow::next : flow;
}

ShellEvaluator::Flow ShellEvaluator::run_case(const ShellNode& node) {
    const std::optional<std::string> subject = expand_value(node.words.front());
    if (!subject) return Flow::refused;
    for (const ShellCaseItem& item : node.items) {
        for (const ShellWord& word : item.patterns) {
            const std::optional<std::string> pattern = expand_pattern(word);
            if (!pattern) return Flow::refused;
            const std::optional<bool> matches = match_pattern(*pattern, *subject, budget_.comparisons);
            if (!matches) return refuse("a pattern that depends on more than ASCII");
            if (!*matches) continue;
            if (item.body.empty()) status_ = 0;
            return run(item.body);
        }
    }
    status_ = 0;
    return Flow::next;
}

ShellEvaluator::Flow ShellEvaluator::run_simple(const ShellNode& node) {
    std::vector<std::string> argv;
    if (!expand_command(node, argv)) return Flow::refused;
    if (argv.empty()) {
        for (const ShellAssignment& assignment : node.assignments) {
            std::optional<std::string> value = expand_value(assignment.value);
            if (!value || !assign(assignment.name, std::move(*value))) return Flow::refused;
        }
        if (status_changes_ == status_mark_) status_ = 0;
        return Flow::next;
    }
    if (!node.assignments.empty()) {
        const Flow flow = refuse("a variable for one command only", Refusal::Kind::construct, argv[0]);
        if (argv[0].find('/') != std::string::npos || is_identifier(argv[0])) refusal_.kind = Refusal::Kind::command;
        return flow;
    }
    return run_builtin(argv);
}

// `export A=$B` and `readonly A=$B` expand their arguments like assignments when the command's name
// stands there plainly.
bool ShellEvaluator::expand_command(const ShellNode& node, std::vector<std::string>& fields) {
    bool declares = false;
    for (std::size_t i = 0; i < node.words.size(); ++i) {
        const ShellWord& word = node.words[i];
        const ShellPart& first = word.parts.front();
        const bool plain = first.kind == ShellPart::Kind::text && !first.quoted;
        if (i == 0) declares = plain && word.parts.size() == 1 && (first.text == "export" || first.text == "readonly");
        const std::size_t equals = plain ? first.text.find('=') : std::string::npos;
        if (i == 0 || !declares || equals == std::string::npos || !is_identifier(first.text.substr(0, equals))) {
            if (!expand_fields(word, fields)) return false;
            continue;
        }
        if (first.text.find_first_of("{*?[") != std::string::npos) {
            refuse("a pattern or braces outside quotes");
            return false;
        }
        ShellWord value = word;
        value.parts.front().text.erase(0, equals + 1);
        const std::optional<std::string> expanded = expand_value(value);
        if (!expanded) return false;
        fields.push_back(first.text.substr(0, equals + 1) + *expanded);
    }
    return true;
}

bool ShellEvaluator::may_assign(const std::string& name, bool& ignored) {
    ignored = false;
    if (session_.protected_names.contains(name)) {
        note(name + ": readonly variable");
        status_ = 1;
        ++status_changes_;
        ignored = true;
        return true;
    }
    if (is_magic(name)) {
        if (!options_.forgive_magic) {
            refuse("the special variable " + name);
            return false;
        }
        if (name == "IFS") ifs_changed_ = true;
    }
    const auto found = session_.variables.find(name);
    if (found != session_.variables.end() && found->second.read_only) {
        refuse("a change of the readonly variable " + name);
        return false;
    }
    return true;
}

bool ShellEvaluator::assign(const std::string& name, std::string value) {
    bool ignored = false;
    if (!may_assign(name, ignored)) return false;
    if (ignored) return true;
    if (!spend(value.size() + name.size())) return false;
    ShellVariable& variable = session_.variables[name];
    variable.value = std::move(value);
    variable.is_set = true;
    variable.origin = options_.origin;
    if (session_.allexport) {
        variable.exported = true;
        auto& order = session_.assigned;
        if (std::find(order.begin(), order.end(), name) == order.end()) order.push_back(name);
    }
    return true;
}

ShellEvaluator::Flow ShellEvaluator::refuse(std::string_view what, Refusal::Kind kind, std::string subject) {
    if (refusal_.kind == Refusal::Kind::none) {
        refusal_.kind = kind;
        refusal_.reason = file_ + ":" + std::to_string(line_) + ": " + std::string(what);
        refusal_.subject = std::move(subject);
    }
    return Flow::refused;
}

void ShellEvaluator::note(const std::string& text, Level level) {
    if (session_.notes.size() >= 100) return;
    session_.notes.push_back({level, file_ + ":" + std::to_string(line_) + ": " + text});
}

bool ShellEvaluator::spend(std::size_t bytes) {
    if (bytes > budget_.bytes) {
        refuse("values that grow too long");
        return false;
    }
    budget_.bytes -= bytes;
    return true;
}

}  // namespace swrun
