// The builtins of ShellEvaluator (XCU 2.14 and 4).
#include <algorithm>
#include <array>

#include "shell/shell_eval.h"
#include "shell/shell_parser.h"
#include "shell/shell_text.h"
#include "support/path.h"
#include "support/text.h"

namespace swrun {

namespace {

constexpr std::array<std::string_view, 31> kOtherBuiltins = {
    "alias", "bg",   "bind",  "builtin", "caller",  "cd",   "command", "compgen", "complete", "dirs", "enable",
    "eval",  "exec", "fc",    "fg",      "getopts", "hash", "jobs",    "kill",    "mapfile",  "popd", "pushd",
    "pwd",   "read", "shopt", "times",   "trap",    "type", "ulimit",  "unalias", "wait"};

std::optional<int> small_number(std::string_view text) {
    const std::optional<std::uint64_t> number = parse_decimal(text);
    if (!number || *number > 255) return std::nullopt;
    return static_cast<int>(*number);
}

// printf's format without the conversions that we leave to a real shell; nullopt for those.
std::optional<std::string> format_once(std::string_view format, const std::vector<std::string>& args,
                                       std::size_t& next) {
    std::string text;
    for (std::size_t i = 0; i < format.size(); ++i) {
        if (format[i] != '%' && format[i] != '\\') {
            text += format[i];
            continue;
        }
        const bool conversion = format[i] == '%';
        if (++i >= format.size()) return std::nullopt;
        if (conversion && format[i] == 's') {
            if (next < args.size()) text += args[next];
            ++next;
        } else if (conversion ? format[i] == '%' : format[i] == '\\') {
            text += format[i];
        } else if (!conversion && (format[i] == 'n' || format[i] == 't')) {
            text += format[i] == 'n' ? '\n' : '\t';
        } else {
            return std::nullopt;
        }
    }
    return text;
}

}  // namespace

ShellEvaluator::Flow ShellEvaluator::run_builtin(const std::vector<std::string>& argv) {
    const std::string& name = argv[0];
    if (name == ":" || name == "true" || name == "false") {
        status_ = name == "false" ? 1 : 0;
        return Flow::next;
    }
    if (name == "export" || name == "readonly") return do_export(argv);
    if (name == "unset") return do_unset(argv);
    if (name == "echo") return do_echo(argv);
    if (name == "printf") return do_printf(argv);
    if (name == "test" || name == "[") return do_test(argv);
    if (name == "." || name == "source") return do_source(argv);
    if (name == "return" || name == "exit") return do_leave(argv);
    if (name == "umask") return do_umask(argv);
    if (name == "set") return do_set(argv);
    if (name == "shift") return do_shift(argv);
    if (name == "break" || name == "continue") {
        if (argv.size() > 1 || loops_ == 0) return refuse(name + " like this");
        status_ = 0;
        return name == "break" ? Flow::break_loop : Flow::continue_loop;
    }
    if (std::find(kOtherBuiltins.begin(), kOtherBuiltins.end(), name) != kOtherBuiltins.end()) {
        return refuse("the builtin " + name, Refusal::Kind::construct, name);
    }
    return refuse("the command " + printable(name), Refusal::Kind::command, name);
}

ShellEvaluator::Flow ShellEvaluator::do_export(const std::vector<std::string>& argv) {
    if (argv.size() == 1) return refuse(argv[0] + " without a name");
    status_ = 0;
    int status = 0;
    for (std::size_t i = 1; i < argv.size(); ++i) {
        const std::size_t equals = argv[i].find('=');
        const std::string name = argv[i].substr(0, equals);
        if (!is_identifier(name)) return refuse(argv[0] + " " + printable(argv[i]));
        if (equals != std::string::npos) {
            if (!assign(name, argv[i].substr(equals + 1))) return Flow::refused;
            status = std::max(status, status_);
            if (session_.protected_names.contains(name)) continue;
        }
        auto [entry, made] = session_.variables.try_emplace(name);
        if (made) entry->second.is_set = false;
        if (argv[0] == "readonly") {
            entry->second.read_only = true;
            continue;
        }
        entry->second.exported = true;
        auto& order = session_.assigned;
        if (session_.allexport && std::find(order.begin(), order.end(), name) == order.end()) order.push_back(name);
    }
    status_ = status;
    return Flow::next;
}

ShellEvaluator::Flow ShellEvaluator::do_unset(const std::vector<std::string>& argv) {
    status_ = 0;
    bool functions = false;
    for (std::size_t i = 1; i < argv.size(); ++i) {
        if (i == 1 && (argv[i] == "-v" || argv[i] == "-f")) {
            functions = argv[i] == "-f";
            continue;
        }
        if (!is_identifier(argv[i])) return refuse("unset " + printable(argv[i]));
        if (functions) continue;  // there are none
        bool ignored = false;
        if (!may_assign(argv[i], ignored)) return Flow::refused;
        if (ignored) continue;
        session_.variables.erase(argv[i]);
        std::erase(session_.assigned, argv[i]);
    }
    return Flow::next;
}

ShellEvaluator::Flow ShellEvaluator::do_echo(const std::vector<std::string>& argv) {
    const bool newline = !(argv.size() > 1 && argv[1] == "-n");
    std::string text;
    for (std::size_t i = newline ? 1 : 2; i < argv.size(); ++i) {
        // Shells disagree about echo's options and escapes.
        if (argv[i].find('\\') != std::string::npos) return refuse("echo with a backslash");
        const bool option = argv[i].size() > 1 && argv[i][0] == '-' &&
                            argv[i].find_first_not_of("neE", 1) == std::string::npos;
        if (option && text.empty()) return refuse("echo with options");
        if (!text.empty() || i > (newline ? 1U : 2U)) text += ' ';
        text += argv[i];
    }
    if (newline) text += '\n';
    if (!spend(text.size())) return Flow::refused;
    session_.output += text;
    status_ = 0;
    return Flow::next;
}

ShellEvaluator::Flow ShellEvaluator::do_printf(const std::vector<std::string>& argv) {
    if (argv.size() < 2 || argv[1].starts_with('-')) return refuse("printf with options");
    const std::vector<std::string> args(argv.begin() + 2, argv.end());
    std::size_t next = 0;
    do {
        const std::size_t before = next;
        const std::optional<std::string> text = format_once(argv[1], args, next);
        if (!text) return refuse("printf with this format");
        if (!spend(text->size())) return Flow::refused;
        session_.output += *text;
        if (next == before) break;  // nothing consumed: printing again would never end
    } while (next < args.size());
    status_ = 0;
    return Flow::next;
}

ShellEvaluator::Flow ShellEvaluator::do_source(const std::vector<std::string>& argv) {
    if (argv.size() < 2 || argv[1].find('/') == std::string::npos) return refuse(argv[0] + " through PATH");
    const std::vector<std::string> args(argv.begin() + 2, argv.end());
    if (!args.empty() && args != session_.positional) return refuse(argv[0] + " with arguments");
    if (depth_ > 15 || budget_.files == 0) return refuse("too many files");
    --budget_.files;
    const std::optional<std::string> path = file_path(argv[1]);
    if (!path) return Flow::refused;
    const ResolvedPath found = resolve_in(*options_.tree, *path);
    if (!found.exists()) {
        note(printable(argv[1]) + ": no such file or directory");
        status_ = 1;
        return Flow::next;
    }
    if (found.node.kind != Node::Kind::file) return refuse(argv[0] + " " + printable(argv[1]));
    const Result<std::string> text = options_.tree->read_text(found.path, kMaxShellText);
    if (!text) return refuse(text.error().message);
    const std::string readable = without_foreign_bytes(*text);
    ShellParser parser(argv[1], readable);
    ShellScript script;
    if (!parser.parse(script)) {
        refusal_ = parser.refusal();
        return Flow::refused;
    }
    ShellEvaluator evaluator(argv[1], session_, options_, budget_, depth_ + 1);
    evaluator.ifs_changed_ = ifs_changed_;
    evaluator.status_ = script.empty() ? 0 : status_;
    evaluator.status_unsure_ = status_unsure_;
    const std::vector<std::string> before = session_.positional;
    const Flow flow = evaluator.run(script);
    if (!args.empty() && session_.positional != before) return refuse("set in a file with arguments");  // shells differ
    ifs_changed_ = evaluator.ifs_changed_;
    refusal_ = evaluator.refusal_;
    status_ = evaluator.status_;
    return flow == Flow::returned ? Flow::next : flow;
}

ShellEvaluator::Flow ShellEvaluator::do_leave(const std::vector<std::string>& argv) {
    if (argv.size() > 2) return refuse(argv[0] + " with several arguments");
    if (argv.size() == 2) {
        const std::optional<int> number = small_number(argv[1]);
        if (!number) return refuse(argv[0] + " " + printable(argv[1]));
        status_ = *number;
    }
    return argv[0] == "exit" ? Flow::exited : Flow::returned;
}

// New positional parameters, and -u.  Everything else that set can do is another way of running.
ShellEvaluator::Flow ShellEvaluator::do_set(const std::vector<std::string>& argv) {
    std::size_t i = 1;
    bool nounset = session_.nounset;
    for (; i < argv.size() && (argv[i] == "-u" || argv[i] == "+u"); ++i) nounset = argv[i] == "-u";
    const bool marked = i < argv.size() && argv[i] == "--";
    if (argv.size() == 1 || (!marked && i < argv.size() && (argv[i].starts_with('-') || argv[i].starts_with('+')))) {
        return refuse("the builtin set like this", Refusal::Kind::construct, argv[0]);
    }
    session_.nounset = nounset;
    if (marked || i < argv.size()) {
        session_.positional.assign(argv.begin() + static_cast<std::ptrdiff_t>(marked ? i + 1 : i), argv.end());
    }
    status_ = 0;
    return Flow::next;
}

ShellEvaluator::Flow ShellEvaluator::do_shift(const std::vector<std::string>& argv) {
    const std::optional<int> count = argv.size() > 1 ? small_number(argv[1]) : 1;
    if (argv.size() > 2 || !count || static_cast<std::size_t>(*count) > session_.positional.size()) {
        return refuse("shift like this", Refusal::Kind::construct, argv[0]);
    }
    session_.positional.erase(session_.positional.begin(), session_.positional.begin() + *count);
    status_ = 0;
    return Flow::next;
}

ShellEvaluator::Flow ShellEvaluator::do_umask(const std::vector<std::string>& argv) {
    if (argv.size() != 2 || argv[1].empty() || argv[1].size() > 4) return refuse("umask like this");
    mode_t mask = 0;
    for (const char c : argv[1]) {
        if (c < '0' || c > '7') return refuse("umask like this");
        mask = mask * 8 + static_cast<mode_t>(c - '0');
    }
    if (mask > 0777) return refuse("umask like this");
    session_.umask = mask;
    status_ = 0;
    return Flow::next;
}

}  // namespace swrun
