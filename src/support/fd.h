// Fd: sole owner of one file descriptor.  Also used for detached mounts (open_tree, fsmount), which
// dissolve when their descriptor is closed.  Everything swrun opens is close-on-exec from birth.
#pragma once

#include <unistd.h>

#include <utility>

namespace swrun {

class [[nodiscard]] Fd {
public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(other.release()) {}
    Fd& operator=(Fd&& other) noexcept {
        if (this != &other) reset(other.release());
        return *this;
    }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() { reset(); }

    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] bool valid() const { return fd_ >= 0; }
    explicit operator bool() const { return valid(); }
    [[nodiscard]] int release() { return std::exchange(fd_, -1); }
    void reset(int fd = -1) {
        const int old = std::exchange(fd_, fd);
        if (old >= 0) ::close(old);  // EINTR and EIO leave it closed on Linux: nothing to retry
    }

private:
    int fd_ = -1;
};

}  // namespace swrun
