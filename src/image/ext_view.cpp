#include "image/ext_view.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <limits>

// libext2fs converts numbers freely in its inline functions.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wpedantic"
#include <ext2fs/ext2fs.h>
#pragma GCC diagnostic pop

#include "support/path.h"

namespace swrun {
namespace {

constexpr std::size_t kMaxLink = 4096;
constexpr std::size_t kMaxNames = 1U << 20U;  // a directory that claims more is damaged

Error failed(std::string_view call, std::string_view path, errcode_t code) {
    // Below 256 it is an errno, above a number of the library's own (com_err(3)).
    const bool is_errno = code > 0 && code < 256;
    return sys_error(Error::Kind::image, call, path, is_errno ? static_cast<int>(code) : EIO);
}

Node::Kind kind_of(std::uint16_t mode) {
    if (S_ISDIR(mode)) return Node::Kind::directory;
    if (S_ISREG(mode)) return Node::Kind::file;
    if (S_ISLNK(mode)) return Node::Kind::symlink;
    return Node::Kind::other;
}

int add_name(ext2_ino_t, int, ext2_dir_entry* entry, int, int, char*, void* into) {
    auto& names = *static_cast<std::vector<std::string>*>(into);
    const std::string_view name(entry->name, static_cast<std::size_t>(ext2fs_dirent_name_len(entry)));
    if (name != "." && name != ".." && !name.empty()) names.emplace_back(name);
    return names.size() < kMaxNames ? 0 : DIRENT_ABORT;
}

}  // namespace

void ExtView::Close::operator()(struct_ext2_filsys* fs) const { ext2fs_free(fs); }

Result<std::unique_ptr<ExtView>> ExtView::open(int fd, std::uint64_t offset) {
    const std::string name = "/proc/self/fd/" + std::to_string(fd);
    const std::string options = "offset=" + std::to_string(offset);
    ext2_filsys fs = nullptr;
    const errcode_t code = ext2fs_open2(name.c_str(), options.c_str(), EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &fs);
    if (code != 0) return failed("read", "the ext3 file system", code);
    return std::unique_ptr<ExtView>(new ExtView(FileSystem(fs)));
}

std::uint32_t ExtView::find(const std::string& path) const {
    ext2_ino_t at = EXT2_ROOT_INO;
    for (const std::string_view part : components(path)) {
        if (ext2fs_check_directory(fs_.get(), at) != 0) return 0;
        const auto length = static_cast<int>(part.size());
        if (ext2fs_lookup(fs_.get(), at, part.data(), length, nullptr, &at) != 0) return 0;
    }
    return at;
}

Node ExtView::look(const std::string& path) const {
    const ext2_ino_t number = find(path);
    ext2_inode inode{};
    if (number == 0 || ext2fs_read_inode(fs_.get(), number, &inode) != 0) return {};
    return {kind_of(inode.i_mode), inode.i_mode & 07777U, 0, number, EXT2_I_SIZE(&inode), 0};
}

Result<std::string> ExtView::read(std::uint32_t inode, const std::string& path, std::size_t limit) const {
    ext2_file_t file = nullptr;
    if (const errcode_t code = ext2fs_file_open(fs_.get(), inode, 0, &file); code != 0)
        return failed("open", path, code);
    const std::unique_ptr<ext2_file, errcode_t (*)(ext2_file_t)> closer(file, ext2fs_file_close);
    __u64 size = 0;
    if (const errcode_t code = ext2fs_file_get_lsize(file, &size); code != 0) return failed("stat", path, code);
    if (size > std::min<std::size_t>(limit, std::numeric_limits<unsigned>::max())) {
        return sys_error(Error::Kind::image, "read", path, EFBIG);
    }
    std::string text(static_cast<std::size_t>(size), '\0');
    for (std::size_t done = 0; done < text.size();) {
        unsigned got = 0;
        const errcode_t code = ext2fs_file_read(file, text.data() + done, static_cast<unsigned>(text.size() - done),
                                                &got);
        if (code != 0) return failed("read", path, code);
        if (got == 0) return sys_error(Error::Kind::image, "read", path, EIO);
        done += got;
    }
    return text;
}

Result<std::string> ExtView::read_link(const std::string& path) const {
    const ext2_ino_t number = find(path);
    ext2_inode inode{};
    if (number == 0) return sys_error(Error::Kind::image, "readlink", path, ENOENT);
    if (ext2fs_read_inode(fs_.get(), number, &inode) != 0) return sys_error(Error::Kind::image, "readlink", path, EIO);
    if (!S_ISLNK(inode.i_mode)) return sys_error(Error::Kind::image, "readlink", path, EINVAL);
    if (ext2fs_is_fast_symlink(&inode) == 0) return read(number, path, kMaxLink);
    // A short target lies where the block numbers would be.
    const std::size_t room = sizeof inode.i_block;
    return std::string(reinterpret_cast<const char*>(inode.i_block), std::min<std::size_t>(inode.i_size, room));
}

Result<std::string> ExtView::read_text(const std::string& path, std::size_t limit) const {
    const Node node = look(path);
    if (node.kind == Node::Kind::absent) return sys_error(Error::Kind::image, "open", path, ENOENT);
    if (node.kind == Node::Kind::directory) return sys_error(Error::Kind::image, "read", path, EISDIR);
    if (node.kind != Node::Kind::file) return sys_error(Error::Kind::image, "read", path, EINVAL);
    return read(static_cast<ext2_ino_t>(node.inode), path, limit);
}

Result<std::vector<std::string>> ExtView::list(const std::string& path) const {
    const ext2_ino_t number = find(path);
    if (number == 0) return sys_error(Error::Kind::image, "list", path, ENOENT);
    if (ext2fs_check_directory(fs_.get(), number) != 0) return sys_error(Error::Kind::image, "list", path, ENOTDIR);
    std::vector<std::string> names;
    const errcode_t code = ext2fs_dir_iterate2(fs_.get(), number, 0, nullptr, add_name, &names);
    if (code != 0) return failed("list", path, code);
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace swrun
