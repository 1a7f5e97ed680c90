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
#include "plan/image_facts.h"
#include "plan/launch_request.h"
#include "plan/origin.h"
#include "support/log.h"

namespace swrun {

// Something that the image's tree lacks and the launch adds: a mount point, a link, a generated file.
// In an image file it is answered by our server, in one that was unpacked for this launch it is written into
// the tree; in a directory image it lies in a layer of its own.
struct Ghost {
    enum class Kind { directory, file, symlink };
    // Of a file whose content is made of the image's own text and the caller's lines (resolve's complete_files).
    enum class Merge { none, passwd, group };

    Kind kind = Kind::directory;
    std::string path;     // absolute below the root, or relative to the tmpfs that holds it
    std::string content;  // of a file; target of a link; of one that is still to be merged: the caller's lines
    std::uint32_t mode = 0755;
    Merge merge = Merge::none;
    std::string merge_with{};  // where in the image that text is

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
    enum class Kind { bind, image, tmpfs, proc, sysfs, devpts, mqueue, generated, fuse };

    Kind kind = Kind::bind;
    std::string source;           // of a bind or image: absolute host path; else empty
    std::string image_path;       // of an image: what of its tree
    std::size_t image_mount = 0;  // of an image: index into LaunchPlan::image_mounts
    std::size_t fuse_mount = 0;   // of a fuse: index into LaunchPlan::fuse_mounts
    std::string target;           // absolute inside the new root
    std::vector<Ghost> content;   // of a tmpfs: what it starts with; of generated: one file
    MountFlags flags;
    std::uint32_t mode = 01777;  // of a tmpfs
    bool create_source = false;  // of a bind: make the source directory with `mode` first (--workdir)
    bool create_target = false;  // lies below a bound host directory that lacks it: made there, as the user
    bool target_is_dir = true;   // what create_target makes
    bool required = true;        // false: a failure is a note
    bool warned_of = false;      // of one not required: the note is a warning also where the source is at fault
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

// One mount of an image file: the root's, a layer's or a bind's.  Served by swrun's image server, or by a
// driver: a program of the host that serves one file system over FUSE.  Without FUSE it is unpacked.
struct ImageMount {
    std::size_t image = 0;     // which of the opened images of the launch: 0 is the root's, then the further ones
    std::string part = "/";    // of its tree: what becomes the root of the mount
    bool is_directory = true;  // that part
    bool writable = false;
    std::string driver;  // absolute path, fuse2fs(1); empty: our server
    Origin origin;
    bool unpacked = false;
    std::string kept_in;  // of unpacked: the directory that keeps trees for later launches; empty: a tmpfs
    ImageId id;           // of the image

    friend bool operator==(const ImageMount&, const ImageMount&) = default;
};

// One FUSE file system that a program of the user's serves (--fusemount).  The program gets the device as its
// descriptor 3.
struct FuseMount {
    std::vector<std::string> argv;
    bool inside = true;   // in the container, with the program's rights; false: on the host, as the caller
    bool daemon = false;  // goes to the background by itself when it serves
    Origin origin;

    friend bool operator==(const FuseMount&, const FuseMount&) = default;
};

// A read-only layer above the image: a directory, or an image.
struct Layer {
    std::string path;
    std::optional<std::size_t> image_mount;
    std::string below;  // the directory of the image that is the layer; empty: its root

    friend bool operator==(const Layer&, const Layer&) = default;
};

struct RootPlan {
    ImageFacts image;
    std::optional<std::size_t> image_mount;  // absent for a directory
    OwnerView owners;
    std::vector<Ghost> ghosts;               // parents before children
    bool ghost_layer = false;                // they lie in a layer of their own: the image cannot take them in
    bool writable = false;                   // --writable on a directory
    bool writable_tmpfs = false;             // an upper layer that is gone afterwards
    std::string upper_directory;             // --overlay DIR: holds upper/ and work/; empty without
    std::optional<std::size_t> upper_mount;  // --overlay IMAGE: likewise
    std::string upper_name;                  // of that image
    std::string overlay_driver;              // fuse-overlayfs(1), where the kernel's overlay refuses the upper layer
    bool underlay = false;                   // no overlay: missing mount points by a tree of binds
    std::vector<Layer> read_only_layers;     // --overlay DIR:ro or IMAGE, topmost first
    Origin layer_origin;

    [[nodiscard]] bool layered() const {
        return writable_tmpfs || !upper_directory.empty() || upper_mount || !read_only_layers.empty();
    }
    friend bool operator==(const RootPlan&, const RootPlan&) = default;
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
    bool absolute_argv0 = false;  // argv[0] becomes the path that was found

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
            if (mount.writable) return true;
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
