#include "runtime/launch.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <optional>

#include "fuse/server.h"
#include "mounts/mount_apply.h"
#include "mounts/mount_syscalls.h"
#include "runtime/control_group.h"
#include "runtime/credentials.h"
#include "runtime/driver.h"
#include "runtime/environment.h"
#include "runtime/exec.h"
#include "runtime/fuse_programs.h"
#include "runtime/namespaces.h"
#include "runtime/read_ahead.h"
#include "runtime/root.h"
#include "runtime/share.h"
#include "runtime/supervisor.h"
#include "runtime/unpacked.h"
#include "support/log.h"
#include "support/process.h"

namespace swrun {
namespace {

// What one step leaves for the next.
struct Stage {
    const LaunchPlan& plan;
    std::span<const LaunchImage> images;
    Stopwatch& watch;
    const LaunchOptions& options;
    std::vector<Note> notes{};

    std::vector<Fd> links{};       // to the server or driver of each image mount; closing one unused ends it
    std::vector<KeptTree> kept{};  // of each that is unpacked and kept
    Fd overlay_link{};             // to the driver that stacks the layers
    Fd written_back{};             // end of file when the drivers of written images have ended
    std::vector<Fd> image_mounts{};
    Fd root{};
    std::vector<Captured> captured{};
    Fd shell{};  // the host's static bash, when the image's scripts may need it
    ControlGroup group{};
    Shared shared{};
    Fd hold_link{};           // to whoever holds this launch's namespaces; closing it unused lets them go
    Namespaces own{};         // as it gets them
    bool leads_tree = false;  // others may join it
    bool leads_user = false;  // likewise the user namespace
    bool shares_user = false;
    bool has_parent = false;
    sigset_t caller_signals{};
    std::string directory{};
    FusePrograms fuse{};
};

Result<Fd> start_image_driver(const ImageMount& mount, const LaunchImage& image, const OwnerView& owners, int alive) {
    SWRUN_TRY(const Fd file, open_locked(image.fd, image.path, image.offset, image.size, mount.writable));
    std::string options = "allow_other,offset=" + std::to_string(image.offset);
    std::string wishes;
    if (image.squashfs == nullptr) {
        // fuse2fs(1): it leaves permissions to the kernel, which knows the namespace's ids.
        options.append(",fakeroot");
    } else {
        options.append(",default_permissions");  // as fuse2fs has it anyway, and our server
        // squashfuse_ll(1) before 0.2 shows owners as they are stored, and says no to these.
        if (!owners.as_stored) wishes = "uid=" + std::to_string(owners.uid) + ",gid=" + std::to_string(owners.gid);
    }
    if (!mount.writable) options.append(",ro");
    return start_driver({mount.driver, image.path, options, wishes, file.get(), mount.part, mount.is_directory}, alive);
}

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

// Of one image mount; none for one that is unpacked.  `alive` goes to drivers of written images.
Result<Fd> start_server(Stage& stage, std::size_t index, int alive) {
    const ImageMount& mount = stage.plan.image_mounts[index];
    const LaunchImage& image = stage.images[mount.image];
    stage.kept.emplace_back();
    if (mount.unpacked) {
        if (image.squashfs != nullptr) image.squashfs->server.reset();  // started early, and not needed
        if (mount.kept_in.empty()) return Fd();
        SWRUN_TRY(stage.kept.back(), with_context(keep_unpacked(mount, image), "unpacking " + image.path));
        return Fd();
    }
    if (!mount.driver.empty()) {
        return start_image_driver(mount, image, stage.plan.root.owners, mount.writable ? alive : -1);
    }
    // The root's server holds what all of the launch is in.
    Doors none;
    return start_image_server(*image.squashfs, stage.plan.root.image_mount == index ? stage.shared.doors : none);
}

// Whether the root is served by a server of ours, which then holds the doors, too.
bool has_own_server(const LaunchPlan& plan) {
    if (!plan.root.image_mount) return false;
    const ImageMount& root = plan.image_mounts[*plan.root.image_mount];
    return !root.unpacked && root.driver.empty();
}

// The image that the program comes from, where it has a server of ours that was started for this launch.
const ServedImage* served_root(const Stage& stage) {
    if (!has_own_server(stage.plan) || stage.shared.has_tree()) return nullptr;
    return stage.images[stage.plan.image_mounts[*stage.plan.root.image_mount].image].squashfs;
}

// Null where the server leaves the launcher alone.
const Placement* placement(const Stage& stage) {
    const ServedImage* image = served_root(stage);
    const bool works_ahead = image != nullptr && image->predicted && image->predicted->has_begun();
    return works_ahead ? &image->placement : nullptr;
}

// Null where a layer may hide all of the image.
const PredictedFiles* predicted_files(const Stage& stage) {
    const ServedImage* image = served_root(stage);
    return image != nullptr && !stage.plan.root.layered() ? image->predicted.get() : nullptr;
}

Status start_servers(Stage& stage) {  // S2
    Fd alive;
    if (stage.plan.writes_image()) {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) return sys_error(Error::Kind::host, "pipe2", "", errno);
        stage.written_back = Fd(ends[0]);
        alive = Fd(ends[1]);
    }
    // Before an image is unpacked, which takes its time: others wait at the door.
    if (!has_own_server(stage.plan) && stage.shared.doors.any()) {
        SWRUN_TRY(stage.hold_link, start_holder(stage.shared.doors));
    }
    for (std::size_t i = 0; i < stage.plan.image_mounts.size(); ++i) {
        SWRUN_TRY(Fd link, start_server(stage, i, alive.get()));
        stage.links.push_back(std::move(link));
    }
    SWRUN_CHECK(stage.fuse.start_keeper(stage.plan));
    const std::string& stacker = stage.plan.root.overlay_driver;
    if (stacker.empty()) return {};
    SWRUN_TRY(stage.overlay_link, start_driver({stacker, "the layers of the root", "allow_other,noacl"}, -1));
    return {};
}

void tell_instance(const LaunchOptions& options, pid_t init) {
    if (options.started < 0) return;
    [[maybe_unused]] const ssize_t told = ::write(options.started, &init, sizeof init);
    ::close(options.started);
    ::close(options.ready);
}

// The launch goes on in a child, the caller's process supervises.  A pid namespace takes effect for children
// only (pid_namespaces(7)); an image that is written to has to be complete when the caller's process ends.
Status go_on_in_child(Stage& stage) {
    int alive[2];
    if (::pipe2(alive, O_CLOEXEC) != 0) return sys_error(Error::Kind::host, "pipe2", "", errno);
    const Fd ours(alive[0]);
    Fd parents(alive[1]);
    block_signals(&stage.caller_signals);
    const pid_t child = ::fork();
    if (child < 0) return sys_error(Error::Kind::host, "fork", "", errno);
    if (child > 0) {
        stage.links.clear();
        stage.hold_link.reset();
        stage.shared = Shared();
        stage.own = Namespaces();  // or it would wait for itself: the drivers end with the last who has the mounts
        stage.overlay_link.reset();
        tell_instance(stage.options, child);
        supervise(child, stage.written_back.get(), [&] {
            stage.fuse.end_on_host();
            stage.group.remove();
        });
    }
    stage.has_parent = true;
    stage.written_back.reset();
    // The launch shall not outlive its supervisor.  A parent that died before this line sends no signal any
    // more: its end of the pipe, held by nobody else, tells.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    parents.reset();
    pollfd ended{ours.get(), 0, 0};
    if (::poll(&ended, 1, 0) > 0) ::_exit(255);
    return {};
}

// Whether somebody holds the mount namespace until the program has ended.  Not where files are written: they have
// to be free when the caller's process ends.
bool is_held(const Stage& stage) {
    const RootPlan& root = stage.plan.root;
    if (stage.leads_tree) return true;
    return stage.plan.root.image_mount && !stage.has_parent && root.upper_directory.empty() && !root.upper_mount &&
           root.overlay_driver.empty();
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
        const bool is_root = plan.root.image_mount == i;
        const LaunchImage& file = stage.images[image.image];
        const std::vector<Ghost>& ghosts = is_root ? plan.root.ghosts : none;
        Result<Fd> made = image.unpacked
                              ? mount_unpacked(image, file, plan.root.owners, ghosts, stage.kept[i])
                              : mount_image(image, plan.root.owners, ghosts, plan.namespaces, stage.links[i].get());
        SWRUN_TRY(Fd mount, with_context(std::move(made), "mounting " + file.path));
        stage.image_mounts.push_back(std::move(mount));
    }
    if (has_own_server(plan)) {
        stage.hold_link = std::move(stage.links[*plan.root.image_mount]);
    }
    stage.links.clear();
    return {};
}

Status capture_sources(Stage& stage) {  // S5
    SWRUN_CHECK(stage.fuse.mount(stage.plan));
    SWRUN_TRY(stage.captured, capture_mounts(stage.plan.mounts, stage.image_mounts, stage.fuse.mounts(), stage.notes));
    open_shell(stage);
    return {};
}

Status attach_all(Stage& stage) {  // S6
    const Placement::Stay stay(placement(stage));
    SWRUN_TRY(stage.root, attach_root(stage.plan, stage.image_mounts, stage.overlay_link.get(), stage.notes));
    stage.overlay_link.reset();
    return attach_mounts(stage.root.get(), stage.captured, stage.notes);
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

// A shell without job control starts background jobs with SIGINT and SIGQUIT ignored (POSIX XCU 2.11); a
// batch system that interrupts such a job would then wait in vain.  Both ignored is that shell's doing and
// undone; anything else, nohup's SIGHUP above all, was somebody's wish and stays.
void restore_interrupts() {
    struct sigaction interrupt {};
    struct sigaction quit {};
    ::sigaction(SIGINT, nullptr, &interrupt);
    ::sigaction(SIGQUIT, nullptr, &quit);
    if (interrupt.sa_handler != SIG_IGN || quit.sa_handler != SIG_IGN) return;
    ::signal(SIGINT, SIG_DFL);
    ::signal(SIGQUIT, SIG_DFL);
}

// `ready` of the program is process 1's business: it has to know whether there is a program to wait for.
Status become_instance_init(int ready, const FusePrograms& fuse) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return sys_error(Error::Kind::host, "pipe2", "", errno);
    const pid_t program = ::fork();
    if (program < 0) return sys_error(Error::Kind::host, "fork", "", errno);
    if (program > 0) {
        ::close(ends[1]);
        ::setpgid(program, program);
        run_instance_init(program, ends[0], ready, fuse.kept(), [&] { fuse.end_inside(); });
    }
    ::setpgid(0, 0);
    ::dup3(ends[1], ready, O_CLOEXEC);
    ::close(ends[0]);
    ::close(ends[1]);
    return {};
}

// With an init of ours the program is its child; otherwise it is this process.
Status become_init(Stage& stage) {
    if (!stage.has_parent) return {};
    if (stage.options.ready >= 0) {
        SWRUN_CHECK(become_instance_init(stage.options.ready, stage.fuse));
    } else if (stage.plan.namespaces.pid && stage.plan.namespaces.init) {
        const pid_t program = ::fork();
        if (program < 0) return sys_error(Error::Kind::host, "fork", "", errno);
        if (program > 0) run_init(program, [&] { stage.fuse.end_inside(); });
    }
    restore_signals(&stage.caller_signals);
    return {};
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
    SWRUN_TRY(std::vector<Variable> environment,
              make_environment(stage.plan.process, stage.directory, stage.shell.get()));
    if (!stage.shares_user) add_unshared(stage.plan.share, environment);
    SWRUN_CHECK(become_init(stage));
    std::vector<std::string> absent;
    if (const PredictedFiles* predicted = predicted_files(stage)) {
        const Placement::Stay stay(placement(stage));
        read_ahead(*predicted, stage.plan);
        absent = known_absent(*predicted, served_root(stage)->hint, stage.plan);
    }
    restore_interrupts();
    stage.watch.lap("S10");
    if (stage.options.print_timings) print_timings(stage.watch);
    return execute(stage.plan.process.program, std::move(environment), absent);
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

Error launch(const LaunchPlan& plan, std::span<const LaunchImage> images, Stopwatch& watch,
             const LaunchOptions& options) {
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
