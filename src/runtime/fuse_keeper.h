// The programs of --fusemount: each serves one FUSE file system of the container, on the host or inside.
// Called by runtime/fuse_programs.
//
// The programs are started and ended by a keeper, a process of
// ours that reaps them, also those that detach themselves (PR_SET_CHILD_SUBREAPER), says when one ends too
// early, and ends them when the launch is over: by SIGTERM, so that they can write back what they hold, and
// after some patience by SIGKILL.  The keeper of the host is nobody's child and in the caller's namespaces; the
// one inside is a child of process 1, made so that plain wait(2) does not see it: the program may be process 1.
// Of the caller's descriptors only stderr stays, for the messages of the programs.
#pragma once

#include <string>
#include <vector>

#include "plan/launch_plan.h"
#include "support/fd.h"
#include "support/result.h"

namespace swrun {

class FuseKeeper {
public:
    FuseKeeper() = default;

    // S2: for the programs of the host, which are looked up in the caller's PATH now.  An empty keeper without any.
    [[nodiscard]] static Result<FuseKeeper> on_host(const LaunchPlan& plan);

    // S9, with the program's rights: for the programs inside.  `outlived`: this process will become the program,
    // nobody will call end(), and the end of the pid namespace is theirs.
    [[nodiscard]] static Result<FuseKeeper> inside(const LaunchPlan& plan, bool outlived);

    // Starts the program of one mount of the plan and waits until it runs; one that detaches itself has done so
    // then.  `user_namespace` is entered first; -1 for none.
    [[nodiscard]] Status start(std::size_t fuse_mount, int device, int user_namespace) const;

    // Has the programs ended; wait_ended() waits for that, within bounds.
    void end() const;
    void wait_ended() const;

    // Gives up this process's hold; the keeper stays as long as another process has one.
    void let_go() { link_.reset(); }

    // The launch's end of the link, whose end of file is the launch's end; -1 without programs.
    [[nodiscard]] int link() const { return link_.get(); }

private:
    explicit FuseKeeper(Fd link) : link_(std::move(link)) {}

    Fd link_;
};

}  // namespace swrun
