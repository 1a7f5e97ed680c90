#include "runtime/host_probe.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "runtime/users.h"
#include "support/fd.h"

extern char** environ;

namespace swrun {
namespace {

std::string machine_architecture() {
    utsname name{};
    ::uname(&name);
    std::string machine = name.machine;
    if (machine == "x86_64") return "amd64";
    if (machine == "aarch64") return "arm64";
    if (machine == "i686" || machine == "i386") return "386";
    if (machine.substr(0, 3) == "arm") return "arm";
    return machine;  // ppc64le, s390x, riscv64, ...: Go and the kernel agree
}

bool same_directory(const std::string& a, const struct stat& b) {
    struct stat st {};
    return ::stat(a.c_str(), &st) == 0 && st.st_dev == b.st_dev && st.st_ino == b.st_ino;
}

CwdFacts probe_cwd() {
    CwdFacts cwd;
    char path[PATH_MAX];
    struct stat here {};
    if (::getcwd(path, sizeof path) == nullptr) {
        cwd.state = errno == ENOENT ? CwdFacts::State::deleted : CwdFacts::State::unreachable;
        return cwd;
    }
    // "(unreachable)/..." is what getcwd(2) gives for a directory outside the current root.
    if (path[0] != '/') {
        cwd.state = CwdFacts::State::unreachable;
        return cwd;
    }
    cwd.physical = path;
    cwd.logical = path;
    const char* pwd = std::getenv("PWD");
    if (pwd != nullptr && pwd[0] == '/' && ::stat(path, &here) == 0 && same_directory(pwd, here)) cwd.logical = pwd;
    return cwd;
}

std::vector<std::pair<std::string, std::string>> probe_environment() {
    std::vector<std::pair<std::string, std::string>> variables;
    for (char** line = environ; line != nullptr && *line != nullptr; ++line) {
        const char* equals = std::strchr(*line, '=');
        if (equals == nullptr || equals == *line) continue;
        variables.emplace_back(std::string(*line, static_cast<std::size_t>(equals - *line)), std::string(equals + 1));
    }
    return variables;
}

std::string probe_terminal() {
    for (int fd = 0; fd <= 2; ++fd) {
        char name[128];
        if (::isatty(fd) == 1 && ::ttyname_r(fd, name, sizeof name) == 0) return name;
    }
    return {};
}

// A statically linked bash runs in any image: Debian's bash-static and where others put it.
std::string probe_static_bash() {
    for (const char* path : {"/bin/bash-static", "/usr/bin/bash-static", "/usr/local/bin/bash-static"}) {
        if (::access(path, X_OK) == 0) return path;
    }
    return {};
}

mode_t probe_umask() {
    const mode_t mask = ::umask(0);
    ::umask(mask);
    return mask;
}

}  // namespace

int probe_fuse_device() {
    // Not access(2): a device node without a driver behind it is refused only when it is opened (ENXIO, ENODEV).
    const Fd device(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
    return device ? 0 : errno;
}

HostFacts probe_host() {
    HostFacts host;
    Caller caller = look_up_caller(::geteuid(), ::getegid());
    host.user = std::move(caller.user);
    host.groups = std::move(caller.groups);
    host.cwd = probe_cwd();
    host.environment = probe_environment();
    host.umask = probe_umask();
    host.architecture = machine_architecture();
    host.terminal = probe_terminal();
    host.host_bash = probe_static_bash();
    return host;
}

}  // namespace swrun
