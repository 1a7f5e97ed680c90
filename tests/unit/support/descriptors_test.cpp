// The limit of open files: lifted for a while, and given back.
#include "support/descriptors.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "support/fd.h"
#include "support/io.h"
#include "support/process.h"

namespace swrun {
namespace {

constexpr rlim_t kSoft = 64;

int open_null() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

// Each test is a child process with a limit of its own, which ends with 0 when all was as it should.
class DescriptorLimit : public testing::Test {
protected:
    static void expect_in_child(rlim_t soft, rlim_t hard, int (*body)()) {
        const pid_t pid = ::fork();
        if (pid == 0) {
            const rlimit limit{soft, hard};
            ::_exit(::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? body() : 100);
        }
        Child child(pid);
        const Result<int> status = child.wait();
        ASSERT_TRUE(status);
        EXPECT_TRUE(WIFEXITED(*status));
        EXPECT_EQ(WEXITSTATUS(*status), 0);
    }
    static rlim_t hard() {
        rlimit limit{};
        ::getrlimit(RLIMIT_NOFILE, &limit);
        return limit.rlim_max;
    }
    // Until none is left.
    static std::vector<Fd> take_all() {
        std::vector<Fd> taken;
        for (;;) {
            Fd one(open_null());
            if (!one) return taken;
            taken.push_back(std::move(one));
        }
    }
};

TEST_F(DescriptorLimit, IsLiftedOnceAndGivenBack) {
    expect_in_child(kSoft, hard(), [] {
        if (descriptor_limit() != kSoft) return 1;
        restore_descriptor_limit();  // nothing to give back yet
        if (descriptor_limit() != kSoft) return 2;
        if (!raise_descriptor_limit() || descriptor_limit() <= kSoft) return 3;
        if (raise_descriptor_limit()) return 4;
        restore_descriptor_limit();
        return descriptor_limit() == kSoft ? 0 : 5;
    });
}

TEST_F(DescriptorLimit, ACallThatFindsNoneLeftIsRepeated) {
    expect_in_child(kSoft, hard(), [] {
        const std::vector<Fd> taken = take_all();
        const Fd more(with_room(open_null));
        if (!more || more.get() < static_cast<int>(kSoft)) return 1;
        restore_descriptor_limit();
        // What is open stays open.
        return ::fcntl(more.get(), F_GETFD) >= 0 ? 0 : 2;
    });
}

TEST_F(DescriptorLimit, AtTheHardLimitTheErrorStays) {
    expect_in_child(kSoft, kSoft, [] {
        const std::vector<Fd> taken = take_all();
        if (with_room(open_null) >= 0 || errno != EMFILE) return 1;
        const Result<Fd> refused = open_file("/dev/null", O_RDONLY, Error::Kind::host);
        return !refused && refused.error().hint.find("ulimit -n") != std::string::npos ? 0 : 2;
    });
}

TEST_F(DescriptorLimit, OtherErrorsAreNotRepeated) {
    expect_in_child(kSoft, hard(), [] {
        const int made = with_room([] { return ::open("/no/such", O_RDONLY); });
        return made < 0 && errno == ENOENT && descriptor_limit() == kSoft ? 0 : 1;
    });
}

TEST_F(DescriptorLimit, AChildGivesBackWhatItsParentKeeps) {
    expect_in_child(kSoft, hard(), [] {
        raise_descriptor_limit();
        const pid_t pid = ::fork();
        if (pid == 0) {
            restore_descriptor_limit();
            ::_exit(descriptor_limit() == kSoft ? 0 : 1);
        }
        Child child(pid);
        const Result<int> status = child.wait();
        return status && *status == 0 && descriptor_limit() > kSoft ? 0 : 1;
    });
}

TEST_F(DescriptorLimit, StreamsGoToNullWithNoneLeft) {
    expect_in_child(kSoft, kSoft, [] {
        const std::vector<Fd> taken = take_all();
        drop_streams();
        char byte = 0;
        return ::read(STDIN_FILENO, &byte, 1) == 0 && ::write(STDERR_FILENO, "x", 1) == 1 &&
                       ::isatty(STDOUT_FILENO) == 0 && ::lseek(STDOUT_FILENO, 0, SEEK_CUR) == 0
                   ? 0
                   : 1;
    });
}

}  // namespace
}  // namespace swrun
