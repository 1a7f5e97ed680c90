// The life of the server process.  This process adopts it (PR_SET_CHILD_SUBREAPER, prctl(2)), to see what
// nobody sees in a launch: how it ends.  Serving a real mount is for the integration tests.
#include "fuse/server.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <csignal>

#include "fuse/link.h"
#include "support/image_fixture.h"

namespace swrun {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class Server : public testing::Test {
protected:
    void SetUp() override {
        SWRUN_NEED_TOOL("mksquashfs");
        make_small_tree(dir_ / "root");
        ASSERT_TRUE(make_squashfs(dir_ / "root", dir_ / "image"));
        const std::string bytes = slurp(dir_ / "image");
        auto source = SquashSource::open(memory_file(bytes), 0, bytes.size());
        ASSERT_TRUE(source);
        auto cache = std::make_shared<BlockCache>(8U << 20U);
        auto reader = SquashReader::open(*source, cache);
        ASSERT_TRUE(reader);
        image_.squashfs.reset(new SquashImage{*source, cache, std::move(reader).value()});
        log_ = dir_ / "log";
        ::setenv("SWRUN_SERVER_LOG", log_.c_str(), 1);
        ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
        start("/dev/null");
    }
    // A server whose launcher's standard error that is: a file it keeps, for its last line (fuse/watcher).
    void start(const std::string& standard_error) {
        const Fd mine(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
        const Fd given(::open(standard_error.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
        ASSERT_TRUE(given);
        ASSERT_EQ(::dup2(given.get(), STDERR_FILENO), STDERR_FILENO);
        Doors none;
        Result<ImageServer> server = start_image_server(image_, {}, none);
        ASSERT_EQ(::dup2(mine.get(), STDERR_FILENO), STDERR_FILENO);
        ASSERT_TRUE(server) << format_error(server.error());
        link_ = std::move(server->link);
        pid_ = adopted_child();
    }
    void stop() {
        link_.reset();
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }
    void TearDown() override {
        ::unsetenv("SWRUN_SERVER_LOG");
        stop();
    }

    // The only child that this process has: start_image_server has reaped the one in between.
    static pid_t adopted_child() {
        for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
            const auto pid = parse_decimal(entry.path().filename().string());
            if (!pid) continue;
            const std::string stat = slurp(entry.path() / "stat");
            const std::size_t name_end = stat.rfind(") ");
            if (name_end == std::string::npos) continue;
            const auto fields = split(std::string_view(stat).substr(name_end + 2), ' ');
            if (fields.size() > 1 && fields[1] == std::to_string(::getpid())) return static_cast<pid_t>(*pid);
        }
        return -1;
    }
    std::string proc(const std::string& name) const { return "/proc/" + std::to_string(pid_) + "/" + name; }
    int status_of_end() {
        int status = -1;
        EXPECT_EQ(::waitpid(pid_, &status, 0), pid_);
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + status;
    }
    // It names itself first and drops what it inherited then.
    std::vector<std::string> descriptors(std::size_t wanted = 5) const {
        std::vector<std::string> names;
        for (int i = 0; i < 6000; ++i) {  // a minute: it ends as soon as they are right
            names.clear();
            for (const auto& entry : std::filesystem::directory_iterator(proc("fd"))) {
                std::error_code closed_meanwhile;
                names.push_back(std::filesystem::read_symlink(entry.path(), closed_meanwhile).string());
            }
            if (names.size() == wanted) break;
            ::usleep(10000);
        }
        return names;
    }

    TempDir dir_;
    Fd of_the_caller_{::open("/dev/zero", O_RDONLY | O_CLOEXEC)};  // the server shall not keep it
    std::string log_;
    OpenedImage image_;
    Fd link_;
    pid_t pid_ = -1;
};

TEST_F(Server, EndsWellWhenTheLauncherGoesWithoutADevice) {
    ASSERT_GT(pid_, 0);
    link_.reset();
    EXPECT_EQ(status_of_end(), 0);
    EXPECT_FALSE(std::filesystem::exists(log_));
}

TEST_F(Server, KeepsNothingOfTheCallersButTheImageAndTheLink) {
    ASSERT_GT(pid_, 0);
    const std::vector<std::string> names = descriptors();
    EXPECT_THAT(names, SizeIs(5));
    EXPECT_THAT(names, testing::Contains("/dev/null").Times(3));
    EXPECT_THAT(names, testing::Contains(HasSubstr("memfd:image")));
    EXPECT_EQ(std::filesystem::read_symlink(proc("cwd")), "/");
    EXPECT_EQ(slurp(proc("comm")), "swrun-image\n");
    EXPECT_NE(::getsid(pid_), ::getsid(0)) << "a session of its own";
}

TEST_F(Server, KeepsTheFileThatIsStandardError) {
    stop();
    const std::string file = dir_ / "standard error";
    start(file);
    ASSERT_GT(pid_, 0);
    const std::vector<std::string> names = descriptors(6);
    EXPECT_THAT(names, SizeIs(6));
    EXPECT_THAT(names, testing::Contains("/dev/null").Times(3)) << "but does not write to it like a program";
    EXPECT_THAT(names, testing::Contains(file).Times(1));
}

TEST_F(Server, SignalsToTheJobDoNotStopIt) {
    ASSERT_GT(pid_, 0);
    ASSERT_THAT(descriptors(), SizeIs(5)) << "it is ready";
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGTSTP}) ASSERT_EQ(::kill(pid_, number), 0);
    // A signal is delivered before the process sees the end of the link, so no time has to pass in between.
    link_.reset();
    EXPECT_EQ(status_of_end(), 0);
}

TEST_F(Server, AMessageThatIsNoneIsItsEnd) {
    ASSERT_GT(pid_, 0);
    ASSERT_TRUE(write_all(link_.get(), "nonsense", "link"));
    link_.reset();
    EXPECT_EQ(status_of_end(), 1);
    EXPECT_THAT(slurp(log_), HasSubstr("swrun image server: the launcher sent a truncated message"));
}

TEST_F(Server, EndsWhenTheDeviceHasNothingMoreToSay) {
    ASSERT_GT(pid_, 0);
    const Fd device(::open("/dev/null", O_RDWR | O_CLOEXEC));
    ASSERT_TRUE(send_device(link_.get(), device.get(), {}, "/", {{Ghost::Kind::directory, "/new", "", 0755}}));
    EXPECT_EQ(status_of_end(), 0);
}

}  // namespace
}  // namespace swrun
