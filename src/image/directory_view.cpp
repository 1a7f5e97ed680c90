#include "image/directory_view.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <deque>
#include <memory>
#include <string_view>
#include <utility>

#include "support/io.h"
#include "support/path.h"

namespace swrun {
namespace {

constexpr int kMaxLinks = 40;  // MAXSYMLINKS, path_resolution(7)

Error failed(std::string_view call, const std::string& path, int err) {
    return sys_error(Error::Kind::image, call, path, err);
}

Result<std::string> link_of(int fd, const std::string& path) {
    std::array<char, PATH_MAX> target{};
    const ssize_t size = readlinkat(fd, "", target.data(), target.size());
    const int err = errno;
    if (size < 0) return failed("readlink", path, err == ENOENT ? EINVAL : err);  // ENOENT: not a link
    return std::string(target.data(), static_cast<std::size_t>(size));
}

int open_in_root(int root, const std::string& path, int flags) {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC | O_NOFOLLOW);
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    return static_cast<int>(syscall(SYS_openat2, root, path.c_str(), &how, sizeof how));
}

// What openat2 does, by hand: `above` are the open directories from the root to where we are, so ".." of
// a link needs no kernel and cannot leave the root.
class RootWalk {
public:
    RootWalk(int root, const std::string& path) : root_(root), path_(path) {
        for (const std::string_view part : components(path)) todo_.emplace_back(part);
    }

    Result<Fd> run(int flags) {
        while (!todo_.empty()) {
            const std::string part = std::move(todo_.front());
            todo_.pop_front();
            if (part == "..") {
                if (!above_.empty()) above_.pop_back();
            } else if (part != ".") {
                SWRUN_TRY(Fd found, enter(part, flags));
                if (found) return found;
            }
        }
        return open_at(".", flags);
    }

private:
    [[nodiscard]] int here() const { return above_.empty() ? root_ : above_.back().get(); }

    Result<Fd> open_at(const std::string& name, int flags) {
        Fd fd(openat(here(), name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC));
        const int err = errno;
        if (!fd) return failed("open", path_, err);
        return fd;
    }

    // Goes one component down.  The result is valid only when it was the last one.
    Result<Fd> enter(const std::string& part, int flags) {
        if (todo_.empty()) return open_at(part, flags);
        SWRUN_TRY(Fd next, open_at(part, O_PATH));
        struct stat status {};
        if (fstat(next.get(), &status) != 0) return failed("fstat", path_, errno);
        if (!S_ISLNK(status.st_mode)) {
            above_.push_back(std::move(next));
            return Fd();
        }
        if (++links_ > kMaxLinks) return failed("open", path_, ELOOP);
        SWRUN_TRY(const std::string target, link_of(next.get(), path_));
        if (target.starts_with('/')) above_.clear();
        std::deque<std::string> ahead;
        for (const std::string_view step : components(target)) ahead.emplace_back(step);
        todo_.insert(todo_.begin(), ahead.begin(), ahead.end());
        return Fd();
    }

    int root_;
    const std::string& path_;
    std::deque<std::string> todo_;
    std::vector<Fd> above_;
    int links_ = 0;
};

}  // namespace

Result<Fd> DirectoryView::open_below(const std::string& path, int flags) const {
    if (way_ == Way::kernel) {
        Fd fd(open_in_root(root_, path, flags));
        const int err = errno;
        if (fd) return fd;
        if (err != ENOSYS) return failed("open", path, err);
        way_ = Way::walk;
    }
    return RootWalk(root_, path).run(flags);
}

Node DirectoryView::look(const std::string& path) const {
    Node node;
    const Result<Fd> fd = open_below(path, O_PATH);
    if (!fd) {
        node.sys_errno = fd.error().sys_errno;
        if (node.sys_errno != ENOENT && node.sys_errno != ENOTDIR) node.kind = Node::Kind::unreachable;
        return node;
    }
    struct stat status {};
    if (fstat(fd->get(), &status) != 0) {
        node.kind = Node::Kind::unreachable;
        node.sys_errno = errno;
        return node;
    }
    node.kind = Node::Kind::other;
    if (S_ISDIR(status.st_mode)) node.kind = Node::Kind::directory;
    if (S_ISREG(status.st_mode)) node.kind = Node::Kind::file;
    if (S_ISLNK(status.st_mode)) node.kind = Node::Kind::symlink;
    node.mode = status.st_mode & 07777U;
    node.device = status.st_dev;
    node.inode = status.st_ino;
    node.size = static_cast<std::uint64_t>(status.st_size);
    return node;
}

Result<std::string> DirectoryView::read_link(const std::string& path) const {
    SWRUN_TRY(const Fd fd, open_below(path, O_PATH));
    return link_of(fd.get(), path);
}

Result<std::string> DirectoryView::read_text(const std::string& path, std::size_t limit) const {
    // The kind first: opening a device may have effects.
    const Node node = look(path);
    if (node.kind == Node::Kind::directory) return failed("read", path, EISDIR);
    if (node.kind == Node::Kind::other) return failed("read", path, EINVAL);
    SWRUN_TRY(const Fd fd, open_below(path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
    struct stat status {};
    if (fstat(fd.get(), &status) != 0) return failed("fstat", path, errno);
    if (!S_ISREG(status.st_mode)) return failed("read", path, EINVAL);
    return read_all(fd.get(), path, limit);
}

Result<std::vector<std::string>> DirectoryView::list(const std::string& path) const {
    SWRUN_TRY(Fd fd, open_below(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK));
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(fdopendir(fd.get()), &closedir);
    if (!directory) return failed("fdopendir", path, errno);
    (void)fd.release();  // closedir closes it
    std::vector<std::string> names;
    for (;;) {
        errno = 0;
        const dirent* entry = readdir(directory.get());
        if (entry == nullptr) {
            const int err = errno;
            if (err != 0) return failed("readdir", path, err);
            break;
        }
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") names.emplace_back(name);
    }
    std::ranges::sort(names);
    return names;
}

}  // namespace swrun
