// LaunchPlan: the whole launch as data.  resolve makes it without one system call of its own;
// runtime/launch carries it out, in this order, and decides nothing.  Value semantics: no pointer,
// descriptor or callback in here.  --dry-run prints exactly this.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plan/host_facts.h"
#include "plan/launch_request.h"
#include "plan/mount_plan.h"
#include "plan/origin.h"
#include "plan/root_plan.h"
#include "support/log.h"

namespace swrun {

// One FUSE file system that a program of the user's serves (--fusemount).  The program gets the device as its
// descriptor 3.
struct FuseMount {
    std::vector<std::string> argv;
    bool inside = true;   // in the container, with the program's rights; false: on the host, as the caller
    bool daemon = false;  // goes to the background by itself when it serves
    Origin origin;

    friend bool operator==(const FuseMount&, const FuseMount&) = default;
};

// Who the program is inside, for the files that name him.
struct IdentityPlan {
    UserFacts user;
    std::string home;
    std::vector<GroupFacts> groups;

    friend bool operator==(const IdentityPlan&, const IdentityPlan&) = default;
};

struct IdMap {
    std::uint32_t inside = 0;
    std::uint32_t outside = 0;
    std::uint32_t count = 1;

    friend bool operator==(const IdMap&, const IdMap&) = default;
};

struct NamespacePlan {
    bool user = true;  // false: the caller already owns one in which it may mount
    IdMap uid;
    IdMap gid;
    std::vector<IdMap> more_uids;  // ranges that only newuidmap may map; with them setgroups(2) stays allowed
    std::vector<IdMap> more_gids;
    std::string newuidmap;  // absolute paths, set with the ranges
    std::string newgidmap;
    bool pid = false;
    bool init = true;  // with pid: a reaper of ours is process 1
    bool ipc = false;
    bool uts = false;
    bool net = false;      // a new one with only a loopback device
    std::string hostname;  // empty: unchanged

    // Modes of files do not stop the caller.
    [[nodiscard]] bool caller_is_root() const { return uid.outside == 0; }
    friend bool operator==(const NamespacePlan&, const NamespacePlan&) = default;
};

struct Variable {
    std::string name;
    std::string value;
    std::string origin;  // for --explain-env: "caller", "image /.singularity.d/env/90-environment.sh", "--env"

    friend bool operator==(const Variable&, const Variable&) = default;
};

struct EnvFile {
    std::string path;  // inside the container
    std::string text;
    bool as_stored = true;  // false: the file itself holds bytes that its reader leaves out, or writes otherwise

    friend bool operator==(const EnvFile&, const EnvFile&) = default;
};

// All that is needed to make the program's environment, at plan time by shell_lite or after the root
// switch by a real shell.
struct StartupPlan {
    std::vector<Variable> forwarded;     // the caller's, filtered, with the runtime's own: "P"
    std::vector<EnvOverride> overrides;  // "O", deduplicated, in order of application
    std::vector<EnvFile> files;          // of /.singularity.d/env in lexical order, or just /environment
    bool has_env_directory = false;      // /.singularity.d/env exists
    bool late = false;                   // a layer or bind may change the files: read them after the root switch
    bool no_eval = false;
    bool strict = false;                  // --strict-compat: exit 0 ends the launch, an image's empty value unsets
    bool libs_present = false;            // something lies in /.singularity.d/libs; of late: looked up then
    std::string app;                      // SCIF application, or empty
    std::string shell;                    // value of *_SHELL, or empty
    std::string script_name;              // "$0" of the files: names the action
    std::vector<std::string> positional;  // "$@" of the files

    friend bool operator==(const StartupPlan&, const StartupPlan&) = default;
};

// One way to start the program.  The first candidate whose test holds is taken, inside the container
// with the program's rights.
struct Candidate {
    // lookup: argv[0] through PATH, failing is the end; try_lookup: the next candidate then; executable: test -x.
    enum class Test { lookup, try_lookup, executable };

    Test test = Test::lookup;
    std::string path;  // what is tested and executed; empty for lookup: argv[0]
    std::vector<std::string> argv;
    std::vector<std::pair<std::string, std::string>> env;  // set on top, e.g. SHELL=/bin/bash
    std::string note;                                      // said (info level) when this one is taken
    Level note_level = Level::info;
    bool absolute_argv0 = false;   // argv[0] becomes the path that was found
    bool image_shell = false;      // path and argv[0] are still open: the shell that the image's environment names
    bool image_arguments = false;  // argv goes on with what the image's files make "$@"; set until they have run

    friend bool operator==(const Candidate&, const Candidate&) = default;
};

struct ProgramPlan {
    std::vector<Candidate> candidates;
    std::string none_message;  // when no candidate fits
    Level none_level = Level::error;
    int none_status = 1;  // exit status then

    friend bool operator==(const ProgramPlan&, const ProgramPlan&) = default;
};

// Where the program starts: the first directory that can be entered.
struct CwdCandidate {
    std::string path;
    bool required = false;  // --pwd: failing here is an error

    friend bool operator==(const CwdCandidate&, const CwdCandidate&) = default;
};

struct ProcessPlan {
    StartupPlan startup;
    std::optional<std::vector<Variable>> environment;  // ready when shell_lite could do all of it
    ProgramPlan program;
    std::vector<CwdCandidate> directories;
    mode_t umask = 022;
    bool no_new_privs = true;
    bool drop_capabilities = true;
    std::vector<int> capabilities;  // numbers: kept when dropping, else the ones taken away
    std::string host_bash;          // opened before the root switch when a real shell may be needed

    friend bool operator==(const ProcessPlan&, const ProcessPlan&) = default;
};

struct Note {
    Level level = Level::warning;
    std::string text;

    friend bool operator==(const Note&, const Note&) = default;
};

// One file of a control group (cgroups(7), version 2) and what is written into it.
struct GroupSetting {
    std::string file;
    std::string value;
    std::string other_file;  // written instead where the kernel has no such file; empty: there is no other
    std::string other_value;

    friend bool operator==(const GroupSetting&, const GroupSetting&) = default;
};

// A control group that the launch gets for itself.
struct LimitPlan {
    std::vector<GroupSetting> settings;  // empty: no group, unless it is wanted for its numbers
    bool wanted_for_numbers = false;     // an instance: tried, and done without where there can be none
    Origin origin;

    friend bool operator==(const LimitPlan&, const LimitPlan&) = default;
};

// What this launch shares with others of the node (share/share_keys).  Whoever comes first makes it and holds the door.
struct SharePlan {
    bool wanted = false;
    std::string why;                 // it is wanted, or not
    std::string scope;               // the step, job or session that shares
    std::string user_key;            // names the user namespace
    std::string tree_key;            // names the tree with its servers; empty: the tree is this launch's own
    std::string tree_why;            // then
    std::uint32_t linger = 0;        // seconds that tree and servers wait for further launches after the last
    std::uint32_t patience = 30;     // seconds to wait for whoever makes it
    std::vector<Variable> unshared;  // for a rank that has its user namespace for itself: keep MPI from hanging
    std::vector<Note> unshared_notes;

    friend bool operator==(const SharePlan&, const SharePlan&) = default;
};

struct LaunchPlan {
    NamespacePlan namespaces;
    IdentityPlan identity;
    std::vector<ImageMount> image_mounts;
    RootPlan root;
    std::vector<MountOp> mounts;  // in the order of application
    std::vector<FuseMount> fuse_mounts;
    ProcessPlan process;
    LimitPlan limits;
    SharePlan share;
    std::vector<Note> notes;

    // An image that is written to: what the program leaves has to be in the file when the launch ends.
    [[nodiscard]] bool writes_image() const {
        for (const ImageMount& mount : image_mounts) {
            if (mount.is_writable()) return true;
        }
        return false;
    }

    // Programs of --fusemount in the container, or on the host.
    [[nodiscard]] bool has_fuse_mounts(bool inside) const {
        for (const FuseMount& mount : fuse_mounts) {
            if (mount.inside == inside) return true;
        }
        return false;
    }

    friend bool operator==(const LaunchPlan&, const LaunchPlan&) = default;
};

}  // namespace swrun
