#include "mounts/kernel/host_view.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <memory>

#include "support/io.h"

namespace swrun {

Node HostView::look(const std::string& path) const {
    struct stat st {};
    Node node;
    if (::lstat(path.c_str(), &st) != 0) {
        const int err = errno;
        node.kind = err == ENOENT || err == ENOTDIR ? Node::Kind::absent : Node::Kind::unreachable;
        node.sys_errno = err;
        return node;
    }
    if (S_ISDIR(st.st_mode)) {
        node.kind = Node::Kind::directory;
    } else if (S_ISREG(st.st_mode)) {
        node.kind = Node::Kind::file;
    } else if (S_ISLNK(st.st_mode)) {
        node.kind = Node::Kind::symlink;
    } else {
        node.kind = Node::Kind::other;
    }
    node.mode = st.st_mode & 07777U;
    node.device = st.st_dev;
    node.inode = st.st_ino;
    node.size = static_cast<std::uint64_t>(st.st_size);
    return node;
}

Result<std::string> HostView::read_link(const std::string& path) const {
    char target[PATH_MAX];
    const ssize_t length = ::readlink(path.c_str(), target, sizeof target);
    if (length < 0) return sys_error(Error::Kind::host, "readlink", path, errno);
    return std::string(target, static_cast<std::size_t>(length));
}

Result<std::string> HostView::read_text(const std::string& path, std::size_t limit) const {
    // O_NONBLOCK: a fifo under a well-known name must not stop a launch.
    SWRUN_TRY(const Fd fd, open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, Error::Kind::host));
    return read_all(fd.get(), path, limit);
}

Result<std::vector<std::string>> HostView::list(const std::string& path) const {
    SWRUN_TRY(Fd fd, open_file(path, O_RDONLY | O_DIRECTORY, Error::Kind::host));
    DIR* raw = ::fdopendir(fd.get());
    if (raw == nullptr) return sys_error(Error::Kind::host, "fdopendir", path, errno);
    (void)fd.release();
    const auto close_dir = [](DIR* d) { ::closedir(d); };
    const std::unique_ptr<DIR, decltype(close_dir)> dir(raw, close_dir);
    std::vector<std::string> names;
    for (;;) {
        errno = 0;
        const dirent* entry = ::readdir(dir.get());
        if (entry == nullptr) {
            if (errno != 0) return sys_error(Error::Kind::host, "readdir", path, errno);
            break;
        }
        const std::string name = entry->d_name;
        if (name != "." && name != "..") names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace swrun
