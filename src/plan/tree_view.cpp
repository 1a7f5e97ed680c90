#include "plan/tree_view.h"

#include <cerrno>
#include <deque>
#include <utility>
#include <vector>

#include "support/errno_hint.h"
#include "support/path.h"

namespace swrun {
namespace {

int errno_of(const Node& node, const Node& above) {
    if (node.sys_errno != 0) return node.sys_errno;
    if (node.kind == Node::Kind::unreachable) return EACCES;
    return above.kind == Node::Kind::directory ? ENOENT : ENOTDIR;
}

class Resolver {
public:
    explicit Resolver(const TreeView& tree) : tree_(tree) { to_root(); }

    ResolvedPath run(const std::string& path) {
        put_ahead(path);
        while (!todo_.empty() && !result_.loop) {
            const std::string part = std::move(todo_.front());
            todo_.pop_front();
            if (part == "..") {
                turn_back();
            } else if (part != ".") {
                enter(join_path(result_.path, part));
            }
        }
        return std::move(result_);
    }

private:
    void to_root() {
        result_.path = "/";
        result_.node = Node{};
        result_.node.kind = Node::Kind::directory;
    }

    void put_ahead(std::string_view text) {
        const std::vector<std::string_view> parts = components(text);
        todo_.insert(todo_.begin(), parts.begin(), parts.end());
    }

    void turn_back() {
        result_.path = std::string(parent_path(result_.path));
        if (result_.missing > 0) --result_.missing;
        if (result_.missing > 0) return;
        result_.node = tree_.look(result_.path);
        result_.sys_errno = 0;
    }

    void enter(std::string next) {
        if (result_.missing > 0) {
            ++result_.missing;
            result_.path = std::move(next);
            return;
        }
        const Node node = tree_.look(next);
        if (node.kind == Node::Kind::symlink) {
            follow(std::move(next), node);
            return;
        }
        result_.path = std::move(next);
        if (node.kind == Node::Kind::absent || node.kind == Node::Kind::unreachable) {
            result_.sys_errno = errno_of(node, result_.node);
            ++result_.missing;
        } else {
            result_.node = node;
            if (todo_.size() < after_link_) result_.link.clear();
        }
    }

    void follow(std::string link, const Node& node) {
        constexpr int kMaxLinks = 40;  // MAXSYMLINKS, path_resolution(7)
        const Result<std::string> target = tree_.read_link(link);
        if (!target || ++links_ > kMaxLinks) {
            result_.path = std::move(link);
            result_.node = node;
            result_.loop = true;
            result_.sys_errno = target ? ELOOP : target.error().sys_errno;
            return;
        }
        result_.link = std::move(link);
        after_link_ = todo_.size();
        if (target->starts_with('/')) to_root();
        put_ahead(*target);
    }

    const TreeView& tree_;
    ResolvedPath result_;
    std::deque<std::string> todo_;
    int links_ = 0;
    std::size_t after_link_ = 0;  // names left when the last link has been walked to its end
};

bool is_absence(int err) { return err == ENOENT || err == ENOTDIR || err == 0; }

}  // namespace

std::string why_missing(const ResolvedPath& found) {
    // The words of the field's tools, which others look for, where there is nothing more to say.
    if (is_absence(found.sys_errno)) return errno_text(found.sys_errno == 0 ? ENOENT : found.sys_errno);
    return errno_text(found.sys_errno) + " (" + errno_name(found.sys_errno) + ")";
}

Error missing_error(std::string_view object, const ResolvedPath& found) {
    const bool absent = is_absence(found.sys_errno);
    Error error = make_error(
        Error::Kind::request,
        std::string(object) + (absent ? " doesn't exist: " : " cannot be reached: ") + why_missing(found));
    error.sys_errno = absent ? ENOENT : found.sys_errno;
    error.hint = errno_hint(found.sys_errno);
    if (found.sys_errno == EACCES) error.hint = "a directory on the way to it may not be entered by you";
    return error;
}

ResolvedPath resolve_in(const TreeView& tree, const std::string& path) { return Resolver(tree).run(path); }

}  // namespace swrun
