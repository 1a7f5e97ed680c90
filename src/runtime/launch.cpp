#include "runtime/launch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "mounts/kernel/mount_apply.h"
#include "mounts/kernel/mount_syscalls.h"
#include "runtime/control_group.h"
#include "runtime/credentials.h"
#include "runtime/environment.h"
#include "runtime/exec.h"
#include "runtime/namespaces.h"
#include "runtime/read_ahead.h"
#include "runtime/root.h"
#include "runtime/share.h"
#include "runtime/stage.h"
#include "support/log.h"

namespace swrun {
namespace {

// The host's static bash, while there is a host.
void open_shell(Stage& stage) {
    const std::string& bash = stage.plan.process.host_bash;
    if (stage.plan.process.environment || bash.empty()) return;
    stage.shell = Fd(::open(bash.c_str(), O_RDONLY | O_CLOEXEC));
}

void say_notes(const Stage& stage) {
    for (const Note& note : stage.notes) log(note.level, note.text);
}

void say_shared(const SharePlan& plan, const Stage& stage) {
    if (!plan.wanted || !log_enabled(Level::verbose)) return;
    const char* part = "alone";
    if (stage.shares_user) part = "the first one";
    if (stage.shared.joined.user) part = "joins the user namespace";
    if (stage.shared.has_tree()) part = "joins a running tree";
    log_verbose("sharing in " + plan.scope + " (" + plan.why + "): " + part);
}

Status find_others(Stage& stage) {  // S1
    Shared& shared = stage.shared;
    shared = stage.options.shared != nullptr ? std::move(*stage.options.shared)
                                             : find_shared(stage.plan.share, stage.notes);
    if (shared.has_tree()) {
        open_shell(stage);
        SWRUN_CHECK(enter_shared(shared, stage.notes));
        // The plan is one for joining: it would make a tree without the image's users.
        if (!shared.has_tree()) {
            return make_error(Error::Kind::host, "the tree that other launches share cannot be entered")
                .with_hint("--share=never makes one of its own");
        }
    }
    stage.leads_tree = shared.doors.tree.valid();
    stage.leads_user = shared.doors.user.valid();
    stage.shares_user = stage.leads_user || shared.joined.user.valid();
    say_shared(stage.plan.share, stage);
    if (shared.has_tree()) say_notes(stage);
    return {};
}

Status make_group(Stage& stage) {  // S1
    if (ControlGroup::is_made_by_systemd()) return {};
    SWRUN_TRY(stage.group, ControlGroup::make(stage.plan.limits));
    return {};
}

// Whether somebody holds the mount namespace until the program has ended.  Not where files are written: they have
// to be free when the caller's process ends.
bool is_held(const Stage& stage) {
    const RootPlan& root = stage.plan.root;
    if (stage.leads_tree) return true;
    const bool kept = root.has_upper() && !root.upper_is_tmpfs();
    return root.mounted() != nullptr && !stage.has_parent && !kept && root.overlay_driver.empty();
}

// By their files, which the container's own /proc might not have.
void open_own_namespaces(Stage& stage) {
    stage.own.user = Fd(::open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC));
    stage.own.mount = Fd(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
}

Status make_namespaces(Stage& stage) {  // S3
    const LaunchPlan& plan = stage.plan;
    if (ControlGroup::is_made_by_systemd()) {
        SWRUN_TRY(stage.group, ControlGroup::make(plan.limits));
    }
    SWRUN_CHECK(enter_shared(stage.shared, stage.notes));
    const bool joined = stage.shared.joined.user.valid();
    SWRUN_CHECK(enter_namespaces(plan.namespaces, joined));
    if (!joined && !stage.leads_user) stage.shares_user = false;
    open_own_namespaces(stage);
    if (plan.namespaces.pid || plan.writes_image() || stage.group.needs_parent()) SWRUN_CHECK(go_on_in_child(stage));
    return stage.group.enter();
}

Status mount_images(Stage& stage) {  // S4
    const LaunchPlan& plan = stage.plan;
    const std::vector<Ghost> none;
    for (std::size_t i = 0; i < plan.image_mounts.size(); ++i) {
        const ImageMount& image = plan.image_mounts[i];
        const bool is_root = plan.root.is_mount(i);
        const OpenedImage& file = stage.images[image.image];
        const std::vector<Ghost>& ghosts = is_root ? plan.root.ghosts : none;
        Result<Fd> made = image.unpacked() != nullptr
                              ? mount_unpacked(image, file, plan.root.owners, ghosts, stage.kept[i])
                              : mount_image(image, plan.root.owners, ghosts, plan.namespaces, stage.links[i].get());
        SWRUN_TRY(Fd mount, with_context(std::move(made), "mounting " + file.facts.path));
        stage.image_mounts.push_back(std::move(mount));
    }
    if (has_own_server(plan)) {
        stage.hold_link = std::move(stage.links[plan.root.mounted()->image_mount]);
    }
    stage.links.clear();
    return {};
}

Status capture_sources(Stage& stage) {  // S5
    SWRUN_CHECK(stage.fuse.mount(stage.plan));
    SWRUN_TRY(stage.captured, capture_mounts(stage.plan.mounts, stage.image_mounts, stage.fuse.mounts(),
                                             stage.plan.namespaces.caller_is_root(), stage.notes));
    open_shell(stage);
    return {};
}

Status attach_all(Stage& stage) {  // S6
    const Placement::Stay stay(placement(stage));
    SWRUN_TRY(stage.root, attach_root(stage.plan, stage.image_mounts, stage.overlay_link.get(), stage.notes));
    stage.overlay_link.reset();
    return attach_mounts(stage.root.get(), stage.captured, stage.plan.namespaces.caller_is_root(), stage.notes);
}

// From here on others may join, and the mount namespace outlives the program by the time that it takes to undo it.
void hold(Stage& stage) {
    const bool held = is_held(stage) && stage.own.mount;
    if (stage.hold_link && stage.own.user && stage.shared.pidfd && (held || stage.shares_user)) {
        // A server that has died shows at the first file.
        (void)send_hold(stage.hold_link.get(), stage.shared.pidfd.get(), stage.own.user.get(),
                        held ? stage.own.mount.get() : -1);
    }
    stage.hold_link.reset();
    stage.own = Namespaces();
    stage.shared = Shared();
}

Status pivot(Stage& stage) {  // S7
    SWRUN_CHECK(switch_root(stage.root.get()));
    stage.root.reset();
    hold(stage);
    say_notes(stage);
    return {};
}

Status drop_rights(Stage& stage) { return drop_privileges(stage.plan.process); }  // S8

Status enter_start_directory(Stage& stage) {  // S9
    const bool has_init = stage.plan.namespaces.init || stage.options.ready >= 0;
    SWRUN_CHECK(stage.fuse.start_inside(stage.plan, has_init));
    SWRUN_TRY(stage.directory, enter_directory(stage.plan.process.directories));
    return {};
}

void print_timings(const Stopwatch& watch) {
    std::string line = "{\"laps_us\":{";
    for (const auto& [name, at] : watch.laps()) {
        if (line.back() != '{') line.push_back(',');
        line.append("\"").append(name).append("\":").append(std::to_string(at));
    }
    line.append("}}\n");
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

void add_unshared(const SharePlan& plan, std::vector<Variable>& environment) {
    for (const Variable& variable : plan.unshared) {
        const bool there = std::any_of(environment.begin(), environment.end(),
                                       [&](const Variable& one) { return one.name == variable.name; });
        if (!there) environment.push_back(variable);
    }
    for (const Note& note : plan.unshared_notes) log(note.level, note.text);
}

Status run_program(Stage& stage) {  // S10
    SWRUN_TRY(MadeEnvironment made, make_environment(stage.plan.process, stage.directory, stage.shell.get()));
    if (!stage.shares_user) add_unshared(stage.plan.share, made.variables);
    SWRUN_CHECK(become_init(stage));
    std::vector<std::string> absent;
    if (const PredictedFiles* predicted = predicted_files(stage)) {
        const Placement::Stay stay(placement(stage));
        read_ahead(*predicted, stage.plan);
        absent = known_absent(*predicted, stage.root_server->hint, stage.plan);
    }
    restore_interrupts();
    stage.watch.lap("S10");
    if (stage.options.print_timings) print_timings(stage.watch);
    return execute(made.program, std::move(made.variables), absent);
}

struct Step {
    const char* name;
    const char* context;
    Status (*act)(Stage&);
    bool also_joined = false;
};

// What a launch that has joined a tree need not do is marked: somebody has done it.
constexpr Step kSteps[] = {
    {"share", "finding the launches to share with", find_others, true},
    {"S1", "making the control group", make_group},
    {"S2", "starting the image server", start_servers},
    {"S3", "making the namespaces", make_namespaces},
    {"S4", "mounting the image", mount_images},
    {"S5", "opening what will be bound", capture_sources},
    {"S6", "building the container's tree", attach_all},
    {"S7", "switching to the container's root", pivot},
    {"S8", "dropping privileges", drop_rights, true},
    {"S9", "entering the working directory", enter_start_directory, true},
    {"S10", "starting the program", run_program, true},
};

}  // namespace

Error launch(const LaunchPlan& plan, std::span<OpenedImage> images, Stopwatch& watch, const LaunchOptions& options) {
    Stage stage{.plan = plan, .images = images, .watch = watch, .options = options};
    ::umask(0);  // the modes in the plan are meant as they are; S8 sets the program's own
    for (const Step& step : kSteps) {
        if (stage.shared.has_tree() && !step.also_joined) continue;
        log_debug(std::string(step.name) + " " + step.context);
        Status done = step.act(stage);
        if (!done) {
            Error error = std::move(done).error();
            if (!stage.has_parent) stage.group.remove();
            // What goes wrong from S9 on is the program's or the user's: the launch itself has worked.
            if (step.act != enter_start_directory && step.act != run_program) {
                error.message = "cannot start " + plan.root.image.name + ": " + error.message;
                error.add_context(step.context);
            }
            return error;
        }
        watch.lap(step.name);
    }
    return make_error(Error::Kind::internal, "the program was not started");
}

}  // namespace swrun
