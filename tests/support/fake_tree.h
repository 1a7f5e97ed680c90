// FakeTree: a TreeView made of a map, for tests of pure code.  "/a/b" = directory, file or link; parents
// of an entry are made on their own.
#pragma once

#include <map>
#include <string>

#include "plan/tree_view.h"
#include "support/path.h"

namespace swrun {

class FakeTree : public TreeView {
public:
    FakeTree& dir(const std::string& path) { return put(path, Node::Kind::directory, ""); }
    FakeTree& file(const std::string& path, const std::string& text = "") { return put(path, Node::Kind::file, text); }
    FakeTree& program(const std::string& path) {
        file(path);
        entries_.at(path).mode = 0755;
        return *this;
    }
    FakeTree& link(const std::string& path, const std::string& target) {
        return put(path, Node::Kind::symlink, target);
    }
    FakeTree& special(const std::string& path) { return put(path, Node::Kind::other, ""); }
    // As the kernel answers for it with that errno; without one, for want of rights.
    FakeTree& hidden(const std::string& path, int err = 0) {
        put(path, Node::Kind::unreachable, "");
        entries_.at(path).sys_errno = err;
        return *this;
    }
    FakeTree& drop(const std::string& path) {  // with all that is below it
        std::erase_if(entries_, [&](const auto& entry) { return is_below(entry.first, path); });
        return *this;
    }
    FakeTree& on_device(std::uint64_t device) {
        device_ = device;
        return *this;
    }

    [[nodiscard]] Node look(const std::string& path) const override {
        Node node;
        if (path == "/") node.kind = Node::Kind::directory;
        const auto found = entries_.find(path);
        if (found == entries_.end()) return node;
        node.kind = found->second.kind;
        node.mode = node.kind == Node::Kind::directory ? 0755 : found->second.mode;
        node.device = device_;
        node.inode = static_cast<std::uint64_t>(std::distance(entries_.begin(), found)) + 2;
        node.size = found->second.text.size();
        node.sys_errno = found->second.sys_errno;
        return node;
    }
    [[nodiscard]] Result<std::string> read_link(const std::string& path) const override {
        return text_of(path, Node::Kind::symlink);
    }
    [[nodiscard]] Result<std::string> read_text(const std::string& path, std::size_t) const override {
        return text_of(path, Node::Kind::file);
    }
    [[nodiscard]] Result<std::vector<std::string>> list(const std::string& path) const override {
        std::vector<std::string> names;
        for (const auto& [name, entry] : entries_) {
            if (name != path && std::string(parent_path(name)) == path) names.emplace_back(base_name(name));
        }
        return names;
    }

private:
    struct Entry {
        Node::Kind kind;
        std::string text;
        std::uint32_t mode = 0644;
        int sys_errno = 0;
    };

    FakeTree& put(const std::string& path, Node::Kind kind, const std::string& text) {
        for (std::string up(parent_path(path)); up != "/"; up = std::string(parent_path(up))) {
            entries_.try_emplace(up, Entry{Node::Kind::directory, ""});
        }
        entries_[path] = Entry{kind, text};
        return *this;
    }
    [[nodiscard]] Result<std::string> text_of(const std::string& path, Node::Kind kind) const {
        const auto found = entries_.find(path);
        if (found == entries_.end() || found->second.kind != kind)
            return sys_error(Error::Kind::image, "read", path, 2);
        return found->second.text;
    }

    std::map<std::string, Entry> entries_;
    std::uint64_t device_ = 1;
};

}  // namespace swrun
