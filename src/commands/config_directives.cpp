#include "commands/config_directives.h"

namespace swrun {
namespace {

struct Directive {
    std::string_view name;
    std::string_view value;
};

// What never changes.  Names: apptainer.conf of Apptainer 1.5.
constexpr Directive kFixed[] = {
    {"allow setuid", "no"},
    {"allow pid ns", "yes"},
    {"allow ipc ns", "yes"},
    {"allow uts ns", "yes"},
    {"allow user ns", "yes"},
    {"config passwd", "yes"},
    {"config group", "yes"},
    {"config resolv_conf", "yes"},
    {"mount proc", "yes"},
    {"mount sys", "yes"},
    {"mount dev", "yes"},
    {"mount devpts", "yes"},
    {"mount home", "yes"},
    {"mount tmp", "yes"},
    {"mount hostfs", "no"},
    {"mount slave", "yes"},
    {"user bind control", "yes"},
    {"enable underlay", "no"},
    {"memory fs type", "tmpfs"},
    {"use nvidia-container-cli", "no"},
    {"systemd cgroups", "no"},
    {"allow container sif", "yes"},
    {"allow container squashfs", "yes"},
    {"allow container dir", "yes"},
    {"allow container encrypted", "no"},
};

// An option that a site file or a variable has switched on.
bool is_on(const Invocation& invocation, std::string_view option) {
    for (const ShownSetting& one : invocation.config.settings) {
        if (one.option == option) return one.value == "true";
    }
    return false;
}

std::string bind_paths(const Invocation& invocation) {
    std::string paths = "/etc/localtime,/etc/hosts";
    for (const BindSpec& bind : invocation.launch.site_binds) {
        paths.append(",").append(bind.source);
        if (bind.target != bind.source) paths.append(":").append(bind.target);
    }
    return paths;
}

}  // namespace

std::optional<std::string> directive_value(std::string_view name, const Invocation& invocation) {
    if (name == "bind path") return bind_paths(invocation);
    if (name == "always use nv") return is_on(invocation, "--nv") ? "yes" : "no";
    if (name == "always use rocm") return is_on(invocation, "--rocm") ? "yes" : "no";
    for (const Directive& one : kFixed) {
        if (one.name == name) return std::string(one.value);
    }
    return std::nullopt;
}

}  // namespace swrun
