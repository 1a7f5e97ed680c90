// Who shares what with whom.
#include "share/share_keys.h"

#include <gtest/gtest.h>

#include <functional>

#include "support/fake_tree.h"

namespace swrun {
namespace {

using Environment = std::vector<std::pair<std::string, std::string>>;

TEST(Rank, IsToldByTheLauncher) {
    EXPECT_EQ(rank_variable({{"HOME", "/h"}}), "");
    EXPECT_EQ(rank_variable({{"PMI_RANK", "0"}}), "PMI_RANK");
    EXPECT_EQ(rank_variable({{"PMIX_RANK", "3"}}), "PMIX_RANK");
    EXPECT_EQ(rank_variable({{"OMPI_COMM_WORLD_RANK", "1"}}), "OMPI_COMM_WORLD_RANK");
    const Environment step = {{"SLURM_PROCID", "0"}, {"SLURM_STEP_ID", "0"}, {"SLURM_STEP_NUM_TASKS", "2"}};
    EXPECT_EQ(rank_variable(step), "SLURM_PROCID");
}

TEST(Rank, ABatchScriptOrASingleTaskIsNone) {
    EXPECT_EQ(rank_variable({{"SLURM_PROCID", "0"}, {"SLURM_JOB_ID", "7"}}), "");
    EXPECT_EQ(rank_variable({{"SLURM_PROCID", "0"}, {"SLURM_STEP_ID", "4294967291"}, {"SLURM_STEP_NUM_TASKS", "2"}}),
              "");
    EXPECT_EQ(rank_variable({{"SLURM_PROCID", "0"}, {"SLURM_STEP_ID", "0"}, {"SLURM_STEP_NUM_TASKS", "1"}}), "");
}

ShareFacts facts(const std::string& cgroup, pid_t session) {
    ShareFacts facts;
    facts.cgroup = cgroup;
    facts.session = session;
    return facts;
}

TEST(Scope, IsTheStepsGroupWithoutTheTask) {
    EXPECT_EQ(share_scope(facts("0::/system.slice/slurmstepd.scope/job_7/step_0/user/task_3\n", 1), {}),
              "control group /system.slice/slurmstepd.scope/job_7/step_0/user");
    EXPECT_EQ(
        share_scope(facts("4:cpuset:/slurm/uid_1/job_7\n3:freezer:/slurm/uid_1/job_7/step_0/task_1\n0::/\n", 1), {}),
        "control group /slurm/uid_1/job_7/step_0");
}

TEST(Scope, WithoutOneItIsTheJobAndLastTheSession) {
    const std::string desktop = "0::/user.slice/user-1000.slice/session-3.scope\n";
    EXPECT_EQ(share_scope(facts(desktop, 42), {{"SLURM_JOB_ID", "7"}, {"SLURM_STEP_ID", "1"}}), "Slurm step 7.1");
    EXPECT_EQ(share_scope(facts(desktop, 42), {{"PMIX_NAMESPACE", "x.1"}}), "PMIX_NAMESPACE x.1");
    EXPECT_EQ(share_scope(facts(desktop, 42), {}), "session 42");
    EXPECT_EQ(share_scope(facts("", 42), {}), "session 42");
    EXPECT_EQ(share_scope(facts("rubbish\n::\n", 42), {}), "session 42");
}

TEST(Scope, WithoutANameOfTheJobItIsItsLauncher) {
    ShareFacts hydra = facts("", 42);
    hydra.launcher = "process 7 since 99";
    EXPECT_EQ(share_scope(hydra, {{"PMI_RANK", "1"}}), "ranks of process 7 since 99");
    EXPECT_EQ(share_scope(hydra, {{"PMI_JOBID", "j"}}), "PMI_JOBID j");
}

struct Sharing : testing::Test {
    Sharing() {
        host.share.known = true;
        host.share.session = 5;
        host.share.namespaces = {1, 2, 3, 4, 5};
        host.user.uid = 1000;
        plan.root.source = ImageRoot{0};
        plan.root.image.path = "/images/a.sif";
        plan.root.image.inode = 11;
        plan.image_mounts.push_back({});
        plan.mounts.emplace_back();
        plan.mounts[0].shows.emplace<BindMount>().source = "/data";
        plan.mounts[0].target = "/data";
        plan.root.ghosts.push_back({Ghost::Kind::directory, "/data", "", 0755});
    }
    [[nodiscard]] SharePlan shared(ShareMode mode = ShareMode::always, std::uint32_t linger = 0) const {
        return plan_sharing({mode, {Origin::Kind::argument, "--share"}}, linger, plan, host, tree);
    }

    HostFacts host;
    LaunchPlan plan;
    FakeTree tree;
};

TEST_F(Sharing, RanksShareByThemselvesOthersWhenAsked) {
    EXPECT_FALSE(shared(ShareMode::automatic).wanted);
    EXPECT_TRUE(shared(ShareMode::automatic, 5).wanted);
    EXPECT_TRUE(shared(ShareMode::always).wanted);
    host.environment = {{"PMI_RANK", "1"}};
    EXPECT_TRUE(shared(ShareMode::automatic).wanted);
    EXPECT_FALSE(shared(ShareMode::never).wanted);
    host.share.known = false;
    EXPECT_FALSE(shared(ShareMode::automatic).wanted);
}

TEST_F(Sharing, WhatIsSeenDecidesAboutTheTree) {
    const SharePlan before = shared();
    const std::vector<std::function<void()>> changes = {
        [&] { plan.root.image.inode = 12; },
        [&] { plan.root.image.changed = 1; },
        [&] { plan.root.image.offset = 4096; },
        [&] { plan.root.ghosts[0].content = "x"; },
        [&] { plan.root.upper = TmpfsUpper{}; },
        [&] { plan.root.upper = DirectoryUpper{"/upper"}; },
        [&] { plan.root.read_only_layers.push_back(DirectoryLayer{"/layer"}); },
        [&] { plan.mounts[0].shows.emplace<BindMount>().source = "/other"; },
        [&] { plan.mounts[0].target = "/other"; },
        [&] { plan.mounts[0].flags.read_only = true; },
        [&] { plan.mounts.pop_back(); },
        [&] { plan.image_mounts[0].part = "/usr"; },
        [&] { plan.image_mounts[0].id.inode = 77; },
        [&] { host.share.namespaces[4] = 50; },
        [&] { host.share.root_inode = 50; },
    };
    for (std::size_t i = 0; i < changes.size(); ++i) {
        const LaunchPlan kept_plan = plan;
        const HostFacts kept_host = host;
        changes[i]();
        EXPECT_NE(shared().tree_key, before.tree_key) << i;
        EXPECT_EQ(shared().user_key, before.user_key) << i;
        plan = kept_plan;
        host = kept_host;
    }
    EXPECT_EQ(shared().tree_key, before.tree_key);
}

TEST_F(Sharing, WhoOneIsDecidesAboutTheUserNamespace) {
    const SharePlan before = shared();
    const std::vector<std::function<void()>> changes = {
        [&] { host.user.gid = 100; },
        [&] { plan.namespaces.uid.inside = 7; },
        [&] {
            plan.namespaces.more_uids.push_back({1, 100000, 65536});
        },
        [&] { host.share.session = 6; },
        [&] { host.share.namespaces[0] = 50; },
        [&] { host.share.namespaces[3] = 50; },
    };
    for (std::size_t i = 0; i < changes.size(); ++i) {
        const LaunchPlan kept_plan = plan;
        const HostFacts kept_host = host;
        changes[i]();
        EXPECT_NE(shared().user_key, before.user_key) << i;
        EXPECT_NE(shared().tree_key, before.tree_key) << i;
        plan = kept_plan;
        host = kept_host;
    }
}

TEST_F(Sharing, TheProgramAndItsEnvironmentDoNot) {
    const SharePlan before = shared();
    plan.process.program.candidates.push_back({});
    plan.process.startup.forwarded.push_back({"PMI_RANK", "3", "caller"});
    host.environment = {{"A", "b"}};
    EXPECT_EQ(shared().tree_key, before.tree_key);
}

TEST_F(Sharing, ATreeOfOneLaunchOnlyIsNotGivenAway) {
    const std::vector<std::function<void()>> changes = {
        [&] { plan.namespaces.pid = true; },
        [&] {
            plan.image_mounts[0].method = ByDriver{"/usr/bin/fuse2fs", true};
        },
        [&] { plan.fuse_mounts.push_back({}); }, [&] { plan.root.overlay_driver = "/usr/bin/fuse-overlayfs"; },
        [&] { plan.limits.settings.push_back({}); }};
    for (const auto& change : changes) {
        const LaunchPlan kept = plan;
        change();
        EXPECT_TRUE(shared().wanted);
        EXPECT_EQ(shared().tree_key, "");
        EXPECT_NE(shared().tree_why, "");
        EXPECT_NE(shared().user_key, "");
        plan = kept;
    }
}

TEST_F(Sharing, ARankAloneGetsWhatKeepsMpiFromHanging) {
    EXPECT_TRUE(shared(ShareMode::never).unshared.empty());
    host.environment = {{"OMPI_COMM_WORLD_RANK", "1"}, {"OMPI_MCA_btl_vader_single_copy_mechanism", "knem"}};
    const auto has = [&](const std::string& name) {
        for (const Variable& one : shared(ShareMode::never).unshared) {
            if (one.name == name) return true;
        }
        return false;
    };
    EXPECT_TRUE(has("UCX_TLS"));
    EXPECT_TRUE(has("UCX_POSIX_USE_PROC_LINK"));
    EXPECT_FALSE(has("OMPI_MCA_btl_vader_single_copy_mechanism"));
    host.environment.emplace_back("UCX_TLS", "rc,cma");
    EXPECT_FALSE(has("UCX_TLS"));
    EXPECT_EQ(shared(ShareMode::never).unshared_notes.size(), 1U);
    host.environment.back().second = "^cma";
    EXPECT_TRUE(shared(ShareMode::never).unshared_notes.empty());
}

}  // namespace
}  // namespace swrun
