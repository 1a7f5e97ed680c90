#include "support/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "support/io.h"

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

TEST(ChildProcess, ABodyThatComesBackEndsInAFailure) {
    Result<Child> child = start_child("the child", [] {});
    ASSERT_TRUE(child);
    EXPECT_EQ(ended_how(child->wait().value()), "with status 255");
    Result<Child> killed = start_child("the child", [] { ::raise(SIGKILL); });
    ASSERT_TRUE(killed);
    EXPECT_EQ(ended_how(killed->wait().value()), "by signal 9");
}

TEST(MakePipe, IsClosedOnExec) {
    const Result<Pipe> pipe = make_pipe(O_NONBLOCK);
    ASSERT_TRUE(pipe);
    for (const int fd : {pipe->reader.get(), pipe->writer.get()}) {
        EXPECT_EQ(::fcntl(fd, F_GETFD), FD_CLOEXEC);
        EXPECT_NE(::fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    }
}

// A grandchild that is tied to a parent which ends, before or after it is.  End of file of `watched` is its end.
Fd start_tied(bool parent_ends_first) {
    Result<Pipe> watched = make_pipe();
    Result<Pipe> ended = make_pipe();
    Result<Pipe> bound = make_pipe();
    if (!watched || !ended || !bound) return Fd();
    Result<Child> parent = start_child("the parent", [&] {
        Result<Tether> tether = Tether::make();
        const pid_t child = fork_process("the child").value_or(-1);
        char byte = 0;
        if (child == 0) {
            ended->writer.reset();
            if (parent_ends_first) [[maybe_unused]]
                const ssize_t got = ::read(ended->reader.get(), &byte, 1);
            tether->bind();
            bound->writer.reset();
            for (;;) ::pause();
        }
        bound->writer.reset();
        if (!parent_ends_first) [[maybe_unused]]
            const ssize_t got = ::read(bound->reader.get(), &byte, 1);
        ::_exit(0);
    });
    for (Pipe* pipe : {&*watched, &*ended, &*bound}) pipe->writer.reset();  // only theirs count
    if (!parent) return Fd();
    return std::move(watched->reader);
}

TEST(Tether, LetsNoChildOutliveItsParent) {
    for (const bool parent_ends_first : {false, true}) {
        ::alarm(60);  // a regression would wait for ever
        const Fd watched = start_tied(parent_ends_first);
        char byte = 0;
        EXPECT_EQ(::read(watched.get(), &byte, 1), 0);
        ::alarm(0);
    }
}

TEST(PointersTo, EndsWithNone) {
    const std::vector<std::string> words = {"a", "", "b c"};
    const std::vector<char*> raw = pointers_to(words);
    ASSERT_EQ(raw.size(), 4U);
    EXPECT_STREQ(raw[1], "");
    EXPECT_EQ(raw[2], words[2].data());
    EXPECT_EQ(raw[3], nullptr);
    EXPECT_EQ(pointers_to({}).size(), 1U);
}

TEST(DropStreams, LeavesNothingOfTheCaller) {
    Result<Child> child = start_child("the child", [] {
        drop_streams();
        struct stat null {};
        ::stat("/dev/null", &null);
        for (int fd = 0; fd <= 2; ++fd) {
            struct stat status {};
            if (::fstat(fd, &status) != 0 || status.st_rdev != null.st_rdev) ::_exit(1);
        }
        ::_exit(0);
    });
    ASSERT_TRUE(child);
    EXPECT_EQ(child->wait().value(), 0);
}

// What /proc shows of a child that has taken the title, and what it has left of its variables.
std::string shown_with(const std::string& title) {
    Result<Pipe> pipe = make_pipe();
    if (!pipe) return "no pipe";
    Result<Child> child = start_child("the child", [&] {
        const char* path = std::getenv("PATH");
        const std::string before = path == nullptr ? "" : path;
        std::string text = set_process_title(title) ? "" : "refused:";
        const char* after = std::getenv("PATH");
        if (before != (after == nullptr ? "" : after)) text += "variables lost:";
        text += read_file("/proc/self/cmdline", 1U << 20U).value_or("unreadable");
        text.resize(std::min(text.size(), text.find('\0')));
        ::_exit(write_all(pipe->writer.get(), text, "pipe") ? 0 : 1);
    });
    pipe->writer.reset();
    return read_all(pipe->reader.get(), "pipe", 1U << 20U).value_or("unreadable");
}

TEST(ProcessTitle, IsShownAndKeepsTheVariables) {
    EXPECT_EQ(shown_with("Some title: user [name]"), "Some title: user [name]");
    EXPECT_EQ(shown_with("x"), "x");
    const std::string beyond_the_arguments(300, 'y');
    EXPECT_EQ(shown_with(beyond_the_arguments), beyond_the_arguments);
    EXPECT_TRUE(shown_with(std::string(1U << 20U, 'z')).starts_with("refused:"));
}

TEST(CaptureOutput, WaitsNoLongerThanItsPatience) {
    const auto patience = std::chrono::milliseconds(200);
    const Result<std::string> late = capture_output({"/bin/sh", "-c", "echo begun; exec sleep 60"}, 100, patience);
    ASSERT_FALSE(late);
    EXPECT_NE(late.error().message.find("gave no answer within 200 ms"), std::string::npos);
    const auto long_enough = std::chrono::minutes(5);
    EXPECT_EQ(capture_output({"/bin/sh", "-c", "echo a; sleep 0.1; echo b"}, 100, long_enough).value(), "a\nb\n");
    EXPECT_EQ(capture_output({"/bin/cat", "/dev/zero"}, 9000, long_enough).error().sys_errno, EFBIG);
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
