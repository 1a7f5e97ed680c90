// test and [ of ShellEvaluator (XCU 4, "test"): up to four words by POSIX's count rules, longer ones by
// precedence (! over -a over -o) as all shells do.
#include <array>

#include "shell/shell_eval.h"
#include "support/path.h"
#include "support/text.h"

namespace swrun {

namespace {

bool is_unary(std::string_view op) {
    return op.size() == 2 && op[0] == '-' && std::string_view("nzefdrxwsLh").find(op[1]) != std::string_view::npos;
}

bool is_binary(std::string_view op) {
    for (const std::string_view known : {"=", "==", "!=", "-eq", "-ne", "-gt", "-ge", "-lt", "-le"}) {
        if (op == known) return true;
    }
    return false;
}

std::optional<std::int64_t> integer(std::string_view text) {
    const bool negative = text.starts_with('-');
    const std::optional<std::uint64_t> size = parse_decimal(negative ? text.substr(1) : text);
    if (!size || *size > 0x7fffffff) return std::nullopt;
    return negative ? -static_cast<std::int64_t>(*size) : static_cast<std::int64_t>(*size);
}

bool compare(std::int64_t left, std::string_view op, std::int64_t right) {
    if (op == "-eq") return left == right;
    if (op == "-ne") return left != right;
    if (op == "-gt") return left > right;
    if (op == "-ge") return left >= right;
    if (op == "-lt") return left < right;
    return left <= right;
}

}  // namespace

ShellEvaluator::Flow ShellEvaluator::do_test(std::vector<std::string> argv) {
    if (argv[0] == "[") {
        if (argv.back() != "]" || argv.size() < 2) return refuse("[ without ]");
        argv.pop_back();
    }
    argv.erase(argv.begin());
    const std::optional<bool> result = test_words(argv);
    if (!result) return refuse("this test");
    status_ = *result ? 0 : 1;
    return Flow::next;
}

std::optional<bool> ShellEvaluator::test_words(const std::vector<std::string>& words) {
    if (words.size() <= 4) {
        const std::optional<bool> result = test_few(words);
        if (result || refusal_.kind != Refusal::Kind::none) return result;
    }
    for (const std::string& word : words) {
        if (words.size() > 3 && (word == "(" || word == ")")) return std::nullopt;  // groups
    }
    // Split at the first -o, then at the first -a, that stands where an operator can stand.
    using Words = std::vector<std::string>;
    for (const std::string_view joiner : {"-o", "-a"}) {
        for (std::size_t i = 1; i + 1 < words.size(); ++i) {
            if (words[i] != joiner || is_binary(words[i - 1]) || is_binary(words[i + 1])) continue;
            const auto middle = words.begin() + static_cast<std::ptrdiff_t>(i);
            const std::optional<bool> left = test_words(Words(words.begin(), middle));
            const std::optional<bool> right = left ? test_words(Words(middle + 1, words.end())) : std::nullopt;
            if (!right) return std::nullopt;
            return joiner == "-o" ? *left || *right : *left && *right;
        }
    }
    return std::nullopt;
}

std::optional<bool> ShellEvaluator::test_few(const std::vector<std::string>& words) {
    const auto negated = [](std::optional<bool> result) { return result ? std::optional<bool>(!*result) : result; };
    switch (words.size()) {
        case 0: return false;
        case 1: return !words[0].empty();
        case 2:
            if (words[0] == "!") return words[1].empty();
            return is_unary(words[0]) ? test_unary(words[0], words[1]) : std::nullopt;
        case 3:
            if (is_binary(words[1])) return test_binary(words[0], words[1], words[2]);
            if (words[1] == "-a") return !words[0].empty() && !words[2].empty();
            if (words[1] == "-o") return !words[0].empty() || !words[2].empty();
            return words[0] == "!" ? negated(test_few({words[1], words[2]})) : std::nullopt;
        case 4: return words[0] == "!" ? negated(test_few({words[1], words[2], words[3]})) : std::nullopt;
        default: return std::nullopt;
    }
}

std::optional<bool> ShellEvaluator::test_unary(const std::string& op, const std::string& operand) {
    if (op == "-n") return !operand.empty();
    if (op == "-z") return operand.empty();
    return test_file(op[1], operand);
}

std::optional<bool> ShellEvaluator::test_binary(const std::string& left, const std::string& op,
                                                const std::string& right) {
    if (op == "!=") return left != right;
    if (op[0] == '=') return left == right;
    const std::optional<std::int64_t> a = integer(left);
    const std::optional<std::int64_t> b = integer(right);
    if (!a || !b) return std::nullopt;
    return compare(*a, op, *b);
}

// Not cleaned lexically: "a/../b" goes through a link "a", and resolve_in knows how.
std::optional<std::string> ShellEvaluator::file_path(const std::string& path) {
    if (options_.tree == nullptr) return refuse("a look at a file", Refusal::Kind::redirection, path), std::nullopt;
    if (path.starts_with('/')) return path;
    if (options_.working_directory.empty()) return refuse("a relative path"), std::nullopt;
    return join_path(options_.working_directory, path);
}

std::optional<bool> ShellEvaluator::test_file(char op, const std::string& path) {
    if (path.empty()) return false;
    const std::optional<std::string> full = file_path(path);
    if (!full) return std::nullopt;
    if (op == 'L' || op == 'h') {
        if (path.ends_with('/') || path.ends_with("/.") || path.ends_with("..")) return std::nullopt;
        const std::string parent(full->substr(0, full->rfind('/') + 1));
        const ResolvedPath directory = resolve_in(*options_.tree, parent);
        const std::string name = full->substr(parent.size());
        return directory.exists() && options_.tree->look(join_path(directory.path, name)).kind == Node::Kind::symlink;
    }
    const ResolvedPath found = resolve_in(*options_.tree, *full);
    const bool directory = found.node.kind == Node::Kind::directory;
    if (!found.exists() || (path.ends_with('/') && !directory)) return false;
    const std::uint32_t mode = found.node.mode;
    switch (op) {
        case 'e': return true;
        case 'f': return found.node.kind == Node::Kind::file;
        case 'd': return directory;
        case 's':
            if (found.node.kind != Node::Kind::file) return std::nullopt;
            return found.node.size > 0;
        // Who the program will be is not known here: only what is so for everybody.
        case 'r': return (mode & 0444) == 0444 ? std::optional<bool>(true) : std::nullopt;
        case 'x':
            if ((mode & 0111) == 0111) return true;
            return (mode & 0111) == 0 && !directory ? std::optional<bool>(false) : std::nullopt;
        default: return std::nullopt;
    }
}

}  // namespace swrun
