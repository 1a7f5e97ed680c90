#include "fuse/watcher.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <ctime>
#include <string_view>

#include "support/io.h"
#include "support/proc_text.h"
#include "support/process.h"
#include "support/text.h"

namespace swrun {
namespace {

constexpr std::size_t kMaxText = 64U << 10U;

// Of our control group, version 2; empty without one.
std::string memory_events() {
    const std::string group = unified_group(read_file("/proc/self/cgroup", kMaxText).value_or(std::string()));
    return group.empty() ? "" : kGroupMount + group + "/memory.events";
}

// How many processes the kernel has killed there for want of memory: the number behind "oom_kill " (cgroups(7)).
// Between fork and exec of a process with threads: system calls only.
unsigned long killed_for_memory(const char* file) {
    std::array<char, 512> text{};
    const int fd = ::open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    const ssize_t size = ::read(fd, text.data(), text.size());
    ::close(fd);
    constexpr std::string_view kName = "oom_kill ";
    const std::string_view all(text.data(), size < 0 ? 0 : static_cast<std::size_t>(size));
    const std::size_t at = all.find(kName);
    unsigned long count = 0;
    for (std::size_t i = at == all.npos ? all.size() : at + kName.size();
         i < all.size() && all[i] >= '0' && all[i] <= '9'; ++i) {
        count = count * 10 + static_cast<unsigned long>(all[i] - '0');
    }
    return count;
}

struct Words {
    const MessagePlace& place;
    std::string killed;
    std::string starved;
    std::string events;
};

// Its only descriptors; 0 to 2 are on /dev/null, as the server's.
constexpr int kFile = 3;
constexpr int kDismissal = 4;

[[noreturn]] void watch(int dismissal, const Words& words, unsigned long before) {
    // All others go, the server's device above all: with a copy of it open its mount would not fail but hang.
    if (words.place.file) {
        ::dup2(words.place.file.get(), kFile);
    } else {
        ::close(kFile);
    }
    ::dup2(dismissal, kDismissal);
    ::syscall(SYS_close_range, kDismissal + 1U, ~0U, 0U);
    ::prctl(PR_SET_NAME, "swrun-watch", 0, 0, 0);
    char byte = 0;
    ssize_t got = 0;
    do {
        got = ::read(kDismissal, &byte, 1);
    } while (got < 0);
    if (got == 1) ::_exit(0);
    // Who kills a whole job kills this process, too, a moment later.
    const timespec moment{0, 500'000'000};
    ::nanosleep(&moment, nullptr);
    const bool starved = !words.events.empty() && killed_for_memory(words.events.c_str()) > before;
    const std::string& text = starved ? words.starved : words.killed;
    int place = kFile;
    if (!words.place.file) place = ::open(words.place.terminal.c_str(), O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (place >= 0) [[maybe_unused]]
        const ssize_t written = ::write(place, text.data(), text.size());
    ::_exit(0);
}

}  // namespace

MessagePlace MessagePlace::of_this_process() {
    MessagePlace place;
    struct stat status {};
    if (::fstat(STDERR_FILENO, &status) != 0) return place;
    if (S_ISREG(status.st_mode)) {
        place.file = Fd(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
    } else if (::isatty(STDERR_FILENO) == 1) {
        std::array<char, PATH_MAX> path{};
        if (::ttyname_r(STDERR_FILENO, path.data(), path.size()) == 0) place.terminal = path.data();
    }
    return place;
}

Watcher Watcher::start(const MessagePlace& place, const std::string& image) {
    Watcher watcher;
    // Without close_range(2), before Linux 5.9, it could not let go of the device.
    if (!place.is_any() || ::syscall(SYS_close_range, ~0U, ~0U, 0U) != 0) return watcher;
    Result<Pipe> dismissal = make_pipe();
    if (!dismissal) return watcher;
    // Above the numbers that the watcher gives its own.
    const Fd watched(::fcntl(dismissal->reader.get(), F_DUPFD_CLOEXEC, kDismissal + 1));
    if (!watched) return watcher;
    const std::string what = "swrun: error: the image server of " + printable(image) + " has been killed";
    const Words words{
        place, what + ": files of the image cannot be read any more\n",
        what + " for want of memory (memory.max of its control group): files of the image cannot be read any more\n",
        memory_events()};
    const unsigned long before = words.events.empty() ? 0 : killed_for_memory(words.events.c_str());
    Result<Child> child = start_child("the watcher", [&] { watch(watched.get(), words, before); });
    if (!child) return watcher;
    (void)child->release();  // it outlives this process
    watcher.dismissal_ = std::move(dismissal->writer);
    return watcher;
}

Watcher::~Watcher() {
    if (!dismissal_) return;
    [[maybe_unused]] const ssize_t written = ::write(dismissal_.get(), "", 1);
}

}  // namespace swrun
