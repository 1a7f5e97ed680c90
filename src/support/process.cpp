#include "support/process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "support/fd.h"
#include "support/io.h"

extern char** environ;

namespace swrun {

Child::~Child() {
    if (pid_ > 0) (void)wait();
}

Result<int> Child::wait() {
    int status = 0;
    for (;;) {
        const pid_t got = ::waitpid(pid_, &status, 0);
        if (got == pid_) {
            pid_ = -1;
            return status;
        }
        const int err = errno;
        if (err != EINTR) {
            pid_ = -1;
            return sys_error(Error::Kind::internal, "waitpid", "", err);
        }
    }
}

Result<std::string> capture_output(const std::vector<std::string>& argv, std::size_t limit) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return sys_error(Error::Kind::host, "pipe2", "", errno);
    Fd reader(ends[0]);
    Fd writer(ends[1]);
    std::vector<char*> raw;
    for (const std::string& arg : argv) raw.push_back(const_cast<char*>(arg.c_str()));
    raw.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, writer.get(), STDOUT_FILENO);
    pid_t pid = -1;
    const int err = ::posix_spawn(&pid, raw[0], &actions, nullptr, raw.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (err != 0) return sys_error(Error::Kind::host, "posix_spawn", argv[0], err);
    Child child(pid);
    writer.reset();
    Result<std::string> output = read_all(reader.get(), argv[0], limit);
    reader.reset();  // a child with more to say than the limit meets a closed pipe and ends: wait() depends on it
    SWRUN_TRY(const int status, child.wait());
    if (!output) return output;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return make_error(Error::Kind::host, argv[0] + " failed");
    return output;
}

}  // namespace swrun
