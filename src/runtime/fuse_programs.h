// --fusemount in the order of a launch: who is started, mounted, handed over and ended when.  Called by
// runtime/launch; a plan without such mounts makes every call do nothing.
//
// The launch mounts, because only it may: it opens the FUSE device in its user namespace, where the kernel wants
// it opened, and hands it to the program through a keeper (fuse_keeper.h).
#pragma once

#include <vector>

#include "plan/launch_plan.h"
#include "runtime/fuse_keeper.h"
#include "support/fd.h"
#include "support/result.h"

namespace swrun {

class FusePrograms {
public:
    // S2, before the namespaces: a keeper for the programs of the host.
    [[nodiscard]] Status start_keeper(const LaunchPlan& plan);

    // S5: mounts all, and starts the programs of the host.
    [[nodiscard]] Status mount(const LaunchPlan& plan);

    // Of each mount of the plan, not attached yet; they are taken out of it.
    [[nodiscard]] std::vector<Fd>& mounts() { return mounts_; }

    // S9, with the program's rights and before anything looks into what they serve: it would wait for ever.
    [[nodiscard]] Status start_inside(const LaunchPlan& plan, bool has_init);

    // In the supervisor, when the program has ended; leaves the launch's mount namespace.
    void end_on_host() const;
    // In process 1, likewise, while the mounts are still there.
    void end_inside() const;

    // What process 1 must keep open until then; -1 for nothing.
    [[nodiscard]] int kept() const { return inside_.link(); }

private:
    FuseKeeper host_;
    FuseKeeper inside_;
    std::vector<Fd> devices_;  // of those inside
    std::vector<Fd> mounts_;
};

}  // namespace swrun
