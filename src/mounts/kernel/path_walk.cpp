#include "mounts/kernel/path_walk.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <deque>
#include <string_view>
#include <utility>
#include <vector>

#include "support/descriptors.h"
#include "support/path.h"

namespace swrun {
namespace {

constexpr int kMaxLinks = 40;  // MAXSYMLINKS, path_resolution(7)
constexpr int kLook = O_PATH | O_NOFOLLOW | O_CLOEXEC;

// A link of procfs to an open file, a root or a namespace: its text only describes where it leads
// ("pipe:[7]", "/tmp/x (deleted)").  The plain links there ("self", "mounts") have relative paths.
bool is_magic(int link, std::string_view text) {
    struct statfs fs {};
    if (::fstatfs(link, &fs) != 0 || fs.f_type != PROC_SUPER_MAGIC) return false;
    return text.starts_with('/') || text.starts_with('(') || text.find(':') != std::string_view::npos;
}

class Walk {
public:
    Walk(int root, const std::string& path, int flags) : root_(root), path_(path), flags_(flags) {}

    Result<Fd> run() {
        if (path_.empty()) return failed(ENOENT);
        if (path_.size() >= PATH_MAX) return failed(ENAMETOOLONG);
        put_ahead(path_);
        while (!todo_.empty()) {
            const std::string part = std::move(todo_.front());
            todo_.pop_front();
            if (part.empty()) continue;  // a slash at the end: enter() has seen that a directory was asked for
            SWRUN_CHECK(part == "." || part == ".." ? turn(part) : enter(part));
        }
        if ((flags_ & O_DIRECTORY) != 0 && !S_ISDIR(mode_)) return failed(ENOTDIR);
        if (!above_.empty()) return std::move(above_.back());
        Fd root(::fcntl(root_, F_DUPFD_CLOEXEC, 0));
        if (!root) return failed(errno);
        return root;
    }

private:
    [[nodiscard]] int here() const { return above_.empty() ? root_ : above_.back().get(); }
    [[nodiscard]] Error failed(int err) const { return sys_error(Error::Kind::host, "open", path_, err); }

    void put_ahead(std::string_view text) {
        std::vector<std::string> parts;
        for (const std::string_view part : components(text)) parts.emplace_back(part);
        if (text.ends_with('/') && !parts.empty()) parts.emplace_back();
        todo_.insert(todo_.begin(), parts.begin(), parts.end());
    }

    // "." and "..": nothing is looked up, but the directory must let us search it (EACCES), as in the kernel.
    Status turn(const std::string& part) {
        const Fd searched(with_room([&] { return ::openat(here(), ".", kLook | O_DIRECTORY); }));
        if (!searched) return failed(errno);
        if (part == ".." && !above_.empty()) above_.pop_back();
        mode_ = S_IFDIR;
        return {};
    }

    Status enter(const std::string& name) {
        Fd next(with_room([&] { return ::openat(here(), name.c_str(), kLook); }));
        if (!next) return failed(errno);
        struct stat status {};
        if (::fstat(next.get(), &status) != 0) return failed(errno);
        const bool last = todo_.empty();
        if (S_ISLNK(status.st_mode) && (!last || (flags_ & O_NOFOLLOW) == 0)) return follow(next.get());
        if (!last && !S_ISDIR(status.st_mode)) return failed(ENOTDIR);
        mode_ = status.st_mode;
        above_.push_back(std::move(next));
        return {};
    }

    Status follow(int link) {
        if (++links_ > kMaxLinks) return failed(ELOOP);
        char text[PATH_MAX];
        const ssize_t size = ::readlinkat(link, "", text, sizeof text);
        if (size < 0) return failed(errno);
        const std::string_view target(text, static_cast<std::size_t>(size));
        if (is_magic(link, target)) return failed(ELOOP);
        if (target.starts_with('/')) {
            above_.clear();
            mode_ = S_IFDIR;
        }
        put_ahead(target);
        return {};
    }

    int root_;
    const std::string& path_;
    int flags_;
    std::deque<std::string> todo_;
    std::vector<Fd> above_;  // from the root, which is not in it, to where we are
    mode_t mode_ = S_IFDIR;  // of where we are
    int links_ = 0;
};

}  // namespace

Result<Fd> walk_in_root(int root, const std::string& path, int flags) { return Walk(root, path, flags).run(); }

}  // namespace swrun
