// overlay create: an ext3 image with the two directories of an overlay, made by mke2fs from a prepared tree.
// Layout as Apptainer has it: upper and work, mode 0600, at least 64 MiB.  Never touches a file that exists.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "commands/commands.h"
#include "image/image_file.h"
#include "support/fd.h"
#include "support/path.h"
#include "support/process.h"
#include "support/text.h"

namespace swrun {
namespace {

constexpr std::int64_t kLeastMebibytes = 64;
constexpr std::int64_t kMostMebibytes = 16LL << 20U;  // 16 TiB, more than ext3 takes

// Removed with all it holds when this goes out of scope.
class TemporaryPath {
public:
    explicit TemporaryPath(std::string path) : path_(std::move(path)) {}
    TemporaryPath(TemporaryPath&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    TemporaryPath& operator=(TemporaryPath&&) = delete;
    TemporaryPath(const TemporaryPath&) = delete;
    TemporaryPath& operator=(const TemporaryPath&) = delete;
    ~TemporaryPath() {
        std::error_code ignored;
        if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] const std::string& path() const { return path_; }
    void keep() { path_.clear(); }

private:
    std::string path_;
};

std::string variable(const HostFacts& host, std::string_view wanted) {
    for (const auto& [name, value] : host.environment) {
        if (name == wanted) return value;
    }
    return "";
}

// mke2fs lies in a directory of the administrator, which is not on everybody's path.
Result<std::vector<std::string>> find_formatter(const HostFacts& host) {
    const std::string path = variable(host, "PATH") + ":/usr/local/sbin:/usr/sbin:/sbin";
    for (const std::string_view name : {"mkfs.ext3", "mke2fs"}) {
        for (const std::string_view directory : split(path, ':')) {
            if (!directory.starts_with('/')) continue;
            const std::string program = join_path(directory, name);
            if (::access(program.c_str(), X_OK) != 0) continue;
            return name == "mke2fs" ? std::vector<std::string>{program, "-t", "ext3"} : std::vector{program};
        }
    }
    return make_error(Error::Kind::host, "mkfs.ext3 was not found")
        .with_hint("install the package e2fsprogs; or use a directory as overlay: mkdir DIR, then --overlay DIR");
}

Status check_absent(const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
        const int err = errno;
        if (err == ENOENT) return Unit{};
        return sys_error(Error::Kind::request, "lstat", path, err);
    }
    if (open_sif(path, "/")) {
        return make_error(Error::Kind::request, path + " is a SIF: swrun adds no overlay to an image")
            .with_hint("create the overlay in a file of its own, or add it with Apptainer");
    }
    const Result<OpenedImage> image = open_image(path, "/", "");
    const bool ext3 = image && image->facts.kind == ImageFacts::Kind::ext3;
    return make_error(Error::Kind::request, (ext3 ? "EXT3 overlay image " : "") + path + " already exists");
}

Status make_directory(const std::string& path, mode_t mode) {
    if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) {
        return sys_error(Error::Kind::host, "mkdir", path, errno);
    }
    // Not the umask's business: the image may be used by others of the group.
    if (::chmod(path.c_str(), mode) != 0) return sys_error(Error::Kind::host, "chmod", path, errno);
    return Unit{};
}

// upper, work and what --create-dir asks for below upper.
Result<TemporaryPath> make_tree(const OverlayRequest& request, const HostFacts& host) {
    const std::string where = variable(host, "TMPDIR");
    std::string name = join_path(where.starts_with('/') ? where : "/tmp", "swrun-overlay-XXXXXX");
    if (::mkdtemp(name.data()) == nullptr) return sys_error(Error::Kind::host, "mkdtemp", name, errno);
    TemporaryPath tree(name);
    SWRUN_CHECK(make_directory(name, 0755));
    // An id that the image's file system cannot hold must not lock the caller out.
    const mode_t mode = host.user.uid > 65535 || host.user.gid > 65535 ? 0777 : 0755;
    const std::string upper = join_path(name, "upper");
    SWRUN_CHECK(make_directory(upper, mode));
    SWRUN_CHECK(make_directory(join_path(name, "work"), mode));
    for (const std::string& wanted : request.directories) {
        std::string at = upper;
        const std::string clean = clean_path("/" + wanted);  // components() only points into it
        for (const std::string_view part : components(clean)) {
            at = join_path(at, part);
            SWRUN_CHECK(make_directory(at, mode));
        }
    }
    return tree;
}

// An empty file of that size beside the target, so that a rename makes it the target.
Result<TemporaryPath> make_file(const std::string& target, const OverlayRequest& request) {
    std::string name = target + ".XXXXXX";
    const Fd fd(::mkostemp(name.data(), O_CLOEXEC));  // mode 0600
    if (!fd) return sys_error(Error::Kind::request, "create", name, errno);
    TemporaryPath file(name);
    const off_t size = static_cast<off_t>(request.mebibytes) << 20U;
    if (::ftruncate(fd.get(), size) != 0) return sys_error(Error::Kind::host, "ftruncate", name, errno);
    return file;
}

// Gives every block of the file its place on the disk.  Only once it is formatted: mke2fs punches holes where it wants
// zeros on file systems without FALLOC_FL_ZERO_RANGE (tmpfs), whatever it is told of discarding.
Status allocate(const std::string& name, std::int64_t mebibytes) {
    const Fd fd(::open(name.c_str(), O_RDWR | O_CLOEXEC));
    if (!fd) return sys_error(Error::Kind::host, "open", name, errno);
    const int err = ::posix_fallocate(fd.get(), 0, static_cast<off_t>(mebibytes) << 20U);
    if (err != 0 && err != EOPNOTSUPP && err != EINVAL) return sys_error(Error::Kind::host, "fallocate", name, err);
    return Unit{};
}

Status rename_new(const std::string& from, const std::string& to) {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return Unit{};
    if (errno != EINVAL && errno != ENOSYS) return sys_error(Error::Kind::host, "rename", to, errno);
    // A file system without that flag.
    if (::rename(from.c_str(), to.c_str()) != 0) return sys_error(Error::Kind::host, "rename", to, errno);
    return Unit{};
}

Status create(const OverlayRequest& request, const HostFacts& host) {
    if (request.mebibytes < kLeastMebibytes) {
        return make_error(Error::Kind::request, "image size must be equal or greater than 64 MiB");
    }
    if (request.mebibytes > kMostMebibytes) {
        return make_error(Error::Kind::request, "image size must be less than 16 TiB; --size is in MiB");
    }
    if (request.fakeroot) {
        return make_error(Error::Kind::request, "overlay create --fakeroot is not supported")
            .with_hint("leave it out; or use a directory as overlay with exec --fakeroot");
    }
    const std::string target = absolute_path(request.file, host.cwd.base());
    SWRUN_TRY(std::vector<std::string> command, find_formatter(host));
    SWRUN_CHECK(check_absent(target));
    SWRUN_TRY(TemporaryPath file, make_file(target, request));
    SWRUN_TRY(const TemporaryPath tree, make_tree(request, host));
    for (const char* word : {"-q", "-F", "-d"}) command.emplace_back(word);
    command.insert(command.end(), {tree.path(), file.path()});
    constexpr std::size_t kMaxOutput = 1U << 20U;
    SWRUN_CHECK(with_context(capture_output(command, kMaxOutput), "creating the ext3 file system of " + target));
    if (!request.sparse) SWRUN_CHECK(allocate(file.path(), request.mebibytes));
    SWRUN_CHECK(rename_new(file.path(), target));
    file.keep();
    return Unit{};
}

}  // namespace

int overlay_command(const Invocation& invocation, const HostFacts& host) {
    const Status done = create(invocation.overlay, host);
    return done ? 0 : report(done.error());
}

}  // namespace swrun
