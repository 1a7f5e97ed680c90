#include "runtime/launch_trial.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "mounts/kernel/mount_syscalls.h"
#include "mounts/kernel/refusals.h"
#include "runtime/namespaces.h"
#include "runtime/root.h"
#include "support/descriptors.h"
#include "support/io.h"
#include "support/process.h"
#include "support/text.h"

namespace swrun {
namespace {

// What the steps leave for each other.
struct Trial {
    NamespacePlan names;
    Fd root;  // a tmpfs in place of the image
    Fd bind;
    Fd device;
    Fd fuse;
};

constexpr const char* kBindTarget = "bind";
constexpr const char* kFuseTarget = "fuse";

NamespacePlan own_ids() {
    NamespacePlan plan;
    plan.uid = {static_cast<std::uint32_t>(::geteuid()), static_cast<std::uint32_t>(::geteuid()), 1};
    plan.gid = {static_cast<std::uint32_t>(::getegid()), static_cast<std::uint32_t>(::getegid()), 1};
    return plan;
}

// A launch asks for all of its namespaces in one call; one by one they tell which is refused.
Status take_namespace(int flag, const char* name) {
    if (::unshare(flag) == 0) return {};
    return with_refusal_hint(sys_error(Error::Kind::host, "unshare", name, errno), KernelCall::unshare);
}

Status try_user_namespace(Trial&) { return take_namespace(CLONE_NEWUSER, "(user namespace)"); }

Status try_id_maps(Trial& trial) { return write_id_maps(trial.names); }

Status try_mount_namespace(Trial&) { return take_namespace(CLONE_NEWNS, "(mount namespace)"); }

Status try_tmpfs(Trial& trial) {
    SWRUN_TRY(trial.root, make_mount("tmpfs", {{"source", "swrun"}, {"mode", "755"}}, MountFlags{}));
    return {};
}

Status try_bind(Trial& trial) {
    SWRUN_TRY(trial.bind, clone_mount("/", true));
    MountFlags flags;
    flags.read_only = true;
    return restrict_mount(trial.bind.get(), flags, "/");
}

Status try_fuse_device(Trial& trial) {
    SWRUN_TRY(trial.device, open_fuse_device());
    return {};
}

Status try_fuse_mount(Trial& trial) {
    SWRUN_TRY(trial.fuse, make_served_mount(trial.device.get(), trial.names, true));
    return {};
}

Status try_overlay(Trial&) {
    const std::vector<FsOption> options = {{"source", "swrun"}, {"lowerdir", "/usr:/etc"}, {"userxattr", ""}};
    SWRUN_CHECK(make_mount("overlay", options, MountFlags{}));
    return {};
}

Status attach_below(int root, const Fd& mount, const char* name) {
    if (::mkdirat(root, name, 0755) != 0) return sys_error(Error::Kind::host, "mkdir", name, errno);
    SWRUN_TRY(const Fd target, open_in_root(root, name, O_PATH));
    return attach_mount(mount.get(), target.get(), name);
}

Status try_attach(Trial& trial) {
    const Fd slash(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!slash) return sys_error(Error::Kind::host, "open", "/", errno);
    SWRUN_CHECK(attach_mount(trial.root.get(), slash.get(), "/"));
    if (trial.fuse) SWRUN_CHECK(attach_below(trial.root.get(), trial.fuse, kFuseTarget));
    return attach_below(trial.root.get(), trial.bind, kBindTarget);
}

Status try_switch(Trial& trial) {
    SWRUN_CHECK(switch_root(trial.root.get()));
    struct stat status {};
    const std::string bound = std::string("/") + kBindTarget + "/proc";
    if (::lstat(bound.c_str(), &status) != 0) return sys_error(Error::Kind::host, "stat", bound, errno);
    return {};
}

// Last, when all that a plain launch needs has been seen to work.
Status try_further_namespaces(Trial&) {
    return take_namespace(CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET, "(pid, ipc, uts, net namespace)");
}

struct Step {
    const char* what;
    bool needed;
    Status (*act)(Trial&);
    KernelCall call;  // of its refusal
    int after = -1;   // the optional step that it needs
};

constexpr int kFuseDeviceStep = 5;
constexpr std::array kSteps = {
    Step{"user namespace", true, try_user_namespace, KernelCall::unshare},
    Step{"id maps", true, try_id_maps, KernelCall::id_maps},
    Step{"mount namespace", true, try_mount_namespace, KernelCall::unshare},
    Step{"tmpfs in a user namespace", true, try_tmpfs, KernelCall::make_tmpfs},
    Step{"binds (open_tree, mount_setattr)", true, try_bind, KernelCall::clone_mount},
    Step{"FUSE device", false, try_fuse_device, KernelCall::fuse_device},
    Step{"FUSE mounts in a user namespace", false, try_fuse_mount, KernelCall::fuse_mount, kFuseDeviceStep},
    Step{"overlays", false, try_overlay, KernelCall::overlay},
    Step{"mounting below a new root (move_mount)", true, try_attach, KernelCall::attach_mount},
    Step{"switching to it (pivot_root)", true, try_switch, KernelCall::switch_root},
    Step{"namespaces of --pid, --ipc, --uts and --net", false, try_further_namespaces, KernelCall::unshare},
};

// One report per step that was tried: its number, errno, message and hint, each with a zero byte behind it.  No
// message: it works.
constexpr std::size_t kFields = 4;

void report(int to, std::size_t step, const Status& status) {
    const Error error = status ? Error{} : status.error();
    std::string text;
    for (const std::string& field :
         {std::to_string(step), std::to_string(error.sys_errno), error.message, error.hint}) {
        text.append(field).push_back('\0');
    }
    (void)write_all(to, text, "the report");
}

[[noreturn]] void run_steps(int to) {
    Trial trial;
    trial.names = own_ids();
    std::array<bool, kSteps.size()> failed{};
    for (std::size_t i = 0; i < kSteps.size(); ++i) {
        const Step& step = kSteps[i];
        if (step.after >= 0 && failed[static_cast<std::size_t>(step.after)]) continue;
        const Status status = step.act(trial);
        report(to, i, status);
        failed[i] = !status;
        if (!status && step.needed) break;
    }
    ::_exit(0);
}

// What /proc shows to the child is its own namespaces' or, behind the new root, nothing: who looks for a hint there is this
// process, as in a launch, which has them all in one call.
std::string hint_from_here(const Step& step, int err) {
    const bool root = step.call == KernelCall::id_maps && ::geteuid() == 0;
    return refusal_hint(root ? KernelCall::root_map : step.call, err);
}

void read_reports(const std::string& text, std::vector<TrialStep>& steps) {
    const std::vector<std::string_view> fields = split(text, '\0');
    for (std::size_t at = 0; at + kFields < fields.size(); at += kFields) {
        const std::uint64_t number = parse_decimal(fields[at]).value_or(0);
        TrialStep& step = steps.at(number);
        step.error = make_error(Error::Kind::host, std::string(fields[at + 2]));
        step.error.sys_errno = static_cast<int>(parse_decimal(fields[at + 1]).value_or(0));
        step.error.hint = hint_from_here(kSteps.at(number), step.error.sys_errno);
        step.error.with_hint(fields[at + 3]);
        step.result = step.error.message.empty() ? TrialStep::Result::works : TrialStep::Result::fails;
    }
}

// A filter may end a process instead of refusing the call (seccomp(2), SECCOMP_RET_KILL).
void note_killed(int status, std::vector<TrialStep>& steps) {
    if (WIFEXITED(status)) return;
    for (TrialStep& step : steps) {
        if (step.result != TrialStep::Result::not_tried) continue;
        step.result = TrialStep::Result::fails;
        step.error = make_error(Error::Kind::host,
                                "a process that tries it ends by signal " + std::to_string(WTERMSIG(status)))
                         .with_hint("a seccomp filter around swrun kills for it: start swrun outside of it");
        return;
    }
}
Status try_in_child(std::vector<TrialStep>& steps) {
    constexpr std::size_t kMaxReport = 1U << 20U;
    SWRUN_TRY(Pipe pipe, make_pipe());
    SWRUN_TRY(Child child, start_child("a launch in miniature", [&] { run_steps(pipe.writer.get()); }));
    pipe.writer.reset();
    const std::string text = read_all(pipe.reader.get(), "the report", kMaxReport).value_or(std::string());
    const int status = child.wait().value_or(0);
    read_reports(text, steps);
    note_killed(status, steps);
    return {};
}

}  // namespace

std::vector<TrialStep> try_launch() {
    std::vector<TrialStep> steps;
    for (const Step& step : kSteps) steps.push_back({step.what, step.needed, TrialStep::Result::not_tried, {}});
    if (const Status tried = try_in_child(steps); !tried) {
        steps[0].result = TrialStep::Result::fails;
        steps[0].error = tried.error();
    }
    return steps;
}

}  // namespace swrun
