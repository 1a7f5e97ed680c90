#include "mounts/bind_spec.h"

#include <algorithm>

#include "mounts/caret.h"
#include "support/text.h"

namespace swrun {
namespace {

constexpr std::string_view kOptionHint = "valid options: ro, rw, optional";

// A part between separators: unescaped and without blanks at its ends.
struct Token {
    std::string text;
    std::size_t at = 0;        // of its first byte in the value
    std::size_t length = 0;    // in the value, with escapes
    bool after_colon = false;  // else after a comma or at the start
    bool before_colon = false;
};

bool is_separator(char c) { return c == ',' || c == ':'; }

// Appends one character or one run of backslashes with what it escapes; gives the position after it.
std::size_t take_character(std::string_view value, std::size_t at, std::string& into) {
    if (value[at] != '\\') {
        into.push_back(value[at]);
        return at + 1;
    }
    const std::size_t end = std::min(value.find_first_not_of('\\', at), value.size());
    const std::size_t run = end - at;
    if (end == value.size() || !is_separator(value[end])) {
        into.append(run, '\\');
        return end;
    }
    into.append(run / 2, '\\');
    if (run % 2 == 0) return end;
    into.push_back(value[end]);
    return end + 1;
}

Token take_token(std::string_view value, std::size_t& at) {
    Token token;
    const std::size_t start = at;
    while (at < value.size() && !is_separator(value[at])) at = take_character(value, at, token.text);
    token.text = std::string(trim(token.text));
    const std::string_view raw = value.substr(start, at - start);
    const std::string_view kept = trim(raw);
    token.at = kept.empty() ? start : static_cast<std::size_t>(kept.data() - value.data());
    token.length = kept.size();
    token.before_colon = at < value.size() && value[at] == ':';
    return token;
}

std::vector<Token> tokenize(std::string_view value) {
    std::vector<Token> tokens;
    std::size_t at = 0;
    for (bool after_colon = false;;) {
        tokens.push_back(take_token(value, at));
        tokens.back().after_colon = after_colon;
        if (at >= value.size()) return tokens;
        after_colon = value[at++] == ':';
    }
}

bool is_image_option(std::string_view word) { return word.starts_with("image-src=") || word.starts_with("id="); }

bool is_option(std::string_view word) {
    return word == "ro" || word == "rw" || word == "optional" || is_image_option(word);
}

class BindListParser {
public:
    BindListParser(std::string_view value, const Origin& origin) : value_(value), origin_(origin) {}

    Result<std::vector<BindSpec>> parse() {
        const std::size_t nul = value_.find('\0');
        if (nul != std::string_view::npos) {
            return make_error(Error::Kind::request, "a path cannot contain a NUL byte" + point_at(value_, nul, 1));
        }
        for (const Token& token : tokenize(value_)) {
            SWRUN_CHECK(token.after_colon ? take_further_part(token) : take_after_comma(token));
        }
        return std::move(binds_);
    }

private:
    Error fail(const Token& token, std::string_view message) const {
        return make_error(Error::Kind::request, std::string(message) + point_at(value_, token.at, token.length));
    }

    Status take_after_comma(const Token& token) {
        // A word before a colon is the source of the next bind, whatever its name.
        if (!token.before_colon) {
            if (token.text.empty()) return {};
            if (is_option(token.text)) {
                if (parts_ == 3) return take_option(token);
                return fail(token,
                            "misplaced bind option " + token.text + ": options follow the destination after a colon")
                    .with_hint("write SRC:DST:" + token.text + "; for a file of that name write ./" + token.text);
            }
        }
        if (token.text.empty()) return fail(token, "empty bind source");
        BindSpec bind;
        bind.source = token.text;
        bind.target = token.text;
        bind.origin = origin_;
        binds_.push_back(std::move(bind));
        parts_ = 1;
        return {};
    }

    Status take_further_part(const Token& token) {
        switch (++parts_) {
            case 2: return take_target(token);
            case 3: return take_option(token);
            default:
                return fail(token, "bad bind syntax: too many colons")
                    .with_hint("should be SRC[:DST[:OPTIONS]]; a colon inside a name is written \\:");
        }
    }

    Status take_target(const Token& token) {
        if (token.text.empty()) return fail(token, "empty bind destination");
        if (token.text[0] != '/') {
            Error error = relative_target_error(binds_.back().source);
            error.message += point_at(value_, token.at, token.length);
            return error;
        }
        binds_.back().target = token.text;
        return {};
    }

    Status take_option(const Token& token) {
        BindSpec& bind = binds_.back();
        if (token.text == "ro") {
            bind.read_only = true;  // wins over rw in either order
        } else if (token.text == "optional") {
            bind.required = false;
        } else if (is_image_option(token.text)) {
            const Status status = apply_image_option(token.text, bind);
            if (!status) return fail(token, status.error().message);
        } else if (token.text != "rw") {
            const std::string shown = token.text.empty() ? "\"\"" : printable(token.text);
            return fail(token, shown + " is not a valid bind option").with_hint(kOptionHint);
        }
        return {};
    }

    std::string_view value_;
    const Origin& origin_;
    std::vector<BindSpec> binds_;
    int parts_ = 0;  // of binds_.back(): 1 source, 2 destination, 3 options
};

// Backslashes are doubled only where the reader would take them for an escape: before a separator, of
// which one always follows.
std::string escape(std::string_view path) {
    std::string text;
    std::size_t run = 0;
    for (const char c : path) {
        if (is_separator(c)) text.append(run, '\\').push_back('\\');
        run = c == '\\' ? run + 1 : 0;
        text.push_back(c);
    }
    return text.append(run, '\\');
}

std::string options_text(const BindSpec& bind) {
    std::vector<std::string> words;
    if (bind.read_only) words.emplace_back("ro");
    if (!bind.required) words.emplace_back("optional");
    if (bind.from_image) words.push_back("image-src=" + escape(bind.image_path));
    if (bind.image_id) words.push_back("id=" + std::to_string(*bind.image_id));
    return join(words, ",");
}

}  // namespace

Error relative_target_error(std::string_view source) {
    return make_error(Error::Kind::request,
                      "unable to add " + printable(source) + " to mount list: destination must be an absolute path");
}

Status apply_image_option(std::string_view word, BindSpec& bind) {
    const std::size_t equals = word.find('=');
    const std::string_view value = word.substr(std::min(equals, word.size() - 1) + 1);
    bind.from_image = true;
    if (word.substr(0, equals) == "image-src") {
        bind.image_path = value.empty() ? "/" : std::string(value);
        return {};
    }
    const std::optional<std::uint64_t> id = parse_decimal(value);
    if (!id || *id == 0 || *id > 0xffffffffU)
        return make_error(Error::Kind::request, "id must be the number of a SIF object");
    bind.image_id = static_cast<std::uint32_t>(*id);
    return {};
}

Result<std::vector<BindSpec>> parse_bind_list(std::string_view value, const Origin& origin) {
    return with_context(BindListParser(value, origin).parse(), "parsing the bind paths of " + to_text(origin));
}

Result<HomeSpec> parse_home(std::string_view value) {
    const auto fail = [](const std::string& message) { return make_error(Error::Kind::request, message); };
    const std::vector<std::string_view> parts = split(value, ':');
    if (parts.size() > 2)
        return fail("home argument has incorrect number of elements: " + std::to_string(parts.size()));
    if (value.find('\0') != std::string_view::npos) return fail("home argument contains a NUL byte");
    if (parts[0].empty()) return fail("home argument has an empty source").with_hint("should be SRC[:DST]");
    HomeSpec home;
    home.source = std::string(parts[0]);
    if (parts.size() == 1 || parts[1].empty()) return home;
    if (parts[1][0] != '/') {
        return fail("failed to add " + printable(parts[0]) + " as home directory: path " + printable(parts[1]) +
                    " is not an absolute path");
    }
    home.target = std::string(parts[1]);
    return home;
}

std::string to_text(const BindSpec& bind) {
    const std::string options = options_text(bind);
    std::string text = escape(bind.source);
    if (bind.target != bind.source || !options.empty()) text.append(":").append(escape(bind.target));
    if (!options.empty()) text.append(":").append(options);
    if (text.ends_with('\\')) text.push_back(',');  // the separator that escape() counts on
    return text;
}

}  // namespace swrun
