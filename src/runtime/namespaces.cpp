#include "runtime/namespaces.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "mounts/kernel/mount_syscalls.h"
#include "mounts/kernel/refusals.h"
#include "runtime/id_ranges.h"
#include "support/io.h"

namespace swrun {
namespace {

Status write_map(const char* file, const std::string& text, KernelCall call) {
    const Result<Fd> fd = open_file(file, O_WRONLY, Error::Kind::host);
    if (!fd) return with_refusal_hint(fd.error(), call);
    // The kernel takes a map in one write(2) or not at all (user_namespaces(7)).
    if (::write(fd->get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        return with_refusal_hint(sys_error(Error::Kind::host, "write", file, errno), call);
    }
    return {};
}

std::string map_line(const IdMap& map) {
    return std::to_string(map.inside) + ' ' + std::to_string(map.outside) + ' ' + std::to_string(map.count) + '\n';
}

Status raise_loopback() {
    const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket) return sys_error(Error::Kind::host, "socket", "for the loopback device", errno);
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP;
    if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0)
        return sys_error(Error::Kind::host, "ioctl SIOCSIFFLAGS", "lo", errno);
    return {};
}

int unshare_flags(const NamespacePlan& plan) {
    int flags = CLONE_NEWNS;
    if (plan.user) flags |= CLONE_NEWUSER;
    if (plan.pid) flags |= CLONE_NEWPID;
    if (plan.ipc) flags |= CLONE_NEWIPC;
    if (plan.uts) flags |= CLONE_NEWUTS;
    if (plan.net) flags |= CLONE_NEWNET;
    return flags;
}

}  // namespace

Status write_id_maps(const NamespacePlan& plan) {
    const KernelCall map = plan.uid.outside == 0 ? KernelCall::root_map : KernelCall::id_maps;
    // Without giving up setgroups(2) an unprivileged process may not write a gid map (EPERM): the way
    // to drop a group that denies access must not open (user_namespaces(7)).
    SWRUN_CHECK(write_map("/proc/self/setgroups", "deny", KernelCall::id_maps));
    SWRUN_CHECK(write_map("/proc/self/uid_map", map_line(plan.uid), map));
    return write_map("/proc/self/gid_map", map_line(plan.gid), KernelCall::id_maps);
}

Status enter_namespaces(const NamespacePlan& plan, bool joined) {
    std::optional<RangeMapper> mapper;
    if (!joined && !plan.more_uids.empty()) {
        SWRUN_TRY(RangeMapper started, RangeMapper::start(plan));
        mapper.emplace(std::move(started));
    }
    if (::unshare(unshare_flags(plan) & ~(joined ? CLONE_NEWUSER : 0)) != 0) {
        return with_refusal_hint(sys_error(Error::Kind::host, "unshare", "(user and mount namespace)", errno),
                                 KernelCall::unshare);
    }
    if (mapper) {
        SWRUN_CHECK(mapper->map());
    } else if (plan.user && !joined) {
        SWRUN_CHECK(write_id_maps(plan));
    }
    // A mount namespace that comes with a new user namespace is made of slaves already
    // (mount_namespaces(7)); one in the caller's own is not.
    if (!plan.user) SWRUN_CHECK(make_mounts_slave());
    if (!plan.hostname.empty() && ::sethostname(plan.hostname.c_str(), plan.hostname.size()) != 0) {
        return sys_error(Error::Kind::host, "sethostname", plan.hostname, errno);
    }
    if (plan.net) SWRUN_CHECK(raise_loopback());
    return {};
}

}  // namespace swrun
