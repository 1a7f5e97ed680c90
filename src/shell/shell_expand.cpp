// The word half of ShellEvaluator: parameter expansion, command substitution and field splitting
// (XCU 2.6), with the default IFS.
#include <algorithm>

#include "shell/shell_eval.h"
#include "shell/shell_pattern.h"
#include "support/text.h"

namespace swrun {

namespace {

bool is_ascii(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

// Characters that would make an unquoted field a path name pattern.
bool has_glob(std::string_view text) { return text.find_first_of("*?[") != std::string_view::npos; }

// A tilde that a shell may expand: at the start of a word, and in assignments after a colon.
bool has_tilde(std::string_view text, bool at_start, bool assignment) {
    return (at_start && text.starts_with('~')) || (assignment && text.find(":~") != std::string_view::npos);
}

}  // namespace

void ShellEvaluator::Fields::close() {
    if (open) done.push_back(std::move(current));
    current.clear();
    open = false;
}

bool ShellEvaluator::expand_fields(const ShellWord& word, std::vector<std::string>& fields) {
    Fields made;
    if (!expand_parts(word, made, false)) return false;
    made.close();
    for (std::string& field : made.done) fields.push_back(std::move(field));
    return true;
}

std::optional<std::string> ShellEvaluator::expand_value(const ShellWord& word) {
    Fields made;
    made.split = false;
    if (!expand_parts(word, made, false)) return std::nullopt;
    return std::move(made.current);
}

bool ShellEvaluator::expand_parts(const ShellWord& word, Fields& fields, bool inside_operand) {
    for (std::size_t i = 0; i < word.parts.size(); ++i) {
        const ShellPart& part = word.parts[i];
        if (part.kind == ShellPart::Kind::parameter) {
            if (!add_parameter(part, fields)) return false;
            continue;
        }
        if (part.kind == ShellPart::Kind::command) {
            const std::optional<std::string> output = substitute(part);
            if (!output || !add_result(*output, part.quoted, fields)) return false;
            continue;
        }
        if (!part.quoted) {
            if (has_tilde(part.text, i == 0, !fields.split)) return refuse("a tilde"), false;
            const bool bracket = part.text == "[" && word.parts.size() == 1;  // the command
            if (fields.split && !inside_operand && !bracket &&
                (has_glob(part.text) || part.text.find('{') != std::string::npos)) {
                return refuse("a pattern or braces outside quotes"), false;
            }
            if (inside_operand) {
                if (!add_result(part.text, false, fields)) return false;
                continue;
            }
        }
        if (!spend(part.text.size())) return false;
        fields.current += part.text;
        fields.open = true;
    }
    return true;
}

// The result of an expansion: split into fields unless quoted or assigned.
bool ShellEvaluator::add_result(std::string_view value, bool quoted, Fields& fields) {
    if (!spend(value.size())) return false;
    if (quoted || !fields.split) {
        fields.current += value;
        fields.open = fields.open || quoted || !value.empty();
        return true;
    }
    if (ifs_changed_) return refuse("field splitting with another IFS"), false;
    if (has_glob(value)) return refuse("a pattern outside quotes"), false;
    for (const char c : value) {
        if (c == ' ' || c == '\t' || c == '\n') {
            fields.close();
            if (fields.done.size() > 10000) return refuse("too many words"), false;
        } else {
            fields.current += c;
            fields.open = true;
        }
    }
    return true;
}

// Refused: false.  An unset parameter leaves `value` empty.
bool ShellEvaluator::parameter_value(const std::string& name, std::optional<std::string>& value) {
    const char first = name[0];
    if (first >= '0' && first <= '9') {
        const std::optional<std::uint64_t> number = parse_decimal(name);
        if (!number) return refuse("$" + name), false;
        if (*number == 0) {
            if (session_.script_name.empty()) return refuse("$" + name), false;
            return value = session_.script_name, true;
        }
        if (*number <= session_.positional.size()) value = session_.positional[*number - 1];
        return true;
    }
    if (name == "#") return value = std::to_string(session_.positional.size()), true;
    if (name == "?") {
        if (status_unsure_ || status_changes_ != status_mark_) return refuse("$? after a substitution"), false;
        return value = std::to_string(status_), true;
    }
    if (name == "@" || name == "*") {
        if (ifs_changed_) return refuse("$" + name + " with another IFS"), false;
        if (!session_.positional.empty()) value = join(session_.positional, " ");
        return true;
    }
    if (!is_identifier(name)) return refuse("$" + name), false;
    const auto found = session_.variables.find(name);
    if (found != session_.variables.end() && found->second.is_set) return value = found->second.value, true;
    if (is_shell_owned(name)) return refuse("the shell's own variable " + name), false;
    return true;
}

bool ShellEvaluator::add_parameter(const ShellPart& part, Fields& fields) {
    if (part.text == "@" || part.text == "*") {
        if (!part.op.empty()) return refuse("an operator on $" + part.text), false;
        if (fields.split && (part.text == "@" || !part.quoted)) return add_all_positional(part, fields);
    }
    std::optional<std::string> value;
    if (!parameter_value(part.text, value)) return false;
    const bool copes = !part.op.empty() && std::string_view("-+=?").find(part.op.back()) != std::string_view::npos;
    if (!value && session_.nounset && !copes && part.text != "@" && part.text != "*") return end_by_unset(part.text);
    if (part.op.empty()) return add_result(value.value_or(""), part.quoted, fields);
    if (part.op == "length") {
        if (!is_ascii(value.value_or(""))) return refuse("a length that depends on more than ASCII"), false;
        return add_result(std::to_string(value.value_or("").size()), part.quoted, fields);
    }
    return add_operator(part, value, fields);
}

// As a shell does, all the way up: a substitution ends alone.
bool ShellEvaluator::end_by_unset(const std::string& name) {
    ended_ = true;
    status_ = 1;
    note(name + ": unbound variable", Level::error);
    return false;
}

bool ShellEvaluator::add_all_positional(const ShellPart& part, Fields& fields) {
    for (std::size_t i = 0; i < session_.positional.size(); ++i) {
        if (i > 0) fields.close();
        if (!add_result(session_.positional[i], part.quoted, fields)) return false;
    }
    return true;
}

bool ShellEvaluator::add_operator(const ShellPart& part, const std::optional<std::string>& value, Fields& fields) {
    const ShellWord& operand = part.operand.front();
    const char op = part.op.back();
    if (op == '%' || op == '#') {
        const std::optional<std::string> pattern = expand_pattern(operand);
        if (!pattern) return false;
        const auto trimmed = trim_pattern(*pattern, value.value_or(""), part.op, budget_.comparisons);
        if (!trimmed) return refuse("a pattern that depends on more than ASCII"), false;
        return add_result(*trimmed, part.quoted, fields);
    }
    const bool have = value && (part.op[0] != ':' || !value->empty());
    if (have != (op == '+')) return add_result(have ? *value : "", part.quoted, fields);
    if (op == '?') return refuse("${" + part.text + "?}"), false;
    if (op == '=') {
        if (!is_identifier(part.text)) return refuse("${" + part.text + "=}"), false;
        Fields made;
        made.split = false;
        if (!expand_parts(operand, made, true)) return false;
        return assign(part.text, made.current) && add_result(made.current, part.quoted, fields);
    }
    fields.open = fields.open || part.quoted;  // "${X:-}" is a word
    return expand_parts(operand, fields, true);
}

std::optional<std::string> ShellEvaluator::expand_pattern(const ShellWord& word) {
    std::string pattern;
    for (std::size_t i = 0; i < word.parts.size(); ++i) {
        const ShellPart& part = word.parts[i];
        std::string text = part.text;
        if (part.kind != ShellPart::Kind::text) {
            ShellWord single;
            single.parts.push_back(part);
            const std::optional<std::string> value = expand_value(single);
            if (!value) return std::nullopt;
            text = *value;
            if (!part.quoted && text.find('\\') != std::string::npos) {
                refuse("a backslash in a pattern");
                return std::nullopt;
            }
        } else if (!part.quoted && has_tilde(text, i == 0, false)) {
            refuse("a tilde");
            return std::nullopt;
        }
        for (const char c : text) {
            if (part.quoted && std::string_view("*?[]\\!-^").find(c) != std::string_view::npos) pattern += '\\';
            pattern += c;
        }
    }
    return pattern;
}

std::optional<std::string> ShellEvaluator::substitute(const ShellPart& part) {
    const std::size_t price = 10 + session_.variables.size();
    if (depth_ > 20 || budget_.steps < price) return refuse("too many steps"), std::nullopt;
    budget_.steps -= price;
    ShellSession inner = session_;  // a subshell: nothing but the output comes back
    inner.output.clear();
    ShellEvaluator evaluator(file_, inner, options_, budget_, depth_ + 1);
    evaluator.line_ = line_;
    evaluator.status_ = status_;
    evaluator.status_unsure_ = status_unsure_ || status_changes_ != status_mark_;
    evaluator.ifs_changed_ = ifs_changed_;
    const Flow flow = evaluator.run(part.body);
    if (flow == Flow::refused) {
        refusal_ = evaluator.refusal_;
        return std::nullopt;
    }
    session_.notes = std::move(inner.notes);
    status_ = evaluator.status_;
    ++status_changes_;
    while (inner.output.ends_with('\n')) inner.output.pop_back();
    return std::move(inner.output);
}

}  // namespace swrun
