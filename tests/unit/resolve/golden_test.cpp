// Whole plans against files: one use case each, so that a change of behaviour shows as a diff of JSON.
// SWRUN_UPDATE_GOLDEN=1 writes the files anew; look at the diff before keeping it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>

#include "source_dir.h"
#include "support/plan_fixture.h"
#include "support/skip.h"
#include "support/text.h"

namespace swrun {
namespace {

struct GoldenCase {
    const char* name;
    std::function<void(PlanCase&)> change;
};

void one_gpu(PlanCase& c) {
    c.request.nv = yes("--nv");
    GpuFacts facts;
    facts.vendor = "nv";
    facts.libraries = {{"libcuda.so.1", "/usr/lib/libcuda.so.1"}};
    facts.programs = {"/usr/bin/nvidia-smi"};
    facts.devices = {{"/dev/nvidia0", false}};
    c.host_tree.file("/usr/lib/libcuda.so.1").file("/usr/bin/nvidia-smi").special("/dev/nvidia0");
    c.gpu = plan_gpu(facts, c.request.contain.value, c.request.nv.origin);
}

void site_binds(PlanCase& c) {
    for (const char* path : {"/scratch", "/l", "/data/sets"}) {
        BindSpec spec = bind_spec(path, path);
        spec.required = false;
        spec.origin = {Origin::Kind::site_file, "/etc/swrun/swrun.toml:3"};
        c.request.site_binds.push_back(spec);
    }
}

void nested_binds(PlanCase& c) {
    c.request.binds = {bind_spec("/data/table.csv", "/in/sets/one/table.csv"), bind_spec("/data/sets", "/in/sets"),
                       bind_spec("/scratch/u", "/in/sets/one/out"), bind_spec("/data", "/in")};
    c.request.binds[3].read_only = true;
}

void oci_run(PlanCase& c) {
    c.request.action = Action::run;
    c.request.arguments = {"a b", "$HOME"};
    c.image_tree.file("/.singularity.d/runscript",
                      "#!/bin/sh\nOCI_ENTRYPOINT='\"python3\" \"-u\"'\nOCI_CMD='\"main.py\"'\n"
                      "eval \"set ${SINGULARITY_OCI_RUN}\"\n");
}

const std::vector<GoldenCase> kCases = {
    {"exec", [](PlanCase&) {}},
    {"contain", [](PlanCase& c) { c.contain(); }},
    {"containall",
     [](PlanCase& c) {
         c.containall();
         c.host.terminal = "/dev/pts/3";
     }},
    {"nv", one_gpu},
    {"nv_contain",
     [](PlanCase& c) {
         c.contain();
         one_gpu(c);
     }},
    {"site", site_binds},
    {"nested_binds", nested_binds},
    {"home_elsewhere", [](PlanCase& c) { c.request.home = text("/scratch/u:/project/home", "--home"); }},
    {"cwd_missing", [](PlanCase& c) { c.host.cwd.physical = c.host.cwd.logical = "/scratch/u"; }},
    {"sandbox", [](PlanCase& c) { c.as_directory(false); }},
    {"sandbox_writable",
     [](PlanCase& c) {
         c.as_directory(true);
         c.request.writable = yes("--writable");
     }},
    {"overlay",
     [](PlanCase& c) {
         c.host_tree.dir("/scratch/u/layer");
         c.request.overlays = {{"/scratch/u/layer", false, by("--overlay")}};
     }},
    {"writable_tmpfs", [](PlanCase& c) { c.request.writable_tmpfs = yes("--writable-tmpfs"); }},
    {"fusemount",
     [](PlanCase& c) {
         c.request.pid = yes("--fusemount");
         c.request.fusemounts = {{"container:sshfs host:/a /mnt/a", by("--fusemount")},
                                 {"host-daemon:/opt/archive x.zip /opt", by("--fusemount")}};
     }},
    {"shell",
     [](PlanCase& c) {
         c.request.action = Action::shell;
         c.request.arguments.clear();
         c.request.shell = text("/usr/bin/zsh", "--shell");
     }},
    {"run_oci", oci_run},
    {"env_needs_shell",
     [](PlanCase& c) {
         c.host.host_bash = "/bin/bash-static";
         c.image_tree.file("/.singularity.d/env/95-modules.sh", "coproc cat\nexport A=1\n");
     }},
    {"pwd", [](PlanCase& c) { c.request.cwd = text("/opt", "--pwd"); }},
    {"scratch_workdir",
     [](PlanCase& c) {
         c.contain();
         c.request.workdir = text("/scratch/u", "--workdir");
         c.request.scratch = {{"/fast,/slow", by("--scratch")}};
     }},
    {"linked_tops",
     [](PlanCase& c) {
         c.image_tree.drop("/home").drop("/bin").drop("/tmp");
         c.image_tree.link("/home", "/usr/home").link("/bin", "usr/bin").link("/tmp", "/var/tmp");
     }},
};

// Around the first line that differs, as a reader of diffs expects it.
std::string difference(const std::string& expected, const std::string& made) {
    const auto old_lines = split(expected, '\n');
    const auto new_lines = split(made, '\n');
    std::size_t first = 0;
    while (first < old_lines.size() && first < new_lines.size() && old_lines[first] == new_lines[first]) ++first;
    std::size_t tail = 0;
    while (tail + first < old_lines.size() && tail + first < new_lines.size() &&
           old_lines[old_lines.size() - 1 - tail] == new_lines[new_lines.size() - 1 - tail]) {
        ++tail;
    }
    std::string shown = "@@ line " + std::to_string(first + 1) + " @@\n";
    for (std::size_t i = first < 3 ? 0 : first - 3; i < first; ++i) shown.append(" ").append(old_lines[i]).append("\n");
    for (std::size_t i = first; i + tail < old_lines.size(); ++i) shown.append("-").append(old_lines[i]).append("\n");
    for (std::size_t i = first; i + tail < new_lines.size(); ++i) shown.append("+").append(new_lines[i]).append("\n");
    return shown;
}

class Golden : public testing::TestWithParam<GoldenCase> {};

TEST_P(Golden, PlanIsAsRecorded) {
    PlanCase launch;
    GetParam().change(launch);
    const Result<LaunchPlan> plan = launch.try_plan();
    ASSERT_TRUE(plan) << format_error(plan.error());
    const std::string made = plan_to_json(*plan);
    const std::string path = std::string(SWRUN_SOURCE_DIR) + "/tests/golden/" + GetParam().name + ".json";
    if (std::getenv("SWRUN_UPDATE_GOLDEN") != nullptr) {
        std::ofstream(path) << made;
        SWRUN_SKIP() << path << " written";
    }
    std::ifstream file(path);
    ASSERT_TRUE(file) << path << " is missing: run with SWRUN_UPDATE_GOLDEN=1";
    const std::string expected{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    EXPECT_TRUE(made == expected) << path << "\n" << difference(expected, made);
}

INSTANTIATE_TEST_SUITE_P(UseCases, Golden, testing::ValuesIn(kCases),
                         [](const auto& param_info) { return std::string(param_info.param.name); });

}  // namespace
}  // namespace swrun
