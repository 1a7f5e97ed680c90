// capability list and avail.  Nobody is granted anything by swrun, so there is nothing to list; what Linux
// has is a table.
#include <cstdio>

#include "commands/commands.h"
#include "plan/capabilities.h"
#include "support/log.h"
#include "support/text.h"

namespace swrun {
namespace {

void print(const CapabilityName& one) {
    std::printf("%-24s %s\n", std::string(one.name).c_str(), std::string(one.meaning).c_str());
}

int print_available(const std::string& names) {
    std::vector<const CapabilityName*> chosen;
    for (const std::string_view name : split(names, ',')) {
        const std::optional<int> number = capability_number(trim(name));
        if (!number) {
            return report(
                make_error(Error::Kind::request,
                           "Unable to list available capabilities: unknown capability " + printable(trim(name))));
        }
        chosen.push_back(&capability_names()[static_cast<std::size_t>(*number)]);
    }
    for (const CapabilityName* one : chosen) print(*one);
    return 0;
}

}  // namespace

int capability_command(const Invocation& invocation) {
    if (invocation.command == Command::capability_list) {
        log_info("no capabilities are configured: programs run with the caller's rights");
        return 0;
    }
    if (!invocation.capability_names.empty()) return print_available(invocation.capability_names);
    for (const CapabilityName& one : capability_names()) print(one);
    return 0;
}

}  // namespace swrun
