#include "cli/precedence.h"

#include "command_line.h"

namespace swrun {
namespace {

LaunchRequest launch(const Words& options, Pairs environment = {}) {
    Words argv = {"swrun", "exec"};
    argv.insert(argv.end(), options.begin(), options.end());
    argv.insert(argv.end(), {"img", "true"});
    Reading reading;
    reading.environment = std::move(environment);
    return reading.invocation(argv).launch;
}

TEST(Precedence, ContainallMeansFourThings) {
    const LaunchRequest all = launch({"-C"});
    EXPECT_TRUE(all.containall.value && all.contain.value && all.pid.value && all.ipc.value && all.cleanenv.value);
    EXPECT_FALSE(all.no_eval.value || all.writable_tmpfs.value || all.compat.value);
    EXPECT_EQ(all.pid.origin, (Origin{Origin::Kind::argument, "--containall"}));
}

TEST(Precedence, CompatMeansNine) {
    const LaunchRequest all = launch({"--compat"});
    EXPECT_TRUE(all.compat.value && all.containall.value && all.contain.value && all.pid.value && all.ipc.value);
    EXPECT_TRUE(all.cleanenv.value && all.no_init.value && all.no_umask.value && all.no_eval.value);
    EXPECT_TRUE(all.writable_tmpfs.value);
    EXPECT_FALSE(all.writable.value || all.net.value || all.uts.value);
}

TEST(Precedence, WhatIsAskedByNameBeatsWhatIsImplied) {
    EXPECT_FALSE(launch({"--compat", "--no-eval=false"}).no_eval.value);
    EXPECT_FALSE(launch({"-C", "--ipc=false"}).ipc.value);
    EXPECT_TRUE(launch({"-C"}, {{"APPTAINER_IPC", "0"}}).ipc.value);  // but not from a lower rank
    EXPECT_FALSE(launch({"--ipc=false"}, {{"APPTAINER_CONTAINALL", "1"}}).ipc.value);
}

TEST(Precedence, NoPid) {
    EXPECT_FALSE(launch({"-C", "--no-pid"}).pid.value);
    EXPECT_FALSE(launch({"--compat", "--no-pid"}).pid.value);
    EXPECT_TRUE(launch({"--compat", "--no-pid"}).ipc.value);
    EXPECT_FALSE(launch({"-C"}, {{"APPTAINER_NO_PID", "1"}}).pid.value);
    EXPECT_FALSE(launch({"-p", "--no-pid"}).pid.value);
    EXPECT_TRUE(launch({"-p"}, {{"APPTAINER_NO_PID", "1"}}).pid.value);
    EXPECT_TRUE(launch({"-C", "--no-pid=false"}).pid.value);
}

TEST(Precedence, FusemountMeansPid) {
    const Words mount = {"--fusemount", "container:c /m"};
    const LaunchRequest plain = launch(mount);
    EXPECT_EQ(plain.pid, (Flag{true, {Origin::Kind::argument, "--fusemount"}}));
    EXPECT_EQ(plain.fusemounts.size(), 1U);
    EXPECT_EQ(launch({"-C", mount[0], mount[1]}).pid.origin.where, "--containall");
    EXPECT_TRUE(launch({"--pid=false", mount[0], mount[1]}).pid.value);
    EXPECT_EQ(launch({}, {{"APPTAINER_FUSESPEC", "container:c /m,host:d -o x /n"}}).fusemounts.size(), 2U);
    Reading reading;
    const Invocation both = reading.invocation({"swrun", "exec", "-C", "--no-pid", mount[0], mount[1], "img", "true"});
    EXPECT_TRUE(both.launch.pid.value);
    EXPECT_FALSE(both.launch.no_pid.value);
    ASSERT_EQ(both.notes.size(), 1U);
    EXPECT_EQ(both.notes[0].level, Level::warning);
    EXPECT_NE(both.notes[0].text.find("--no-pid is ignored"), std::string::npos);
}

TEST(Precedence, Hostname) {
    const LaunchRequest named = launch({"--hostname", "node"});
    EXPECT_TRUE(named.uts.value);
    EXPECT_EQ(named.hostname.value, "node");
    EXPECT_FALSE(launch({}).uts.value);
}

TEST(Precedence, NetworkIsNoneOrAnError) {
    EXPECT_TRUE(launch({"--net", "--network", "none"}).net.value);
    EXPECT_TRUE(launch({"--network=none"}).net.value);
    EXPECT_FALSE(launch({}).net.value);
    EXPECT_FALSE(launch({"--net=false"}).net.value);
    for (const Words& options : {Words{"--net"}, Words{"--net", "--network", "bridge"}, Words{"--network=a,b"}}) {
        Words argv = {"swrun", "exec"};
        argv.insert(argv.end(), options.begin(), options.end());
        argv.insert(argv.end(), {"img", "true"});
        const Error error = Reading().error(argv);
        EXPECT_NE(error.message.find("requires root"), std::string::npos);
        EXPECT_NE(error.hint.find("--network none"), std::string::npos);
    }
}

TEST(Precedence, RootInsideGetsNoNetworkInsteadOfAnError) {
    for (const Words& options : {Words{"--net"}, Words{"--net", "--network", "fakeroot"}, Words{"--network=bridge"},
                                 Words{"-n", "--network=a,b"}}) {
        Words argv = {"swrun", "exec", "--fakeroot"};
        argv.insert(argv.end(), options.begin(), options.end());
        argv.insert(argv.end(), {"img", "true"});
        const Invocation read = Reading().invocation(argv);
        EXPECT_TRUE(read.launch.net.value);
        EXPECT_EQ(read.launch.network.value, "none");
        ASSERT_EQ(read.notes.size(), 1U);
        EXPECT_EQ(read.notes[0].level, Level::warning);
        EXPECT_NE(read.notes[0].text.find("fallback to 'none' network"), std::string::npos);
    }
    EXPECT_TRUE(
        Reading().invocation({"swrun", "exec", "-f", "--net", "--network", "none", "img", "true"}).notes.empty());
    EXPECT_TRUE(Reading().invocation({"swrun", "exec", "-f", "--net=false", "img", "true"}).notes.empty());
}

TEST(Precedence, AnOptionWithoutEffectThatIsMissedSaysSo) {
    const Invocation read = Reading().invocation({"swrun", "run", "--runscript-timeout", "1s", "img"});
    ASSERT_EQ(read.notes.size(), 1U);
    EXPECT_NE(read.notes[0].text.find("--runscript-timeout has no effect"), std::string::npos);
}

TEST(Precedence, Gpu) {
    EXPECT_TRUE(launch({"--nv"}).nv.value);
    EXPECT_TRUE(launch({"--nv", "--no-nv"}).nv.value);
    EXPECT_FALSE(launch({"--no-nv"}, {{"APPTAINER_NV", "1"}}).nv.value);
    EXPECT_TRUE(launch({"--rocm"}).rocm.value);
    EXPECT_FALSE(launch({"--no-rocm"}, {{"APPTAINER_ROCM", "1"}}).rocm.value);
}

TEST(Precedence, Overlays) {
    const LaunchRequest layers = launch({"-o", "/a:ro,/b", "--overlay=/c:rw", "-o", "\"/d,e\""});
    ASSERT_EQ(layers.overlays.size(), 4U);
    const Origin origin{Origin::Kind::argument, "--overlay"};
    EXPECT_EQ(layers.overlays[0], (OverlaySpec{"/a", true, origin}));
    EXPECT_EQ(layers.overlays[1], (OverlaySpec{"/b", false, origin}));
    EXPECT_EQ(layers.overlays[2], (OverlaySpec{"/c", false, origin}));
    EXPECT_EQ(layers.overlays[3], (OverlaySpec{"/d,e", false, origin}));
}

TEST(Precedence, EveryFieldIsFilled) {
    const LaunchRequest r = launch({"--no-home",  "--writable", "--writable-tmpfs",
                                    "--no-umask", "--no-init",  "--uts",
                                    "--no-privs", "-H",         "/h",
                                    "-W",         "/w",         "--dns",
                                    "1.1.1.1",    "--app",      "a",
                                    "--no-mount", "sys,home",   "--no-env",
                                    "A,B",        "--env-file", "f",
                                    "-S",         "/s"});
    EXPECT_TRUE(r.no_home.value && r.writable.value && r.writable_tmpfs.value && r.no_umask.value && r.no_init.value);
    EXPECT_TRUE(r.uts.value && r.no_privs.value);
    EXPECT_EQ(r.home.value, "/h");
    EXPECT_EQ(r.workdir.value, "/w");
    EXPECT_EQ(r.dns.value, "1.1.1.1");
    EXPECT_EQ(r.app.value, "a");
    EXPECT_EQ(values(r.no_mount), (Words{"sys", "home"}));
    EXPECT_EQ(values(r.no_env), (Words{"A", "B"}));
    EXPECT_EQ(values(r.env_files), (Words{"f"}));
    EXPECT_EQ(values(r.scratch), (Words{"/s"}));
    EXPECT_EQ(r.home.origin, (Origin{Origin::Kind::argument, "--home"}));
}

TEST(Precedence, UnderlayAndCompat32Warn) {
    const Invocation one = Reading().invocation(
        {"apptainer", "exec", "--underlay", "--compat32", "--unsquash", "i", "x"});
    ASSERT_EQ(one.notes.size(), 2U);
    EXPECT_EQ(one.notes[0].text, "Flag --underlay has been deprecated, default overlay is preferred");
}

}  // namespace
}  // namespace swrun
