// LaunchPlan: the whole launch as data.  plan/resolve makes it without one system call of its own;
// runtime/launch carries it out, in this order, and decides nothing.  Value semantics: no pointer,
// descriptor or callback in here.  --dry-run prints exactly this.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plan/image_facts.h"
#include "plan/launch_request.h"
#include "plan/origin.h"
#include "support/log.h"

namespace swrun {

// Something that the image's tree lacks and the launch adds: a mount point, a link, a generated file.
// In an image file it is answered by our server; in a directory image it lies in a layer of its own.
struct Ghost {
    enum class Kind { directory, file, symlink };

    Kind kind = Kind::directory;
    std::string path;     // absolute below the root, or relative to the tmpfs that holds it
    std::string content;  // of a file; target of a link
    std::uint32_t mode = 0755;

    friend bool operator==(const Ghost&, const Ghost&) = default;
};

struct MountFlags {
    bool read_only = false;
    bool no_suid = true;
    bool no_dev = true;
    bool no_exec = false;
    bool recursive = true;  // of a bind: mounts below the source come along, and the flags reach them

    friend bool operator==(const MountFlags&, const MountFlags&) = default;
};

// One mount below the new root.  Targets are resolved inside the root at apply time, links followed.
struct MountOp {
    enum class Kind { bind, image, tmpfs, proc, sysfs, devpts, mqueue, generated };

    Kind kind = Kind::bind;
    std::string source;           // of a bind or image: absolute host path; else empty
    std::string image_path;       // of an image: what of its tree
    std::size_t image_index = 0;  // of an image: its place among the further images of the launch
    std::string target;           // absolute inside the new root
    std::vector<Ghost> content;   // of a tmpfs: what it starts with; of generated: one file
    MountFlags flags;
    std::uint32_t mode = 01777;  // of a tmpfs
    bool create_source = false;  // of a bind: make the source directory with `mode` first (--workdir)
    bool create_target = false;  // lies below a bound host directory that lacks it: made there, as the user
    bool target_is_dir = true;   // what create_target makes
    bool required = true;        // false: a failure is a note
    Origin origin;

    friend bool operator==(const MountOp&, const MountOp&) = default;
};

// Who owns the files of an image file.  Usually the caller, because his is the only id that exists
// inside; with a range of ids (fakeroot) whoever the image says.
struct OwnerView {
    bool as_stored = false;
    std::uint32_t uid = 0;  // inside; for as_stored == false
    std::uint32_t gid = 0;

    friend bool operator==(const OwnerView&, const OwnerView&) = default;
};

// A read-only layer above the image: a directory, or a further image of the launch.
struct Layer {
    std::string path;
    std::optional<std::size_t> image_index;

    friend bool operator==(const Layer&, const Layer&) = default;
};

struct RootPlan {
    ImageFacts image;
    OwnerView owners;
    std::vector<Ghost> ghosts;            // parents before children
    bool writable = false;                // --writable on a directory
    bool writable_tmpfs = false;          // an upper layer that is gone afterwards
    std::string upper_directory;          // --overlay DIR: holds upper/ and work/; empty without
    std::vector<Layer> read_only_layers;  // --overlay DIR:ro or IMAGE, topmost first
    Origin layer_origin;

    [[nodiscard]] bool layered() const {
        return writable_tmpfs || !upper_directory.empty() || !read_only_layers.empty();
    }
    friend bool operator==(const RootPlan&, const RootPlan&) = default;
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
    bool libs_present = false;            // something is bound into /.singularity.d/libs
    std::string app;                      // SCIF application, or empty
    std::string shell;                    // value of *_SHELL, or empty
    std::vector<std::string> positional;  // "$@" of the scripts

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

struct LaunchPlan {
    NamespacePlan namespaces;
    RootPlan root;
    std::vector<MountOp> mounts;  // in the order of application
    ProcessPlan process;
    std::vector<Note> notes;

    friend bool operator==(const LaunchPlan&, const LaunchPlan&) = default;
};

}  // namespace swrun
