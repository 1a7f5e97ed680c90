#include "runtime/exec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "support/image_fixture.h"
#include "support/log.h"

namespace swrun {
namespace {

using testing::HasSubstr;

class ExecTest : public testing::Test {
protected:
    void SetUp() override {
        before_ = std::filesystem::current_path().string();
        for (const char* name : {"one/tool", "two/tool", "two/other"}) make_program(name, "#!/bin/sh\nexit 7\n");
        write_file(dir_ / "one/plain", "");
        std::filesystem::create_directories(dir_ / "one/other");
        std::filesystem::current_path(dir_.path());
    }
    void TearDown() override { std::filesystem::current_path(before_); }

    void make_program(const std::string& name, const std::string& script) {
        write_file(dir_ / name, script);
        ASSERT_EQ(::chmod((dir_ / name).c_str(), 0755), 0);
    }
    std::string path() const { return (dir_ / "one") + ":" + (dir_ / "two"); }

    // The exit status of a child that tries to become the program.
    static int run(const ProgramPlan& program, const std::vector<Variable>& environment) {
        const pid_t child = ::fork();
        if (child == 0) {
            set_log_level(Level::fatal);
            const Error error = execute(program, environment);
            ::_exit(error.kind == Error::Kind::status ? error.exit_status : 200);
        }
        int status = 0;
        EXPECT_EQ(::waitpid(child, &status, 0), child);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

    TempDir dir_;
    std::string before_;
};

TEST_F(ExecTest, FindsTheFirstOfThePath) {
    EXPECT_EQ(find_program("tool", path()).value(), dir_ / "one/tool");
    EXPECT_EQ(find_program("tool", "/absent:" + path()).value(), dir_ / "one/tool");
    EXPECT_EQ(find_program("other", path()).value(), dir_ / "two/other") << "a directory is no program";
}

TEST_F(ExecTest, IsNotLookedForWhereItIsKnownToBeAbsent) {
    const std::vector<std::string> absent = {dir_ / "one/tool"};
    EXPECT_EQ(find_program("tool", path(), absent).value(), dir_ / "two/tool");
}

TEST_F(ExecTest, AnEmptyElementIsTheWorkingDirectory) {
    std::filesystem::current_path(dir_ / "two");
    for (const char* list : {"", ":/absent", "/absent:", "/absent::/absent"}) {
        const Result<std::string> found = find_program("other", list);
        ASSERT_TRUE(found) << list;
        EXPECT_EQ(*found, "./other") << list;
    }
    EXPECT_FALSE(find_program("other", "/absent"));
}

TEST_F(ExecTest, NamesThatAreNowhere) {
    for (const char* name : {"absent", "plain", ""}) {
        const Result<std::string> found = find_program(name, path());
        ASSERT_FALSE(found) << name;
        EXPECT_EQ(found.error().kind, Error::Kind::program);
        EXPECT_EQ(found.error().message, std::string("\"") + name + "\": executable file not found in $PATH");
    }
    EXPECT_THAT(find_program("a\033[31m", path()).error().message, HasSubstr("a\\x1b[31m"))
        << "no painting on terminals";
}

TEST_F(ExecTest, APathIsTakenAsItIs) {
    EXPECT_EQ(find_program("one/tool", "/absent").value(), "one/tool");
    EXPECT_EQ(find_program(dir_ / "one/tool", "").value(), dir_ / "one/tool");
    EXPECT_EQ(find_program("./one/absent", path()).error().message,
              "stat " + (dir_ / "one/absent") + ": no such file or directory");
    EXPECT_EQ(find_program("one/other", path()).error().message, "one/other: is a directory");
    EXPECT_EQ(find_program("one/plain", path()).error().message, "one/plain: permission denied");
    EXPECT_EQ(find_program("one/plain/x", path()).error().sys_errno, ENOTDIR);
}

TEST_F(ExecTest, EntersTheFirstDirectoryThatExists) {
    testing::internal::CaptureStderr();
    EXPECT_EQ(enter_directory({{dir_ / "one", false}, {"/", false}}).value(), dir_ / "one");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    EXPECT_EQ(std::filesystem::current_path(), dir_ / "one");
    testing::internal::CaptureStderr();
    EXPECT_EQ(enter_directory({{"/absent/a", false}, {"/absent/b", false}, {"/", false}}).value(), "/");
    EXPECT_THAT(testing::internal::GetCapturedStderr(),
                HasSubstr("Error changing the container working directory. Using '/' instead: chdir /absent/a: "
                          "no such file or directory"));
}

TEST_F(ExecTest, TheDirectoryIsThePhysicalOne) {
    std::filesystem::create_directory_symlink(dir_ / "one", dir_ / "alias");
    EXPECT_EQ(enter_directory({{dir_ / "alias", false}}).value(), dir_ / "one");
}

TEST_F(ExecTest, ARequiredDirectoryMustBeThere) {
    const Result<std::string> entered = enter_directory({{"/absent", true}, {"/", false}});
    ASSERT_FALSE(entered);
    EXPECT_EQ(entered.error().kind, Error::Kind::request);
    EXPECT_EQ(entered.error().sys_errno, ENOENT);
    EXPECT_THAT(entered.error().message, HasSubstr("failed to set working directory: chdir /absent"));
    EXPECT_FALSE(enter_directory({}));
}

TEST_F(ExecTest, TheFirstCandidateThatFitsIsRun) {
    make_program("shell", "#!/bin/sh\n[ \"$SHELL\" = custom ] && [ \"$1\" = 'a b' ] && exit 5\n");
    ProgramPlan program;
    program.candidates.resize(3);
    program.candidates[0] = {Candidate::Test::try_lookup, "absent", {"absent"}, {}, "", Level::info};
    program.candidates[1] = {Candidate::Test::executable, dir_ / "one/plain", {"plain"}, {}, "", Level::info};
    program.candidates[2] = {
        Candidate::Test::executable, dir_ / "shell", {"shell", "a b"}, {{"SHELL", "custom"}}, "", Level::info};
    EXPECT_EQ(run(program, {{"PATH", path(), ""}, {"SHELL", "/bin/x", ""}}), 5);
    EXPECT_EQ(run(program, {}), 5) << "a variable that was not there";
    program.candidates.pop_back();
    program.none_status = 9;
    EXPECT_EQ(run(program, {}), 9);
}

TEST_F(ExecTest, TheNameOfTheProgramIsTheWordOrThePath) {
    std::filesystem::create_symlink("/bin/sh", dir_ / "two/sh-link");
    Candidate candidate;
    candidate.argv = {"sh-link", "-c", "case $0 in /*) exit 21 ;; *) exit 22 ;; esac"};
    ProgramPlan program;
    program.candidates = {candidate};
    EXPECT_EQ(run(program, {{"PATH", path(), ""}}), 22);
    program.candidates[0].absolute_argv0 = true;
    EXPECT_EQ(run(program, {{"PATH", path(), ""}}), 21);
    EXPECT_EQ(run(program, {{"PATH", "two", ""}}), 21) << "also from a relative element";
}

TEST_F(ExecTest, AFileWithoutAFirstLineIsAScript) {
    make_program("two/bare", "exit $(($# + 20))\n");
    ProgramPlan program;
    program.candidates.push_back({Candidate::Test::lookup, "", {"bare", "1", "2"}, {}, "", Level::info});
    EXPECT_EQ(run(program, {{"PATH", path(), ""}}), 22);
}

TEST_F(ExecTest, WhatTheKernelRefusesIsTold) {
    make_program("two/lost", "#!/absent/interpreter\n");
    ProgramPlan program;
    program.candidates.push_back({Candidate::Test::lookup, "", {"lost"}, {}, "", Level::info});
    const Error error = execute(program, {{"PATH", path(), ""}});
    EXPECT_EQ(error.kind, Error::Kind::program);
    EXPECT_THAT(error.message, HasSubstr("two/lost failed: a shared library is likely missing in the image"));
    EXPECT_THAT(error.hint, HasSubstr("interpreter"));
}

}  // namespace
}  // namespace swrun
