#include "library_view.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stdexcept>

// Last: its config.h defines macros of its own (_POSIX_C_SOURCE, HAVE_...).
extern "C" {
#include <squashfuse/squashfuse.h>
}

namespace differential {
namespace {

void check(sqfs_err error, const std::string& what) {
    if (error != SQFS_OK) throw std::runtime_error("libsquashfuse: " + what + ": error " + std::to_string(error));
}

char kind_of(unsigned mode) {
    switch (mode & S_IFMT) {
        case S_IFDIR: return 'd';
        case S_IFREG: return 'f';
        case S_IFLNK: return 'l';
        case S_IFBLK: return 'b';
        case S_IFCHR: return 'c';
        case S_IFIFO: return 'p';
        case S_IFSOCK: return 's';
        default: return '?';
    }
}

}  // namespace

struct LibraryView::Handle {
    int fd = -1;
    sqfs fs{};

    sqfs_inode get(std::uint64_t id) {
        sqfs_inode inode{};
        check(sqfs_inode_get(&fs, &inode, id), "inode " + std::to_string(id));
        return inode;
    }
};

LibraryView::LibraryView(const std::string& path, std::size_t offset) : handle_(std::make_unique<Handle>()) {
    handle_->fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (handle_->fd < 0) throw std::runtime_error("cannot open " + path);
    check(sqfs_init(&handle_->fs, handle_->fd, offset), "open " + path);
}

LibraryView::~LibraryView() {
    sqfs_destroy(&handle_->fs);
    ::close(handle_->fd);
}

std::uint64_t LibraryView::root() { return sqfs_inode_root(&handle_->fs); }

std::vector<Step> LibraryView::walk() {
    std::vector<Step> steps;
    sqfs_traverse walk{};
    check(sqfs_traverse_open(&walk, &handle_->fs, root()), "open a traversal");
    sqfs_err error = SQFS_OK;
    while (sqfs_traverse_next(&walk, &error)) {
        if (walk.dir_end) {
            steps.push_back({});
        } else {
            steps.push_back({walk.path, sqfs_dentry_inode(&walk.entry), sqfs_dentry_inode_num(&walk.entry),
                             kind_of(sqfs_dentry_mode(&walk.entry))});
        }
    }
    sqfs_traverse_close(&walk);
    check(error, "traverse");
    return steps;
}

Node LibraryView::node(std::uint64_t id) {
    const sqfs_inode inode = handle_->get(id);
    Node node;
    node.kind = kind_of(inode.base.mode);
    node.mode = inode.base.mode & 07777U;
    sqfs_id_t owner = 0;
    check(sqfs_id_get(&handle_->fs, inode.base.uid, &owner), "uid");
    node.uid = owner;
    check(sqfs_id_get(&handle_->fs, inode.base.guid, &owner), "gid");
    node.gid = owner;
    node.mtime = inode.base.mtime;
    node.nlink = static_cast<std::uint32_t>(inode.nlink);
    node.number = inode.base.inode_number;
    switch (node.kind) {
        case 'f': node.size = inode.xtra.reg.file_size; break;
        case 'd': node.size = inode.xtra.dir.dir_size; break;
        case 'l': node.size = inode.xtra.symlink_size; break;
        case 'b':
        case 'c':
            node.major = static_cast<std::uint32_t>(inode.xtra.dev.major);
            node.minor = static_cast<std::uint32_t>(inode.xtra.dev.minor);
            break;
        default: break;
    }
    return node;
}

std::optional<Step> LibraryView::lookup(std::uint64_t directory, const std::string& name) {
    sqfs_inode inode = handle_->get(directory);
    sqfs_name buffer;
    sqfs_dir_entry entry;
    sqfs_dentry_init(&entry, buffer);
    bool found = false;
    check(sqfs_dir_lookup(&handle_->fs, &inode, name.c_str(), name.size(), &entry, &found), "look up " + name);
    if (!found) return std::nullopt;
    return Step{sqfs_dentry_name(&entry), sqfs_dentry_inode(&entry), sqfs_dentry_inode_num(&entry),
                kind_of(sqfs_dentry_mode(&entry))};
}

std::string LibraryView::target(std::uint64_t link) {
    sqfs_inode inode = handle_->get(link);
    std::size_t size = 0;
    check(sqfs_readlink(&handle_->fs, &inode, nullptr, &size), "readlink");
    std::string text(size, '\0');
    check(sqfs_readlink(&handle_->fs, &inode, text.data(), &size), "readlink");
    text.pop_back();  // the 0 at its end
    return text;
}

std::vector<std::byte> LibraryView::read(std::uint64_t file, std::uint64_t offset, std::size_t size) {
    sqfs_inode inode = handle_->get(file);
    std::vector<std::byte> bytes(size);
    auto wanted = static_cast<sqfs_off_t>(size);
    check(sqfs_read_range(&handle_->fs, &inode, static_cast<sqfs_off_t>(offset), &wanted, bytes.data()), "read");
    bytes.resize(static_cast<std::size_t>(wanted));
    return bytes;
}

std::vector<Place> LibraryView::places(std::uint64_t file) {
    sqfs_inode inode = handle_->get(file);
    std::vector<Place> places;
    sqfs_blocklist list;
    sqfs_blocklist_init(&handle_->fs, &inode, &list);
    while (list.remain > 0) {
        check(sqfs_blocklist_next(&list), "block list");
        places.emplace_back(list.block, list.header);
    }
    if (inode.xtra.reg.frag_idx != SQUASHFS_INVALID_FRAG) {
        squashfs_fragment_entry fragment{};
        check(sqfs_frag_entry(&handle_->fs, &fragment, inode.xtra.reg.frag_idx), "fragment");
        places.emplace_back(fragment.start_block, fragment.size);
    }
    return places;
}

std::vector<std::pair<std::string, std::string>> LibraryView::xattrs(std::uint64_t id) {
    sqfs_inode inode = handle_->get(id);
    std::vector<std::pair<std::string, std::string>> all;
    sqfs_xattr walk{};
    check(sqfs_xattr_open(&handle_->fs, &inode, &walk), "xattrs");
    while (walk.remain > 0) {
        check(sqfs_xattr_read(&walk), "xattr");
        std::string name(sqfs_xattr_name_size(&walk), '\0');
        check(sqfs_xattr_name(&walk, name.data(), true), "name of an xattr");
        std::size_t size = 0;
        check(sqfs_xattr_value_size(&walk, &size), "size of an xattr");
        std::string value(size, '\0');
        check(sqfs_xattr_value(&walk, value.data()), "value of an xattr");
        all.emplace_back(std::move(name), std::move(value));
    }
    return all;
}

std::optional<std::uint64_t> LibraryView::exported(std::uint32_t number) {
    if (sqfs_export_ok(&handle_->fs) == 0) return std::nullopt;
    sqfs_inode_id id = 0;
    check(sqfs_export_inode(&handle_->fs, number, &id), "export table");
    return id;
}

std::uint32_t LibraryView::inodes() { return handle_->fs.sb.inodes; }

}  // namespace differential
