#include "runtime/launch.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <optional>

#include "fuse/link.h"
#include "fuse/server.h"
#include "mounts/mount_apply.h"
#include "mounts/mount_syscalls.h"
#include "runtime/credentials.h"
#include "runtime/environment.h"
#include "runtime/exec.h"
#include "runtime/namespaces.h"
#include "runtime/root.h"
#include "runtime/supervisor.h"
#include "support/log.h"
#include "support/process.h"

namespace swrun {
namespace {

// What one step leaves for the next.
struct Stage {
    const LaunchPlan& plan;
    ServedImage* image;  // null for a directory
    const std::vector<ServedImage*>& further;
    Stopwatch& watch;
    const LaunchOptions& options;
    std::vector<Note> notes;

    Fd link;                        // to the image server; closing it without a device ends the server
    std::vector<Fd> further_links;  // one server per use of a further image: layers, then mounts
    Fd image_mount;
    std::vector<Fd> layer_mounts;
    std::vector<Fd> bound_images;
    Fd root;
    std::vector<Captured> captured;
    Fd shell;  // the host's static bash, when the image's scripts may need it
    sigset_t caller_signals{};
    std::string directory;
};

// Layers first, then mounts, each in plan order: the order of the links.
template <class OnLayer, class OnMount>
Status for_each_further(const LaunchPlan& plan, OnLayer on_layer, OnMount on_mount) {
    for (const Layer& layer : plan.root.read_only_layers) {
        if (layer.image_index) SWRUN_CHECK(on_layer(layer));
    }
    for (const MountOp& op : plan.mounts) {
        if (op.kind == MountOp::Kind::image) SWRUN_CHECK(on_mount(op));
    }
    return {};
}

Status start_server(Stage& stage) {  // S2
    const auto start = [&](std::size_t index) -> Status {
        SWRUN_TRY(Fd link, start_image_server(*stage.further.at(index)));
        stage.further_links.push_back(std::move(link));
        return {};
    };
    SWRUN_CHECK(for_each_further(
        stage.plan, [&](const Layer& layer) { return start(*layer.image_index); },
        [&](const MountOp& op) { return start(op.image_index); }));
    if (stage.image == nullptr) return {};
    SWRUN_TRY(stage.link, start_image_server(*stage.image));
    return {};
}

// A pid namespace takes effect for children only (pid_namespaces(7)): the caller's process supervises,
// the child becomes process 1 and goes on with the launch.
Status become_process_one(Stage& stage) {
    int alive[2];
    if (::pipe2(alive, O_CLOEXEC) != 0) return sys_error(Error::Kind::host, "pipe2", "", errno);
    const Fd ours(alive[0]);
    Fd parents(alive[1]);
    block_signals(&stage.caller_signals);
    const pid_t child = ::fork();
    if (child < 0) return sys_error(Error::Kind::host, "fork", "", errno);
    if (child > 0) {
        stage.link.reset();
        stage.further_links.clear();
        supervise(child);
    }
    // The namespace shall not outlive its supervisor.  A parent that died before this line sends no
    // signal any more: its end of the pipe, held by nobody else, tells.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    parents.reset();
    pollfd ended{ours.get(), 0, 0};
    if (::poll(&ended, 1, 0) > 0) ::_exit(255);
    return {};
}

Status make_namespaces(Stage& stage) {  // S3
    SWRUN_CHECK(enter_namespaces(stage.plan.namespaces));
    if (stage.plan.namespaces.pid) SWRUN_CHECK(become_process_one(stage));
    return {};
}

Status make_image_mount(Stage& stage) {  // S4
    const NamespacePlan& names = stage.plan.namespaces;
    SWRUN_TRY(stage.image_mount, mount_image(stage.plan.root, names.uid, names.gid, stage.link.get()));
    stage.link.reset();
    std::size_t next = 0;
    const auto mount = [&](const std::string& part, bool is_directory, std::vector<Fd>& into) -> Status {
        SWRUN_TRY(Fd made, mount_further_image(part, is_directory, stage.plan.root.owners, names,
                                               stage.further_links.at(next++).get()));
        into.push_back(std::move(made));
        return {};
    };
    SWRUN_CHECK(for_each_further(
        stage.plan, [&](const Layer&) { return mount("/", true, stage.layer_mounts); },
        [&](const MountOp& op) { return mount(op.image_path, op.target_is_dir, stage.bound_images); }));
    stage.further_links.clear();
    return {};
}

Status capture_sources(Stage& stage) {  // S5
    SWRUN_TRY(stage.captured, capture_mounts(stage.plan.mounts, std::move(stage.bound_images), stage.notes));
    const std::string& bash = stage.plan.process.host_bash;
    if (!stage.plan.process.environment && !bash.empty()) {
        stage.shell = Fd(::open(bash.c_str(), O_RDONLY | O_CLOEXEC));
    }
    return {};
}

Status attach_all(Stage& stage) {  // S6
    SWRUN_TRY(stage.root, attach_root(stage.plan.root, std::move(stage.image_mount), stage.layer_mounts));
    return attach_mounts(stage.root.get(), stage.captured, stage.notes);
}

Status pivot(Stage& stage) {  // S7
    SWRUN_CHECK(switch_root(stage.root.get()));
    stage.root.reset();
    for (const Note& note : stage.notes) log(note.level, note.text);
    return {};
}

Status drop_rights(Stage& stage) { return drop_privileges(stage.plan.process); }  // S8

Status enter_start_directory(Stage& stage) {  // S9
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

// With an init of ours the program is its child; otherwise it is this process.
Status become_init(Stage& stage) {
    if (!stage.plan.namespaces.pid) return {};
    if (stage.plan.namespaces.init) {
        const pid_t program = ::fork();
        if (program < 0) return sys_error(Error::Kind::host, "fork", "", errno);
        if (program > 0) run_init(program);
    }
    restore_signals(&stage.caller_signals);
    return {};
}

Status run_program(Stage& stage) {  // S10
    SWRUN_TRY(std::vector<Variable> environment,
              make_environment(stage.plan.process, stage.directory, stage.shell.get()));
    SWRUN_CHECK(become_init(stage));
    restore_interrupts();
    stage.watch.lap("S10");
    if (stage.options.print_timings) print_timings(stage.watch);
    return execute(stage.plan.process.program, std::move(environment));
}

struct Step {
    const char* name;
    const char* context;
    Status (*act)(Stage&);
};

constexpr Step kSteps[] = {
    {"S2", "starting the image server", start_server},
    {"S3", "making the namespaces", make_namespaces},
    {"S4", "mounting the image", make_image_mount},
    {"S5", "opening what will be bound", capture_sources},
    {"S6", "building the container's tree", attach_all},
    {"S7", "switching to the container's root", pivot},
    {"S8", "dropping privileges", drop_rights},
    {"S9", "entering the working directory", enter_start_directory},
    {"S10", "starting the program", run_program},
};

}  // namespace

Error launch(const LaunchPlan& plan, ServedImage* image, const std::vector<ServedImage*>& further, Stopwatch& watch,
             const LaunchOptions& options) {
    Stage stage{plan, image, further, watch, options, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}};
    ::umask(0);  // the modes in the plan are meant as they are; S8 sets the program's own
    for (const Step& step : kSteps) {
        log_debug(std::string(step.name) + " " + step.context);
        Status done = step.act(stage);
        if (!done) {
            Error error = std::move(done).error();
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
