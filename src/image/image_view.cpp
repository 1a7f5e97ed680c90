#include "image/image_view.h"

#include <algorithm>
#include <cerrno>
#include <span>

#include "support/path.h"

namespace swrun {
namespace {

constexpr std::size_t kRemembered = 4096;
constexpr std::size_t kMaxEntries = 1'000'000;  // more names than any folder that a person made

Node::Kind kind_of(SquashNode::Kind kind) {
    switch (kind) {
        case SquashNode::Kind::directory: return Node::Kind::directory;
        case SquashNode::Kind::file: return Node::Kind::file;
        case SquashNode::Kind::symlink: return Node::Kind::symlink;
        case SquashNode::Kind::block_device:
        case SquashNode::Kind::char_device:
        case SquashNode::Kind::fifo:
        case SquashNode::Kind::socket: return Node::Kind::other;
    }
    return Node::Kind::other;
}

}  // namespace

Result<std::optional<SquashNode>> ImageView::walk(const std::string& path) const {
    if (const auto known = seen_.find(path); known != seen_.end()) return known->second;
    std::optional<SquashNode> node;
    if (path == "/") {
        SWRUN_TRY(node, reader_.root());
    } else if (const std::string parent(parent_path(path)); parent.starts_with('/')) {
        SWRUN_TRY(const std::optional<SquashNode> directory, walk(parent));
        if (directory && directory->kind == SquashNode::Kind::directory) {
            SWRUN_TRY(const std::optional<SquashEntry> entry, reader_.lookup(*directory, base_name(path)));
            if (entry) {
                SWRUN_TRY(node, reader_.node(entry->id));
            }
        }
    }
    if (seen_.size() >= kRemembered) seen_.clear();
    seen_.emplace(path, node);
    return node;
}

std::optional<SquashNode> ImageView::find(const std::string& path) const { return walk(path).value_or(std::nullopt); }

Result<SquashNode> ImageView::need(const char* call, const std::string& path) const {
    SWRUN_TRY(const std::optional<SquashNode> node, with_context(walk(path), "looking for " + path));
    if (!node) return sys_error(Error::Kind::image, call, path, ENOENT);
    return *node;
}

Node ImageView::look(const std::string& path) const {
    Node node;
    const std::optional<SquashNode> found = find(path);
    if (!found) return node;
    node.kind = kind_of(found->kind);
    node.mode = found->mode;
    node.inode = found->number;
    node.size = found->size;
    return node;
}

Result<std::string> ImageView::read_link(const std::string& path) const {
    SWRUN_TRY(const SquashNode node, need("readlink", path));
    return with_context(reader_.read_link(node), "reading " + path);
}

Result<std::string> ImageView::read_text(const std::string& path, std::size_t limit) const {
    SWRUN_TRY(const SquashNode node, need("open", path));
    if (node.kind == SquashNode::Kind::directory) return sys_error(Error::Kind::image, "read", path, EISDIR);
    if (node.kind != SquashNode::Kind::file) return sys_error(Error::Kind::image, "read", path, EINVAL);
    if (node.size > limit) return sys_error(Error::Kind::image, "read", path, EFBIG);
    std::string text(static_cast<std::size_t>(node.size), '\0');
    const std::span<char> into(text);
    SWRUN_CHECK(with_context(reader_.read(node, 0, std::as_writable_bytes(into)), "reading " + path));
    return text;
}

Result<std::vector<std::string>> ImageView::list(const std::string& path) const {
    SWRUN_TRY(const SquashNode node, need("open", path));
    SWRUN_TRY(std::vector<SquashEntry> entries, with_context(reader_.list(node, 0, kMaxEntries), "listing " + path));
    if (entries.size() == kMaxEntries) return sys_error(Error::Kind::image, "list", path, EFBIG);
    std::vector<std::string> names;
    names.reserve(entries.size());
    for (SquashEntry& entry : entries) names.push_back(std::move(entry.name));
    std::ranges::sort(names);
    return names;
}

}  // namespace swrun
