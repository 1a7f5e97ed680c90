#include "runtime/control_group.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <memory>

#include "resolve/limits.h"
#include "runtime/group_files.h"
#include "support/io.h"
#include "support/log.h"
#include "support/path.h"
#include "support/proc_text.h"
#include "support/process.h"
#include "support/text.h"

namespace swrun {
namespace {

constexpr std::size_t kMaxText = 1U << 20U;
constexpr const char* kPrefix = "swrun-";
constexpr const char* kHowTo =
    "start swrun itself in a group of its own: systemd-run --user --scope -p Delegate=yes swrun ...; that needs a "
    "login session or `loginctl enable-linger`, and for cpu, cpuset and io that the administrator delegates them: "
    "Delegate=cpu cpuset io memory pids in user@.service; in a batch job ask the batch system for limits";

Error group_error(std::string message, int err = 0) {
    Error error = make_error(Error::Kind::host, "while applying cgroups config: " + std::move(message));
    error.sys_errno = err;
    return error;
}

bool has_word(std::string_view text, std::string_view word) {
    const std::vector<std::string_view> words = split(text, ' ');
    return std::any_of(words.begin(), words.end(), [&](std::string_view one) { return trim(one) == word; });
}

std::vector<std::string> controllers_of(const LimitPlan& plan) {
    std::vector<std::string> names;
    for (const GroupSetting& setting : plan.settings) {
        std::string name(controller_of(setting.file));
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
    }
    return names;
}

// Lets groups below this one have the controllers; they stay enabled, others may have begun to rely on it.
Status enable_controllers(int directory, const std::vector<std::string>& names) {
    SWRUN_TRY(const std::string there, read_group_file(directory, "cgroup.controllers"));
    SWRUN_TRY(const std::string enabled, read_group_file(directory, "cgroup.subtree_control"));
    for (const std::string& name : names) {
        if (has_word(enabled, name)) continue;
        if (!has_word(there, name))
            return make_error(Error::Kind::host, "the controller " + name + " is not delegated");
        SWRUN_CHECK(write_group_file(directory, "cgroup.subtree_control", "+" + name));
    }
    return {};
}

bool is_writable(const std::string& directory) {
    return ::access(directory.c_str(), W_OK) == 0 && ::access((directory + "/cgroup.procs").c_str(), W_OK) == 0;
}

bool systemd_runs() { return ::access("/run/systemd/system", F_OK) == 0; }

bool has_runtime_directory() {
    const char* runtime = std::getenv("XDG_RUNTIME_DIR");
    return ::geteuid() == 0 || (runtime != nullptr && ::access(runtime, W_OK) == 0);
}

std::string own_name() { return kPrefix + std::to_string(::getpid()); }

// Groups of launches that were killed together with their supervisor.
void remove_stale_groups(int directory) {
    const int copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(copy < 0 ? nullptr : ::fdopendir(copy), ::closedir);
    if (!entries) return;
    while (const dirent* entry = ::readdir(entries.get())) {
        const std::string_view name = entry->d_name;
        if (!name.starts_with(kPrefix)) continue;
        const std::optional<std::uint64_t> pid = parse_decimal(name.substr(std::string_view(kPrefix).size()));
        if (!pid || *pid == 0 || *pid > INT32_MAX) continue;
        if (::kill(static_cast<pid_t>(*pid), 0) != 0 && errno == ESRCH) {
            ::unlinkat(directory, entry->d_name, AT_REMOVEDIR);  // one that is in use says EBUSY
        }
    }
}

// Removed by a process that belongs to nobody, once the last of the group has ended.
[[noreturn]] void remove_when_empty(int parent, const std::string& name) {
    ::setsid();
    drop_streams();
    close_all_but({parent});  // a pipe of the caller would never see its end
    const Fd events(::openat(parent, (name + "/cgroup.events").c_str(), O_RDONLY | O_CLOEXEC));
    while (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0 && errno == EBUSY) {
        char text[256];
        [[maybe_unused]] const ssize_t seen = ::pread(events.get(), text, sizeof text, 0);
        pollfd changed{events.get(), POLLPRI, 0};
        constexpr int kPatienceMs = 10000;
        if (::poll(&changed, 1, kPatienceMs) < 0 && errno != EINTR) break;
    }
    ::_exit(0);
}

void remove_later(int parent, const std::string& name) {
    (void)start_orphan("who removes the control group", [&] { remove_when_empty(parent, name); });
}

}  // namespace

// Makes the group one way or another, collecting what speaks against each.
class GroupMaker {
public:
    explicit GroupMaker(const LimitPlan& plan) : plan_(plan), controllers_(controllers_of(plan)) {}

    Result<ControlGroup> make() {
        struct statfs mount {};
        const bool unified = ::statfs(kGroupMount, &mount) == 0 && mount.f_type == CGROUP2_SUPER_MAGIC;
        if (!unified) {
            return group_error("cannot use cgroups - system is not configured for cgroups v2 in unified mode")
                .with_hint(
                    "the administrator can boot with systemd.unified_cgroup_hierarchy=1; without it limits come "
                    "from the batch system, ulimit and taskset");
        }
        const std::string text = read_file("/proc/self/cgroup", kMaxText).value_or(std::string());
        const std::string own = unified_group(text);
        if (own.empty()) return group_error("this process is in no group of version 2");
        const std::string here = clean_path(std::string(kGroupMount) + own);
        if (try_scope()) return std::move(group_);
        if (own != "/" && try_below(std::string(parent_path(here)), false)) return std::move(group_);
        if (try_below(here, true)) return std::move(group_);
        return group_error("no control group can be had here: " + join(refusals_, "; ")).with_hint(kHowTo);
    }

private:
    bool refuse(const std::string& what, const Error& error) {
        refusals_.push_back(what + ": " + error.message);
        return false;
    }

    bool try_scope() {
        constexpr std::chrono::seconds kBusPatience{60};  // busctl(1) itself waits for 25
        if (!systemd_runs()) return refuse("systemd scope", make_error(Error::Kind::host, "systemd is not running"));
        if (!has_runtime_directory()) {
            return refuse("systemd scope", make_error(Error::Kind::host, "XDG_RUNTIME_DIR is not set or not writable"));
        }
        const std::string scope = own_name() + ".scope";
        const Result<std::string> asked = capture_output(scope_call(plan_, ::getpid(), scope), kMaxText, kBusPatience);
        if (!asked) return refuse("systemd scope", asked.error());
        const Status ready = use_scope(scope);
        if (!ready) return refuse("systemd scope", ready.error());
        group_.is_scope_ = true;
        return true;
    }

    // systemd answers before it has done it.
    Status use_scope(const std::string& scope) {
        constexpr int kTries = 500;
        constexpr useconds_t kPause = 10000;
        for (int i = 0; i < kTries; ++i) {
            const std::string own = unified_group(read_file("/proc/self/cgroup", kMaxText).value_or(std::string()));
            if (base_name(own.empty() ? "/" : own) == scope) {
                const std::string path = clean_path(std::string(kGroupMount) + own);
                SWRUN_TRY(const Fd directory, open_file(path, O_RDONLY | O_DIRECTORY, Error::Kind::host));
                return write_settings(directory.get(), plan_);
            }
            ::usleep(kPause);
        }
        return make_error(Error::Kind::host, "systemd made no scope in time");
    }

    // A group below `above`, which may be the caller's own: that one has to be emptied first, because a group with
    // processes of its own cannot give controllers on (cgroups(7), "no internal processes").
    bool try_below(const std::string& above, bool own) {
        const Status made = make_below(above, own);
        return made ? true : refuse(above, made.error());
    }

    Status make_below(const std::string& above, bool own) {
        if (!is_writable(above)) return sys_error(Error::Kind::host, "writing", "it", EACCES);
        SWRUN_TRY(Fd parent, open_file(above, O_RDONLY | O_DIRECTORY, Error::Kind::host));
        remove_stale_groups(parent.get());
        if (own) SWRUN_CHECK(empty_own_group(parent.get()));
        Status done = enable_controllers(parent.get(), controllers_);
        const std::string name = own_name();
        if (done && ::mkdirat(parent.get(), name.c_str(), 0755) != 0) {
            done = sys_error(Error::Kind::host, "mkdir", name, errno);
        }
        if (done) done = fill(parent.get(), name);
        if (!done) {
            ::unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR);
            if (own) leave_leaf(parent.get());
            return done;
        }
        group_.name_ = name;
        if (own) group_.leaf_ = leaf_name();
        group_.parent_ = std::move(parent);
        return {};
    }

    static std::string leaf_name() { return own_name() + "-caller"; }

    static Status empty_own_group(int directory) {
        SWRUN_TRY(const std::string processes, read_group_file(directory, "cgroup.procs"));
        if (trim(processes) != std::to_string(::getpid())) {
            return make_error(Error::Kind::host, "other processes are in it, too");
        }
        if (::mkdirat(directory, leaf_name().c_str(), 0755) != 0 && errno != EEXIST) {
            return sys_error(Error::Kind::host, "mkdir", leaf_name(), errno);
        }
        return write_group_file(directory, leaf_name() + "/cgroup.procs", "0");
    }

    void leave_leaf(int directory) {
        for (const std::string& name : controllers_)
            (void)write_group_file(directory, "cgroup.subtree_control", "-" + name);
        (void)write_group_file(directory, "cgroup.procs", "0");
        ::unlinkat(directory, leaf_name().c_str(), AT_REMOVEDIR);
    }

    Status fill(int parent, const std::string& name) {
        const Fd group(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!group) return sys_error(Error::Kind::host, "open", name, errno);
        SWRUN_CHECK(write_settings(group.get(), plan_));
        group_.processes_ = Fd(::openat(group.get(), "cgroup.procs", O_WRONLY | O_CLOEXEC));
        if (!group_.processes_) return sys_error(Error::Kind::host, "open", name + "/cgroup.procs", errno);
        return {};
    }

    const LimitPlan& plan_;
    std::vector<std::string> controllers_;
    std::vector<std::string> refusals_;
    ControlGroup group_;
};

bool ControlGroup::is_made_by_systemd() { return systemd_runs() && has_runtime_directory(); }

Result<ControlGroup> ControlGroup::make(const LimitPlan& plan) {
    if (plan.settings.empty() && !plan.wanted_for_numbers) return ControlGroup();
    Result<ControlGroup> made = GroupMaker(plan).make();
    if (made || !plan.settings.empty()) return made;
    log_verbose("no control group for the instance: " + made.error().message);
    return ControlGroup();
}

Status ControlGroup::enter() const {
    if (!processes_.valid()) return {};
    if (::write(processes_.get(), "0", 1) != 1) {
        const int err = errno;
        return group_error("entering the control group " + name_ + ": " + errno_text(err), err);
    }
    return {};
}

void ControlGroup::remove() {
    if (!parent_.valid()) return;
    if (::unlinkat(parent_.get(), name_.c_str(), AT_REMOVEDIR) != 0 && errno == EBUSY) {
        remove_later(parent_.get(), name_);
    }
    if (leaf_.empty()) return;
    // Back to where the caller's process came from, as far as nobody else is below it.
    const Result<std::string> enabled = read_group_file(parent_.get(), "cgroup.subtree_control");
    if (enabled) {
        for (const std::string_view name : split(*enabled, ' ')) {
            (void)write_group_file(parent_.get(), "cgroup.subtree_control", "-" + std::string(trim(name)));
        }
    }
    // The image server goes along: it ends when this process does, which holds the mount namespace.
    const Result<std::string> processes = read_group_file(parent_.get(), leaf_ + "/cgroup.procs");
    if (!processes) return;
    for (const std::string_view process : split(*processes, '\n')) {
        if (!process.empty()) (void)write_group_file(parent_.get(), "cgroup.procs", process);
    }
    ::unlinkat(parent_.get(), leaf_.c_str(), AT_REMOVEDIR);
}

}  // namespace swrun
