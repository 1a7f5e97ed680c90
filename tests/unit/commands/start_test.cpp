// How a process of swrun comes to its main(): what a static program does there can only be seen from outside.
#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>

namespace swrun {
namespace {

constexpr long kCpuid = 0xa20f;  // as they lie in memory
constexpr long kSyscall = 0x050f;

// CPUID instructions before the first system call, by which the C library knows the processor; -1: nobody may look
// (ptrace(2) is forbidden here).
[[maybe_unused]] int count_cpuid(const char* program) {
    constexpr int kMaxSteps = 200'000;
    const pid_t child = ::fork();
    if (child == 0) {
        if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0) ::execl(program, program, "--version", nullptr);
        ::_exit(1);
    }
    int status = 0;
    int found = 0;
    bool ended = false;
    // The first stop is that of execve(2).
    for (int step = 0; step < kMaxSteps && ::waitpid(child, &status, 0) == child; ++step) {
        if (!WIFSTOPPED(status)) return -1;
        const long at = ::ptrace(PTRACE_PEEKUSER, child, offsetof(struct user_regs_struct, rip), nullptr);
        const long code = ::ptrace(PTRACE_PEEKTEXT, child, at, nullptr) & 0xffff;
        ended = code == kSyscall;
        if (ended || ::ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) != 0) break;
        if (code == kCpuid) ++found;
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    return ended ? found : -1;
}

TEST(Start, AsksTheProcessorForLittle) {
#ifndef SWRUN_LEAN_START
    GTEST_SKIP() << "only a static program for x86-64 is changed";
#else
    const int found = count_cpuid(SWRUN_PROGRAM);
    if (found < 0) GTEST_SKIP() << "this host forbids ptrace";
    RecordProperty("cpuid", found);
    EXPECT_GT(found, 5) << "or this test sees nothing";
    EXPECT_LE(found, 40) << "each takes up to 20 us in a virtual machine";
#endif
}

}  // namespace
}  // namespace swrun
