// The plan as JSON, from the lists of plan/plan_fields: every field, in the order of its list.  What is a rule here: a
// value that is absent is left out; an alternative of several is an object with its kind; an origin is one text.
#include "resolve/plan_json.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "plan/plan_fields.h"
#include "resolve/plan_names.h"

namespace swrun {
namespace {

using Json = nlohmann::ordered_json;

template <class T> Json json_of(const T& value);
template <class T> Json json_of(const std::vector<T>& items);
template <class... Alternatives> Json json_of(const std::variant<Alternatives...>& value);

Json json_of(const Origin& origin) { return to_text(origin); }
Json json_of(const std::string& text) { return text; }
Json json_of(const std::vector<std::pair<std::string, std::string>>& pairs) {
    Json json = Json::object();
    for (const auto& [name, value] : pairs) json[name] = value;
    return json;
}
template <class T> Json json_of(const std::vector<T>& items) {
    Json json = Json::array();
    for (const T& item : items) json.push_back(json_of(item));
    return json;
}

template <class... Alternatives> Json json_of(const std::variant<Alternatives...>& value) {
    return std::visit(
        [](const auto& one) {
            Json json{{"kind", kKind<std::remove_cvref_t<decltype(one)>>}};
            json.update(json_of(one));
            return json;
        },
        value);
}

Json octal(std::uint32_t mode) {
    char text[16];
    std::snprintf(text, sizeof text, "%04o", mode);
    return text;
}

// The names of the switches that are on.
template <class T> Json set_of(const T& switches) {
    Json json = Json::array();
    each_field(switches, [&](const auto& about, bool on) {
        if (on) json.push_back(about.name);
    });
    return json;
}

template <class T> void put(Json& into, const char* name, const T& value) { into[name] = json_of(value); }
template <class T> void put(Json& into, const char* name, const std::optional<T>& value) {
    if (value) into[name] = json_of(*value);
}

template <Listed T> Json object_of(const T& value) {
    Json json = Json::object();
    each_field(value,
               [&]<class Owner, class Value, class Note>(const Field<Owner, Value, Note>& about, const auto& of) {
                   if constexpr (Note::show == Show::octal) {
                       json[about.name] = octal(of);
                   } else if constexpr (Note::show == Show::set) {
                       json[about.name] = set_of(of);
                   } else if constexpr (Note::show == Show::merged) {
                       json.update(json_of(of));
                   } else {
                       put(json, about.name, of);
                   }
               });
    return json;
}

template <class T> Json json_of(const T& value) {
    if constexpr (Listed<T>) {
        return object_of(value);
    } else if constexpr (std::is_enum_v<T>) {
        return name_of(value);
    } else {
        static_assert(std::is_arithmetic_v<T>, "no rule for this type");
        return value;
    }
}

}  // namespace

std::string plan_to_json(const LaunchPlan& plan) {
    return object_of(plan).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace swrun
