// What a launch mounts on its own and on request; the root and the process are in resolve_process_test.
#include "resolve/resolve.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cerrno>

#include "support/plan_fixture.h"

namespace swrun {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(Mounts, OrdinaryOnesInTheirOrder) {
    const LaunchPlan plan = PlanCase().plan();
    EXPECT_THAT(targets(plan), ElementsAre("/dev", "/etc/hosts", "/etc/localtime", "/proc", "/sys", "/home/u", "/tmp",
                                           "/var/tmp", "/etc/resolv.conf"));
    for (const char* free : {"/dev", "/proc", "/sys", "/etc/resolv.conf"}) {
        EXPECT_FALSE(mount_at(plan, free).flags.no_dev || mount_at(plan, free).flags.no_suid) << free;
    }
    for (const char* bound : {"/etc/hosts", "/home/u", "/tmp"}) {
        EXPECT_TRUE(mount_at(plan, bound).flags.no_dev && mount_at(plan, bound).flags.no_suid) << bound;
    }
    EXPECT_THAT(ghost_paths(plan), ElementsAre("/etc/group", "/etc/localtime", "/etc/passwd", "/home/u"));
    EXPECT_THAT(warnings(plan), IsEmpty());
}

TEST(Mounts, TheFullOrder) {
    PlanCase c;
    c.host.cwd.physical = "/scratch/u";
    c.request.scratch = {{"/fast", by("--scratch")}};
    c.request.binds = {bind_spec("/data/table.csv", "/etc/hosts"), bind_spec("/data", "/data")};
    c.gpu.mounts = {MountOp{}};
    c.gpu.mounts[0].shows = BindMount{"/data/table.csv"};
    c.gpu.mounts[0].target = "/data/table.csv";
    EXPECT_THAT(targets(c.plan()),
                ElementsAre("/dev", "/etc/hosts", "/etc/localtime", "/proc", "/sys", "/home/u", "/tmp", "/var/tmp",
                            "/data/table.csv", "/etc/resolv.conf", "/scratch/u", "/fast", "/data", "/etc/hosts"));
}

TEST(Mounts, EachCanBeLeftOut) {
    const std::vector<std::pair<std::string, std::vector<std::string>>> cases = {
        {"dev", {"/dev"}},
        {"proc", {"/proc"}},
        {"sys", {"/sys"}},
        {"tmp", {"/tmp", "/var/tmp"}},
        {"home", {"/home/u"}},
        {"cwd", {"/scratch/u"}},
        {"/etc/hosts", {"/etc/hosts"}},
        {"bind-paths", {"/etc/hosts", "/etc/localtime", "/etc/resolv.conf"}}};
    PlanCase all;
    all.host.cwd.physical = "/scratch/u";
    for (const auto& [word, gone] : cases) {
        std::vector<std::string> expected;
        for (const std::string& target : targets(all.plan())) {
            if (std::find(gone.begin(), gone.end(), target) == gone.end()) expected.push_back(target);
        }
        PlanCase c = all;
        c.request.no_mount = {{word, by("--no-mount")}};
        EXPECT_EQ(targets(c.plan()), expected) << word;
        EXPECT_THAT(warnings(c.plan()), IsEmpty()) << word;
    }
    all.request.no_mount = {{"X", by("--no-mount")}};
    EXPECT_THAT(warnings(all.plan()), ElementsAre("Ignoring unknown mount type 'X'"));
}

TEST(Mounts, WhatTheHostLacksIsNotMounted) {
    PlanCase c;
    c.host_tree.drop("/etc/localtime").drop("/var/tmp").drop("/etc/resolv.conf");
    EXPECT_THAT(targets(c.plan()), ElementsAre("/dev", "/etc/hosts", "/proc", "/sys", "/home/u", "/tmp"));
}

TEST(Mounts, OneTemporaryDirectoryWhereTheImageHasOne) {
    PlanCase c;
    c.image_tree.drop("/tmp").link("/tmp", "/var/tmp");
    const LaunchPlan plan = c.plan();
    EXPECT_THAT(targets(plan), Contains("/var/tmp").Times(1));
    EXPECT_EQ(source_of(mount_at(plan, "/var/tmp")), "/tmp");
    c.image_tree.drop("/var").drop("/tmp");
    EXPECT_THAT(targets(c.plan()), Not(Contains("/var/tmp"))) << "no /var for its sake";
}

TEST(Mounts, ALinkedEtcStaysALink) {
    PlanCase c;
    c.image_tree.drop("/etc")
        .link("/etc", "/usr/etc")
        .file("/usr/etc/passwd")
        .file("/usr/etc/group")
        .file("/usr/etc/hosts");
    c.image_tree.link("/usr/etc/localtime", "/usr/share/zoneinfo/Etc/UTC").file("/usr/etc/resolv.conf");
    const LaunchPlan plan = c.plan();
    EXPECT_THAT(ghost_paths(plan), ElementsAre("/home/u", "/usr/etc/group", "/usr/etc/localtime", "/usr/etc/passwd"));
    EXPECT_THAT(targets(plan), Contains("/usr/etc/localtime"));
}

TEST(Contain, PrivateDirectories) {
    PlanCase c;
    c.contain();
    c.host_tree.drop("/dev/tty");
    const LaunchPlan plan = c.plan();
    EXPECT_THAT(targets(plan), ElementsAre("/dev", "/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/shm",
                                           "/dev/pts", "/etc/hosts", "/etc/localtime", "/proc", "/sys", "/home/u",
                                           "/tmp", "/var/tmp", "/etc/resolv.conf"));
    for (const auto& [target, mode] :
         {std::pair("/dev", 0755U), {"/dev/shm", 01777U}, {"/home/u", 0755U}, {"/tmp", 01777U}}) {
        ASSERT_TRUE(mount_at(plan, target).is<TmpfsMount>()) << target;
        EXPECT_EQ(mount_at(plan, target).as<TmpfsMount>()->mode, mode) << target;
        EXPECT_EQ(mount_at(plan, target).origin, by("--contain")) << target;
    }
    EXPECT_FALSE(mount_at(plan, "/dev/null").flags.no_dev) << "a device must stay one";
    EXPECT_THAT(ghost_paths(plan), Not(Contains("/dev/null"))) << "it lies in our tmpfs";
    for (const MountOp& op : plan.mounts) EXPECT_FALSE(op.create_target) << op.target;
}

TEST(Contain, ContainallAddsProcessesQueuesAndTheTerminal) {
    PlanCase c;
    c.containall();
    c.host.terminal = "/dev/pts/3";
    const LaunchPlan plan = c.plan();
    EXPECT_TRUE(plan.namespaces.pid && plan.namespaces.ipc && plan.namespaces.init);
    EXPECT_TRUE(mount_at(plan, "/proc").is<ProcMount>());
    EXPECT_EQ(mount_at(plan, "/proc").flags, MountFlags{});
    EXPECT_TRUE(mount_at(plan, "/dev/mqueue").is<MqueueMount>());
    EXPECT_EQ(source_of(mount_at(plan, "/dev/console")), "/dev/pts/3");
    c.request.no_pid = yes("--no-pid");
    EXPECT_FALSE(c.plan().namespaces.pid);
    EXPECT_TRUE(mount_at(c.plan(), "/proc").is<BindMount>());
}

TEST(Contain, WorkdirHoldsThePrivateDirectories) {
    PlanCase c;
    c.contain();
    c.host.cwd.physical = "/scratch";
    c.request.workdir = text("u", "--workdir");
    c.request.scratch = {{"/fast,/deep/one", by("--scratch")}};
    const LaunchPlan plan = c.plan();
    for (const auto& [target, source, mode] : {std::tuple("/home/u", "/scratch/u/home", 0700U),
                                               {"/tmp", "/scratch/u/tmp", 01777U},
                                               {"/var/tmp", "/scratch/u/var_tmp", 01777U},
                                               {"/deep/one", "/scratch/u/scratch/deep/one", 0750U}}) {
        const MountOp op = mount_at(plan, target);
        EXPECT_EQ(op.shows, MountSource(MadeBind{source, mode})) << target;
    }
    c.request.workdir = text("/nowhere", "--workdir");
    EXPECT_THAT(c.error().message, HasSubstr("/nowhere: no such file or directory (from --workdir)"));
}

TEST(Scratch, TakesAbsolutePathsOnly) {
    for (const char* bad : {"relative", "/good,relative", "/"}) {
        PlanCase c;
        c.request.scratch = {{bad, by("--scratch")}};
        EXPECT_EQ(c.error().kind, Error::Kind::request) << bad;
    }
}

TEST(Home, IsTheOneOfThePasswdEntry) {
    PlanCase c;
    c.host.environment = {{"HOME", "/somewhere/else"}};
    const LaunchPlan plan = c.plan();
    EXPECT_EQ(variable(plan, "HOME"), "/home/u");
    EXPECT_EQ(source_of(mount_at(plan, "/home/u")), "/home/u");
    c.request.no_home = yes("--no-home");
    EXPECT_THAT(targets(c.plan()), Not(Contains("/home/u")));
    EXPECT_EQ(variable(c.plan(), "HOME"), "/home/u");
}

TEST(Home, AnAbsentOneIsEmptyAndRootsIsElsewhere) {
    PlanCase c;
    c.host_tree.drop("/home/u");
    EXPECT_TRUE(mount_at(c.plan(), "/home/u").is<TmpfsMount>());
    PlanCase root;
    root.host.user = {0, 0, "root", "", "/home/u", "/bin/sh", true};
    EXPECT_EQ(source_of(mount_at(root.plan(), "/root")), "/home/u");
    EXPECT_EQ(variable(root.plan(), "HOME"), "/root");
}

TEST(Home, AnotherOneAndItsDestination) {
    PlanCase c;
    c.contain();
    c.request.home = text("/scratch/u:/project/home", "--home");
    const LaunchPlan plan = c.plan();
    EXPECT_EQ(source_of(mount_at(plan, "/project/home")), "/scratch/u") << "also in a contained launch";
    EXPECT_EQ(variable(plan, "HOME"), "/project/home");
    EXPECT_THAT(ghost_content(plan, "/etc/passwd"), HasSubstr(":/project/home:"));
    EXPECT_EQ(directories(plan).front(), "/project/home");
    c.request.home = text("../..", "--home");
    c.host.cwd.physical = "/scratch/u/x";
    EXPECT_EQ(source_of(mount_at(c.plan(), "/scratch")), "/scratch");
    c.request.home = text("/scratch/u:/", "--home");
    EXPECT_THAT(warnings(c.plan()), ElementsAre("Skipping impossible home directory mount to '/'"));
}

TEST(Home, WhatCannotBeOne) {
    PlanCase c;
    c.request.home = text("/scratch/u:rel", "--home");
    EXPECT_THAT(c.error().message, HasSubstr("path rel is not an absolute path"));
    EXPECT_THAT(c.error().context, ElementsAre("reading the home directory (from --home)"));
    c.request.home = text("/nowhere", "--home");
    EXPECT_THAT(c.error().message, HasSubstr("home directory /nowhere: no such file or directory (from --home)"));
    EXPECT_FALSE(c.error().hint.empty());
}

TEST(Home, OneThatCannotBeReachedIsNotCalledAbsent) {
    PlanCase c;
    c.host_tree.hidden("/nfs/u", ESTALE).hidden("/fuse/u", ENOTCONN);
    c.request.home = text("/nfs/u", "--home");
    EXPECT_THAT(c.error().message, HasSubstr("home directory /nfs/u: stale file handle (ESTALE) (from --home)"));
    c.request.home = {};
    c.host.user.home = "/fuse/u/me";
    EXPECT_THAT(warnings(c.plan()),
                ElementsAre("home /fuse/u/me cannot be reached: transport endpoint is not connected "
                            "(ENOTCONN): an empty one is shown"));
    c.host.user.home = "/none/u";
    EXPECT_THAT(warnings(c.plan()), IsEmpty()) << "accounts without a home are usual";
}

TEST(Workdir, OneThatCannotBeReachedIsNotCalledAbsent) {
    PlanCase c;
    c.contain();
    c.host_tree.hidden("/nfs/w", EIO).link("/loop", "loop");
    for (const auto& [path, why] : {std::pair("/nfs/w", "input/output error (EIO)"),
                                    {"/loop", "too many levels of symbolic links (ELOOP)"},
                                    {"/data/table.csv", "not a directory"}}) {
        c.request.workdir = text(path, "--workdir");
        EXPECT_THAT(c.error().message, HasSubstr(std::string(path) + ": " + why + " (from --workdir)"));
    }
}

TEST(Home, BelowTmpItIsNotCovered) {
    for (const bool contained : {false, true}) {
        PlanCase c;
        if (contained) c.contain();
        c.request.home = text("/scratch/u:/tmp/home", "--home");
        const LaunchPlan plan = c.plan();
        const std::vector<std::string> all = targets(plan);
        EXPECT_LT(std::find(all.begin(), all.end(), "/tmp"), std::find(all.begin(), all.end(), "/tmp/home"));
        EXPECT_EQ(source_of(mount_at(plan, "/tmp/home")), "/scratch/u");
        EXPECT_TRUE(mount_at(plan, "/tmp/home").create_target);
    }
}

TEST(Generated, HostsOfANetworkOfItsOwn) {
    PlanCase c;
    c.request.net = yes("--net");
    EXPECT_THAT(targets(c.plan()), Contains("/etc/hosts"));
    c.contain();
    EXPECT_THAT(targets(c.plan()), Not(Contains("/etc/hosts")));
    EXPECT_THAT(ghost_content(c.plan(), "/etc/hosts"), testing::StartsWith("127.0.0.1   localhost\n"));
    c.request.no_mount = {{"/etc/hosts", by("--no-mount")}};
    EXPECT_EQ(ghost_content(c.plan(), "/etc/hosts"), "no ghost at /etc/hosts");
}

TEST(Identity, IsAnsweredWithTheImage) {
    PlanCase c;
    const LaunchPlan plan = c.plan();
    EXPECT_EQ(ghost_content(plan, "/etc/passwd"),
              "root:x:0:0:root:/root:/bin/sh\nu:x:1234:1234:Some User:/home/u:/bin/bash\n");
    EXPECT_EQ(ghost_content(plan, "/etc/group"), "root:x:0:\nu:x:1234:u\nusers:x:100:u\n");
    c.image_tree.drop("/etc/passwd").drop("/etc/group");
    EXPECT_THAT(warnings(c.plan()), ElementsAre("passwd file doesn't exist in container, not updating",
                                                "group file doesn't exist in container, not updating"));
}

TEST(Identity, TheImagesFileMayBeALink) {
    PlanCase c;
    c.image_tree.file("/store/passwd", "root:x:0:0::/:/x\n").drop("/etc/passwd").link("/etc/passwd", "/store/passwd");
    EXPECT_THAT(ghost_content(c.plan(), "/etc/passwd"), testing::StartsWith("root:x:0:0::/:/x\nu:x:1234:"));
}

TEST(Generated, NameServersAndHostName) {
    PlanCase c;
    c.request.dns = text("8.8.8.8,::1", "--dns");
    c.request.hostname = text("node-1", "--hostname");
    const LaunchPlan plan = c.plan();
    EXPECT_EQ(ghost_content(plan, "/etc/resolv.conf"), "nameserver 8.8.8.8\nnameserver ::1\n");
    EXPECT_THAT(targets(plan), Not(Contains("/etc/resolv.conf")));
    EXPECT_EQ(ghost_content(plan, "/etc/hostname"), "node-1\n");
    EXPECT_TRUE(plan.namespaces.uts);
    c.request.hostname = text("no_name", "--hostname");
    EXPECT_EQ(c.error().kind, Error::Kind::request);
    c.request.hostname = {};
    c.request.dns = text("dns.example", "--dns");
    EXPECT_EQ(c.error().kind, Error::Kind::request);
}

TEST(Gpu, LibrariesHaveTheirGhosts) {
    PlanCase c;
    GpuFacts facts;
    facts.vendor = "nv";
    facts.libraries = {{"libcuda.so.1", "/data/table.csv"}};
    c.gpu = plan_gpu(facts, false, by("--nv"));
    const LaunchPlan plan = c.plan();
    EXPECT_THAT(ghost_paths(plan), testing::IsSupersetOf({std::string("/.singularity.d/libs"),
                                                          std::string("/.singularity.d/libs/libcuda.so.1")}));
    EXPECT_EQ(mount_at(plan, "/.singularity.d/libs/libcuda.so.1").origin, by("--nv"));
    c.as_directory(true);
    c.request.writable = yes("--writable");
    EXPECT_THAT(warnings(c.plan()), Contains(HasSubstr("Skipping mount /.singularity.d/libs/libcuda.so.1")));
}

}  // namespace
}  // namespace swrun
