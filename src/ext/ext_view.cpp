#include "ext/ext_view.h"

#include <algorithm>
#include <cerrno>

#include "support/path.h"

namespace swrun {
namespace {

constexpr std::uint32_t kRoot = 2;
constexpr std::size_t kMaxLink = 4096;
constexpr std::size_t kMaxNames = 1U << 20U;  // a directory that claims more is damaged

Node::Kind kind_of(const ExtInode& inode) {
    switch (inode.kind()) {
        case ExtInode::Kind::directory: return Node::Kind::directory;
        case ExtInode::Kind::file: return Node::Kind::file;
        case ExtInode::Kind::symlink: return Node::Kind::symlink;
        case ExtInode::Kind::other: break;
    }
    return Node::Kind::other;
}

// Of a directory in its inode: the first area lies behind the number of the parent, the second in an attribute.
Status see_inline(const ExtInode& directory, const std::function<bool(const ExtName&)>& see) {
    const std::span<const std::byte> first = std::span(directory.content).subspan(4);
    for (const std::span<const std::byte> area : {first, std::span(directory.more)}) {
        SWRUN_TRY(const std::vector<ExtName> names, parse_ext_names(area));
        if (!std::ranges::all_of(names, see)) return {};
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<ExtView>> ExtView::open(int fd, std::uint64_t offset, std::uint64_t size) {
    SWRUN_TRY(ExtSource source, ExtSource::open(fd, offset, size));
    SWRUN_TRY(const ExtInode root, source.inode(kRoot));
    if (root.kind() != ExtInode::Kind::directory) return ext_damaged("its root is not a directory");
    return std::unique_ptr<ExtView>(new ExtView(std::move(source)));
}

Status ExtView::see_names(const ExtInode& directory, const See& see) const {
    if (directory.is_inline()) return see_inline(directory, see);
    if (directory.size > ExtSource::kMostBytes) {
        return ext_damaged("inode " + std::to_string(directory.number) + " is a directory of " +
                           std::to_string(directory.size) + " bytes");
    }
    const std::uint64_t block_size = source_.super().block_size;
    for (std::uint64_t index = 0; index * block_size < directory.size; ++index) {
        SWRUN_TRY(const std::uint64_t place, source_.place(directory, index));
        if (place == 0) continue;
        SWRUN_TRY(const ExtSource::Block block, source_.block(place));
        SWRUN_TRY(const std::vector<ExtName> names, parse_ext_names(*block));
        if (!std::ranges::all_of(names, see)) return {};
    }
    return {};
}

Result<ExtInode> ExtView::find(std::string_view call, const std::string& path) const {
    source_.begin();
    SWRUN_TRY(ExtInode at, source_.inode(kRoot));
    for (const std::string_view part : components(path)) {
        if (at.kind() != ExtInode::Kind::directory) return sys_error(Error::Kind::image, call, path, ENOENT);
        std::uint32_t next = 0;
        const auto wanted = [&](const ExtName& entry) {
            if (entry.name == part) next = entry.inode;
            return next == 0;
        };
        SWRUN_CHECK(with_context(see_names(at, wanted), "looking for " + path));
        if (next == 0) return sys_error(Error::Kind::image, call, path, ENOENT);
        SWRUN_TRY(at, with_context(source_.inode(next), "looking for " + path));
    }
    return at;
}

Node ExtView::look(const std::string& path) const {
    const Result<ExtInode> found = find("look", path);
    if (!found) return {};
    return {kind_of(*found), found->mode & 07777U, 0, found->number, found->size};
}

Result<std::string> ExtView::content(const ExtInode& inode, const std::string& path, std::size_t limit) const {
    if (inode.size > limit) return sys_error(Error::Kind::image, "read", path, EFBIG);
    std::string text(static_cast<std::size_t>(inode.size), '\0');
    const std::span<std::byte> into = std::as_writable_bytes(std::span(text));
    if (inode.is_inline()) {
        const std::size_t first = std::min(into.size(), inode.content.size());
        std::copy_n(inode.content.begin(), first, into.begin());
        std::copy_n(inode.more.begin(), std::min(into.size() - first, inode.more.size()), into.subspan(first).begin());
        return text;
    }
    const std::size_t block_size = source_.super().block_size;
    for (std::size_t done = 0; done < into.size(); done += block_size) {
        SWRUN_TRY(const std::uint64_t place, with_context(source_.place(inode, done / block_size), "reading " + path));
        const std::span<std::byte> part = into.subspan(done, std::min(block_size, into.size() - done));
        if (place != 0) SWRUN_CHECK(with_context(source_.read(place, part), "reading " + path));
    }
    return text;
}

Result<std::string> ExtView::read_link(const std::string& path) const {
    SWRUN_TRY(const ExtInode inode, find("readlink", path));
    if (inode.kind() != ExtInode::Kind::symlink) return sys_error(Error::Kind::image, "readlink", path, EINVAL);
    // A short target lies where the numbers of blocks would be.
    if (inode.is_inline() || inode.size >= inode.content.size()) return content(inode, path, kMaxLink);
    return std::string(reinterpret_cast<const char*>(inode.content.data()), static_cast<std::size_t>(inode.size));
}

Result<std::string> ExtView::read_text(const std::string& path, std::size_t limit) const {
    SWRUN_TRY(const ExtInode inode, find("open", path));
    if (inode.kind() == ExtInode::Kind::directory) return sys_error(Error::Kind::image, "read", path, EISDIR);
    if (inode.kind() != ExtInode::Kind::file) return sys_error(Error::Kind::image, "read", path, EINVAL);
    return content(inode, path, limit);
}

Result<std::vector<std::string>> ExtView::list(const std::string& path) const {
    SWRUN_TRY(const ExtInode directory, find("list", path));
    if (directory.kind() != ExtInode::Kind::directory) return sys_error(Error::Kind::image, "list", path, ENOTDIR);
    std::vector<std::string> names;
    const Status seen = see_names(directory, [&](const ExtName& entry) {
        names.emplace_back(entry.name);
        return names.size() < kMaxNames;
    });
    SWRUN_CHECK(with_context(seen, "listing " + path));
    if (names.size() == kMaxNames) return ext_damaged(path + " has more than a million names");
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace swrun
