// config show and config global --get: what is set, and by whom.  Nothing is ever written: swrun's settings
// are text files that people edit.
#include <cstdio>

#include "commands/commands.h"
#include "commands/config_directives.h"
#include "support/text.h"

namespace swrun {
namespace {

void print_line(const std::string& name, const std::string& value, const Origin& origin) {
    std::string line = "  " + name;
    if (!value.empty()) line.append(" ").append(printable(value));
    if (line.size() < 50) line.resize(50, ' ');
    std::printf("%s  (%s)\n", line.c_str(), to_text(origin).c_str());
}

std::string bind_text(const BindSpec& bind) {
    const std::string ends = bind.source == bind.target ? bind.source : bind.source + ":" + bind.target;
    return ends + (bind.read_only ? ":ro" : "");
}

int show_config(const Invocation& invocation) {
    std::puts("Site files that were read, the first counts most:");
    for (const std::string& file : invocation.site_files) std::printf("  %s\n", printable(file).c_str());
    if (invocation.site_files.empty()) std::puts("  none");
    std::printf("Profile:\n  %s\n", invocation.profile.empty() ? "none" : printable(invocation.profile).c_str());
    std::puts("Options that are set without being asked for on the command line:");
    for (const ShownSetting& one : invocation.config.settings) print_line(one.option, one.value, one.origin);
    if (invocation.config.settings.empty()) std::puts("  none");
    std::puts("Binds of site files:");
    for (const BindSpec& bind : invocation.launch.site_binds) print_line(bind_text(bind), "", bind.origin);
    if (invocation.launch.site_binds.empty()) std::puts("  none");
    std::puts("Variables of site files, where the caller has none:");
    for (const EnvOverride& one : invocation.launch.site_env) print_line(one.name + "=" + one.value, "", one.origin);
    if (invocation.launch.site_env.empty()) std::puts("  none");
    return 0;
}

int get_directive(const Invocation& invocation) {
    const std::string& name = invocation.config.directive;
    const auto value = directive_value(name, invocation);
    if (!value) {
        return report(make_error(Error::Kind::request, "\"" + printable(name) + "\" is not a directive that swrun has")
                          .with_hint("swrun reads swrun.toml, see `swrun config show`"));
    }
    std::puts(value->c_str());
    return 0;
}

}  // namespace

int config_command(const Invocation& invocation) {
    if (invocation.command == Command::config_show) return show_config(invocation);
    switch (invocation.config.operation) {
        case ConfigRequest::Operation::get: return get_directive(invocation);
        case ConfigRequest::Operation::write: break;
    }
    return report(make_error(Error::Kind::request, "swrun writes no configuration: directive \"" +
                                                       printable(invocation.config.directive) + "\" is unchanged")
                      .with_hint("edit /etc/swrun/swrun.toml or ~/.config/swrun/swrun.toml"));
}

}  // namespace swrun
