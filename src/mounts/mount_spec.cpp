#include "mounts/bind_spec.h"
#include "support/text.h"

namespace swrun {
namespace {

Error fail(std::string message) { return make_error(Error::Kind::request, std::move(message)); }

std::string quoted(std::string_view text) { return '"' + printable(text) + '"'; }

// Lines, but not inside quotes: a quoted field may hold a newline.
std::vector<std::string_view> split_records(std::string_view value) {
    std::vector<std::string_view> records;
    bool in_quotes = false;
    std::size_t start = 0;
    for (std::size_t at = 0; at <= value.size(); ++at) {
        const bool end = at == value.size();
        if (!end && value[at] == '"') in_quotes = !in_quotes;
        if (!end && (value[at] != '\n' || in_quotes)) continue;
        const std::string_view record = trim(value.substr(start, at - start));
        if (!record.empty()) records.push_back(record);
        start = at + 1;
    }
    return records;
}

Result<std::string> path_value(std::string_view name, std::string_view value) {
    if (value.empty()) return fail("mount " + std::string(name) + " cannot be empty");
    return std::string(value);
}

// A key that may stand alone, which means true.
Result<bool> flag_value(std::string_view key, bool has_value, std::string_view value) {
    if (!has_value || value == "true" || value == "1") return true;
    if (value == "false" || value == "0") return false;
    return fail("invalid value " + quoted(value) + " of key " + quoted(key) + " in mount specification");
}

Status apply_field(std::string_view field, BindSpec& bind) {
    const std::size_t equals = field.find('=');
    const bool has_value = equals != std::string_view::npos;
    const std::string_view key = trim(field.substr(0, equals));
    const std::string_view value = has_value ? field.substr(equals + 1) : std::string_view();
    if (key == "type") {
        if (value != "bind") return fail("unsupported mount type " + quoted(value) + ", only 'bind' is supported");
    } else if (key == "source" || key == "src") {
        SWRUN_TRY(bind.source, path_value("source", value));
    } else if (key == "destination" || key == "dst" || key == "target") {
        SWRUN_TRY(bind.target, path_value("destination", value));
    } else if (key == "ro" || key == "readonly") {
        SWRUN_TRY(bind.read_only, flag_value(key, has_value, value));
    } else if (key == "optional") {
        SWRUN_TRY(const bool optional, flag_value(key, has_value, value));
        bind.required = !optional;
    } else if (key == "nonested") {
        SWRUN_TRY(const bool nonested, flag_value(key, has_value, value));
        bind.nested = !nonested;
    } else if (key == "image-src" || key == "id") {
        return apply_image_option(field, bind);
    } else if (key == "bind-propagation") {
        return fail("bind-propagation not supported for individual mounts")
            .with_hint("mounts of the host always propagate into the container");
    } else {
        Error error = fail("invalid key " + quoted(key) + " in mount specification");
        return key == "rw" ? error.with_hint("a mount is writable unless ro is given") : error;
    }
    return {};
}

Result<BindSpec> parse_record(std::string_view record, const Origin& origin) {
    if (record.find('\0') != std::string_view::npos) return fail("a path cannot contain a NUL byte");
    const auto fields = split_csv(record);
    if (!fields) return fail("a quote is not closed, or stands inside a field that does not begin with one");
    BindSpec bind;
    bind.origin = origin;
    for (const std::string& field : *fields) SWRUN_CHECK(apply_field(field, bind));
    if (bind.source.empty() || bind.target.empty()) return fail("mounts must specify a source and a destination");
    if (bind.target[0] != '/') return relative_target_error(bind.source);
    return bind;
}

}  // namespace

Result<std::vector<BindSpec>> parse_mount_spec(std::string_view value, const Origin& origin) {
    std::vector<BindSpec> binds;
    for (const std::string_view record : split_records(value)) {
        Result<BindSpec> bind = parse_record(record, origin);
        if (!bind) {
            return std::move(bind)
                .error()
                .add_context("parsing mount " + quoted(record))
                .add_context("reading " + to_text(origin));
        }
        binds.push_back(std::move(*bind));
    }
    return binds;
}

}  // namespace swrun
