// HostFacts: what the machine and the caller are, read once by runtime/host_probe before anything is
// decided.  Plain data, so that tests can invent any host.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace swrun {

// The caller's line of the user database; invented when the host does not know the uid.
struct UserFacts {
    uid_t uid = 0;  // as this process sees it: 0 inside somebody's user namespace is 0
    gid_t gid = 0;
    std::string name;
    std::string gecos;
    std::string home;  // passwd home, never $HOME
    std::string shell;
    bool known = true;  // false: neither the files nor NSS had the uid

    friend bool operator==(const UserFacts&, const UserFacts&) = default;
};

struct GroupFacts {
    gid_t gid = 0;
    std::string name;  // empty when the host has no name for it

    friend bool operator==(const GroupFacts&, const GroupFacts&) = default;
};

// The working directory of the caller.
struct CwdFacts {
    enum class State { known, deleted, unreachable };

    State state = State::known;
    std::string logical;   // $PWD when it names the same directory, else physical
    std::string physical;  // getcwd(2)

    // Where relative paths of the command line begin.
    [[nodiscard]] std::string base() const { return logical.empty() ? "/" : logical; }

    friend bool operator==(const CwdFacts&, const CwdFacts&) = default;
};

// What --fakeroot may use: a range of ids that /etc/subuid and /etc/subgid grant the caller, and the
// setuid programs that map them (newuidmap(1)).
struct SubordinateIds {
    std::uint32_t uid_start = 0;
    std::uint32_t uid_count = 0;  // 0: none granted
    std::uint32_t gid_start = 0;
    std::uint32_t gid_count = 0;
    std::string newuidmap;  // empty: not installed
    std::string newgidmap;

    friend bool operator==(const SubordinateIds&, const SubordinateIds&) = default;
};

// Namespaces of the caller that a joined launch has to agree in, as below /proc/PID/ns.
constexpr std::size_t kSharedKinds = 5;
constexpr std::array<const char*, kSharedKinds> kSharedNames = {"user", "pid", "ipc", "net", "mnt"};

// What decides who may share namespaces with whom; looked up only where sharing is asked for.
struct ShareFacts {
    bool known = false;
    std::string cgroup;    // text of /proc/self/cgroup (cgroups(7))
    std::string launcher;  // who is at the other end of $PMI_FD: "process N since T"; empty without one
    pid_t session = 0;     // getsid(2)
    std::array<std::uint64_t, kSharedKinds> namespaces{};  // inode numbers, in the order of kSharedNames
    std::uint64_t root_device = 0;                         // of the caller's "/"
    std::uint64_t root_inode = 0;

    friend bool operator==(const ShareFacts&, const ShareFacts&) = default;
};

struct HostFacts {
    UserFacts user;
    std::vector<GroupFacts> groups;  // primary first, then supplementary, no duplicates
    CwdFacts cwd;
    std::vector<std::pair<std::string, std::string>> environment;  // in the caller's order
    mode_t umask = 022;
    std::string architecture;    // Go's names: amd64, arm64, ppc64le, ...
    std::string terminal;        // /dev/pts/N behind fd 0, 1 or 2; empty without one
    std::string host_bash;       // a static bash of the host; empty without one
    SubordinateIds subordinate;  // looked up only for --fakeroot
    ShareFacts share;            // looked up only for a launch that may share
    int fuse_errno = 0;          // of opening the FUSE device, tried only for an image that it could serve

    friend bool operator==(const HostFacts&, const HostFacts&) = default;
};

}  // namespace swrun
