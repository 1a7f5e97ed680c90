#include <nlohmann/json.hpp>

#include "instance/instance_state.h"

namespace swrun {
namespace {

using Json = nlohmann::ordered_json;

// A key of our own beside those of Apptainer, which ignores what it does not know.
constexpr const char* kOwn = "swrun";

std::string text_at(const Json& json, const char* key) {
    const auto at = json.find(key);
    return at != json.end() && at->is_string() ? at->get<std::string>() : std::string();
}

template <class T> T number_at(const Json& json, const char* key) {
    const auto at = json.find(key);
    if (at == json.end() || !at->is_number_integer()) return T{};
    const auto value = at->get<std::int64_t>();
    return std::in_range<T>(value) ? static_cast<T>(value) : T{};
}

bool flag_at(const Json& json, const char* key, bool otherwise) {
    const auto at = json.find(key);
    return at != json.end() && at->is_boolean() ? at->get<bool>() : otherwise;
}

template <class T> std::vector<T> list_at(const Json& json, const char* key) {
    std::vector<T> list;
    const auto at = json.find(key);
    if (at == json.end() || !at->is_array()) return list;
    for (const Json& one : *at) {
        if constexpr (std::is_same_v<T, std::string>) {
            if (one.is_string()) list.push_back(one.get<std::string>());
        } else {
            if (one.is_number_integer()) list.push_back(one.get<T>());
        }
    }
    return list;
}

void read_own(const Json& own, InstanceState& state) {
    state.init.start_time = number_at<std::uint64_t>(own, "start");
    state.supervisor.start_time = number_at<std::uint64_t>(own, "parentStart");
    state.init.boot = state.supervisor.boot = text_at(own, "boot");
    state.starting = flag_at(own, "starting", false);
    state.terms.home = text_at(own, "home");
    state.terms.bind_targets = list_at<std::string>(own, "bind");
    state.terms.libs_present = flag_at(own, "libs", false);
    state.terms.uid = number_at<std::uint32_t>(own, "uid");
    state.terms.gid = number_at<std::uint32_t>(own, "gid");
    state.terms.no_new_privs = flag_at(own, "noNewPrivs", true);
    state.terms.drop_capabilities = flag_at(own, "dropCapabilities", true);
    state.terms.capabilities = list_at<int>(own, "capabilities");
}

// Bytes that are no UTF-8 are replaced: a path may hold anything, and JSON may not.
std::string dump(const Json& json, int indent, char filler) {
    return json.dump(indent, filler, false, Json::error_handler_t::replace);
}

}  // namespace

std::string instance_to_json(const InstanceState& state) {
    const Json own{{"boot", state.init.boot.empty() ? state.supervisor.boot : state.init.boot},
                   {"start", state.init.start_time},
                   {"parentStart", state.supervisor.start_time},
                   {"starting", state.starting},
                   {"home", state.terms.home},
                   {"bind", state.terms.bind_targets},
                   {"libs", state.terms.libs_present},
                   {"uid", state.terms.uid},
                   {"gid", state.terms.gid},
                   {"noNewPrivs", state.terms.no_new_privs},
                   {"dropCapabilities", state.terms.drop_capabilities},
                   {"capabilities", state.terms.capabilities}};
    const Json json{{"pid", state.init.pid},
                    {"ppid", state.supervisor.pid},
                    {"name", state.name},
                    {"user", state.user},
                    {"image", state.image},
                    {"config", ""},
                    {"userns", state.user_namespace},
                    {"cgroup", state.has_group},
                    {"ip", ""},
                    {"logErrPath", state.log_err},
                    {"logOutPath", state.log_out},
                    {"checkpoint", ""},
                    {"sharensMode", false},
                    {kOwn, own}};
    return dump(json, -1, ' ') + "\n";
}

Result<InstanceState> instance_from_json(std::string_view text) {
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object()) return make_error(Error::Kind::host, "not the description of an instance");
    InstanceState state;
    state.name = text_at(json, "name");
    state.user = text_at(json, "user");
    state.image = text_at(json, "image");
    state.init.pid = number_at<pid_t>(json, "pid");
    state.supervisor.pid = number_at<pid_t>(json, "ppid");
    state.log_out = text_at(json, "logOutPath");
    state.log_err = text_at(json, "logErrPath");
    state.user_namespace = flag_at(json, "userns", false);
    state.has_group = flag_at(json, "cgroup", false);
    const auto own = json.find(kOwn);
    state.ours = own != json.end() && own->is_object();
    if (state.ours) read_own(*own, state);
    if (!instance_name_valid(state.name)) return make_error(Error::Kind::host, "not the description of an instance");
    return state;
}

std::string instance_list_json(const std::vector<InstanceState>& list) {
    Json entries = Json::array();
    for (const InstanceState& one : list) {
        entries.push_back({{"instance", one.name},
                           {"pid", one.init.pid},
                           {"img", one.image},
                           {"ip", ""},
                           {"logErrPath", one.log_err},
                           {"logOutPath", one.log_out}});
    }
    return dump(Json{{"instances", entries}}, 1, '\t') + "\n";
}

}  // namespace swrun
