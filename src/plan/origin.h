// Who asked for something: carried by every value that a person may wonder about, so that each error,
// warning and line of --dry-run can name its cause.
#pragma once

#include <string>

namespace swrun {

struct Origin {
    enum class Kind { builtin, image, site_file, user_file, variable, argument };

    Kind kind = Kind::builtin;
    std::string where;  // "--bind", "APPTAINER_BIND", "/etc/swrun/swrun.toml:12"; may be empty for builtin

    friend bool operator==(const Origin&, const Origin&) = default;
};

// A value with its origin.
template <class T> struct Asked {
    T value{};
    Origin origin;

    friend bool operator==(const Asked&, const Asked&) = default;
};

[[nodiscard]] inline std::string to_text(const Origin& origin) {
    switch (origin.kind) {
        case Origin::Kind::builtin: return origin.where.empty() ? "default" : "default: " + origin.where;
        case Origin::Kind::image: return "image " + origin.where;
        case Origin::Kind::site_file: return "site file " + origin.where;
        case Origin::Kind::user_file: return "user file " + origin.where;
        case Origin::Kind::variable: return "variable " + origin.where;
        case Origin::Kind::argument: return origin.where;
    }
    return origin.where;
}

}  // namespace swrun
