// The descriptions of running instances on disk: DIRECTORY/instances/app/HOST/USER/NAME/NAME.json, and their
// logs in .../instances/logs/HOST/USER.  By host, because a home directory is shared by many; by user, because
// a directory may be, too.  A name is taken by renaming a complete directory into its place, which one of many
// can do; no lock is held by anybody.  What is left of an instance that was killed goes when somebody sees it.
#pragma once

#include <string>
#include <vector>

#include "instance/instance_state.h"
#include "plan/host_facts.h"
#include "support/fd.h"
#include "support/result.h"

namespace swrun {

struct InstancePlaces {
    std::string states;  // .../app/HOST/USER
    std::string logs;    // .../logs/HOST/USER
    std::string user;
    uid_t uid = 0;
};

// Below $APPTAINER_CONFIGDIR or ~/.apptainer of the user database.  `user` empty: the caller; another one, for
// root only, must be in the user database.
[[nodiscard]] Result<InstancePlaces> instance_places(const HostFacts& host, const std::string& user);

// Those whose name fits the pattern (glob(7)), by name.  Stale ones are removed on the way.
[[nodiscard]] std::vector<InstanceState> list_instances(const InstancePlaces& places, const std::string& pattern);

// Takes the name: fails with "instance NAME already exists" when a living one has it.
[[nodiscard]] Status reserve_instance(const InstancePlaces& places, const InstanceState& state);

// Replaces the description of a name that this process has taken.
[[nodiscard]] Status update_instance(const InstancePlaces& places, const InstanceState& state);

// Removes it if it still is the one of this supervisor.
void remove_instance(const InstancePlaces& places, const InstanceState& state);

// This process, or another one; pid 0 when there is none.
[[nodiscard]] ProcessMark mark_process(pid_t pid);

// Is the process still there that was marked?
[[nodiscard]] bool is_alive(const ProcessMark& mark);

// "/proc/PID" of the marked process, opened and then verified: whoever it belongs to later, this descriptor
// only ever means that process.  Fails when it is gone or is not `uid`'s.
[[nodiscard]] Result<Fd> open_process(const ProcessMark& mark, uid_t uid);

// A log file, made and opened for appending, 0600.
[[nodiscard]] Result<Fd> open_log(const InstancePlaces& places, const std::string& path);

}  // namespace swrun
