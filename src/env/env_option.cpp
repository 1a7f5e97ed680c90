#include "env/env_option.h"

#include <algorithm>

#include "support/text.h"

namespace swrun {

namespace {

std::string_view without_quotes(std::string_view text) {
    if (text.size() < 2 || text.front() != '"' || text.back() != '"') return text;
    return text.substr(1, text.size() - 2);
}

Error not_a_pair(std::string_view text) {
    return make_error(Error::Kind::usage, std::string(text) + " must be formatted as key=value");
}

}  // namespace

Result<std::vector<EnvOverride>> parse_env_option(std::string_view text, const Origin& origin) {
    std::vector<std::string> pairs;
    const auto equals = std::count(text.begin(), text.end(), '=');
    if (equals == 0) return not_a_pair(text);
    if (equals == 1) {
        pairs.emplace_back(without_quotes(text));
    } else {
        std::optional<std::vector<std::string>> fields = split_csv(text);
        if (!fields) {
            return make_error(Error::Kind::usage, "misplaced or unbalanced double quote in " + std::string(text))
                .with_hint("with several = the text is read as comma separated values: write '\"NAME=a=b,c\"'");
        }
        pairs = std::move(*fields);
    }
    std::vector<EnvOverride> values;
    for (const std::string& pair : pairs) {
        const std::size_t at = pair.find('=');
        if (at == std::string::npos) return not_a_pair(pair);
        std::string_view value = std::string_view(pair).substr(at + 1);
        if (equals == 1) value = without_quotes(value);
        values.push_back({pair.substr(0, at), std::string(value), origin});
    }
    return values;
}

}  // namespace swrun
