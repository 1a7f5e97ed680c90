#include <cstdio>

#include "commands/commands.h"
#include "runtime/doctor.h"

namespace swrun {

int doctor_command(const HostFacts& host) {
    int status = 0;
    for (const Finding& finding : examine_host(host)) {
        const char* mark = "ok";
        switch (finding.state) {
            case Finding::State::works: break;
            case Finding::State::limited: mark = "limited"; break;
            case Finding::State::fails:
                mark = "FAILS";
                status = 1;
                break;
        }
        std::printf("%-8s %s: %s\n", mark, finding.what.c_str(), finding.detail.c_str());
        if (!finding.fix.empty()) std::printf("         fix: %s\n", finding.fix.c_str());
    }
    std::printf(status == 0 ? "swrun can run images on this host.\n"
                            : "swrun cannot run images on this host until that is fixed.\n");
    return status;
}

}  // namespace swrun
