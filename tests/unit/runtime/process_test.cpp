#include "support/process.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace swrun {
namespace {

pid_t fork_exit(int status) {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(status);
    return pid;
}

bool is_reaped(pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) == -1 && errno == ECHILD; }

TEST(ChildProcess, GivesItsStatusOnce) {
    const pid_t pid = fork_exit(3);
    Child child(pid);
    EXPECT_EQ(child.pid(), pid);
    const Result<int> status = child.wait();
    ASSERT_TRUE(status);
    EXPECT_EQ(WEXITSTATUS(*status), 3);
    EXPECT_TRUE(is_reaped(pid));
    EXPECT_EQ(child.pid(), -1);
}

TEST(ChildProcess, TheHandleReaps) {
    const pid_t pid = fork_exit(0);
    { const Child child(pid); }
    EXPECT_TRUE(is_reaped(pid));
}

TEST(ChildProcess, MovedOrReleasedItIsSomebodyElses) {
    const pid_t pid = fork_exit(0);
    {
        Child first(pid);
        Child second(std::move(first));
        EXPECT_EQ(first.pid(), -1);  // NOLINT(bugprone-use-after-move): that it is empty is the point
        EXPECT_EQ(second.release(), pid);
    }
    EXPECT_FALSE(is_reaped(pid));
    ::waitpid(pid, nullptr, 0);
}

TEST(CaptureOutput, IsTheStandardOutputAlone) {
    EXPECT_EQ(capture_output({"/bin/sh", "-c", "exec 2>/dev/null; echo out; echo lost >&2; cat"}, 100).value(), "out\n")
        << "standard input is empty";
    EXPECT_EQ(capture_output({"/bin/echo", "a b", "$HOME"}, 100).value(), "a b $HOME\n") << "no shell in between";
}

TEST(CaptureOutput, FailuresAreErrors) {
    const Result<std::string> absent = capture_output({"/absent/tool"}, 100);
    ASSERT_FALSE(absent);
    EXPECT_EQ(absent.error().sys_errno, ENOENT);
    EXPECT_FALSE(capture_output({"/bin/sh", "-c", "echo text; exit 1"}, 100));
    EXPECT_FALSE(capture_output({"/bin/sh", "-c", "kill -9 $$"}, 100));
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "no child is left";
}

TEST(CaptureOutput, AChildThatNeverStopsTalkingIsCutOff) {
    ::alarm(60);  // a regression would wait for ever
    const Result<std::string> output = capture_output({"/bin/cat", "/dev/zero"}, 1000);
    ::alarm(0);
    ASSERT_FALSE(output);
    EXPECT_EQ(output.error().sys_errno, EFBIG);
}

}  // namespace
}  // namespace swrun
