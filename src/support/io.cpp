#include "support/io.h"

#include <fcntl.h>

#include <cerrno>

#include "support/descriptors.h"

namespace swrun {

Result<Fd> open_file(const std::string& path, int flags, Error::Kind kind, unsigned mode) {
    const int fd = with_room([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); });
    if (fd < 0) return sys_error(kind, "open", path, errno);
    return Fd(fd);
}

Result<std::string> read_all(int fd, std::string_view name, std::size_t limit) {
    std::string bytes;
    char chunk[16384];
    for (;;) {
        const ssize_t count = ::read(fd, chunk, sizeof chunk);
        if (count < 0) {
            const int err = errno;
            if (err == EINTR) continue;
            return sys_error(Error::Kind::host, "read", name, err);
        }
        if (count == 0) return bytes;
        if (bytes.size() + static_cast<std::size_t>(count) > limit) {
            return sys_error(Error::Kind::request, "read", name, EFBIG);
        }
        bytes.append(chunk, static_cast<std::size_t>(count));
    }
}

Result<std::string> read_file(const std::string& path, std::size_t limit) {
    SWRUN_TRY(const Fd fd, open_file(path, O_RDONLY | O_NOCTTY | O_NONBLOCK, Error::Kind::host));
    return read_all(fd.get(), path, limit);
}

Result<std::size_t> read_at(int fd, std::span<std::byte> into, std::uint64_t offset) {
    std::size_t done = 0;
    while (done < into.size()) {
        const ssize_t count = ::pread(fd, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
        if (count < 0) {
            const int err = errno;
            if (err == EINTR) continue;
            return sys_error(Error::Kind::image, "pread", "", err);
        }
        if (count == 0) break;
        done += static_cast<std::size_t>(count);
    }
    return done;
}

Status write_all(int fd, std::string_view bytes, std::string_view name) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(fd, bytes.data(), bytes.size());
        if (count < 0) {
            const int err = errno;
            if (err == EINTR) continue;
            return sys_error(Error::Kind::host, "write", name, err);
        }
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
}

}  // namespace swrun
