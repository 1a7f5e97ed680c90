#include "plan/tree_view.h"

#include <deque>

#include "support/path.h"

namespace swrun {

ResolvedPath resolve_in(const TreeView& tree, const std::string& path) {
    constexpr int kMaxLinks = 40;  // MAXSYMLINKS, path_resolution(7)
    ResolvedPath result;
    result.path = "/";
    result.node.kind = Node::Kind::directory;
    std::deque<std::string> todo;
    for (const std::string_view part : components(path)) todo.emplace_back(part);
    int links = 0;
    std::size_t after_link = 0;  // names left when the last link has been walked to its end
    while (!todo.empty()) {
        const std::string part = std::move(todo.front());
        todo.pop_front();
        if (part == ".") continue;
        if (part == "..") {
            result.path = std::string(parent_path(result.path));
            if (result.missing > 0) --result.missing;
            if (result.missing == 0) result.node = tree.look(result.path);
            continue;
        }
        const std::string next = join_path(result.path, part);
        if (result.missing > 0) {
            result.path = next;
            ++result.missing;
            continue;
        }
        const Node node = tree.look(next);
        if (node.kind == Node::Kind::absent || node.kind == Node::Kind::unreachable) {
            result.path = next;
            ++result.missing;
            continue;
        }
        if (node.kind != Node::Kind::symlink) {
            result.path = next;
            result.node = node;
            if (todo.size() < after_link) result.link.clear();
            continue;
        }
        const Result<std::string> target = tree.read_link(next);
        if (!target || ++links > kMaxLinks) {
            result.path = next;
            result.node = node;
            result.loop = true;
            return result;
        }
        result.link = next;
        after_link = todo.size();
        if (!target->empty() && (*target)[0] == '/') {
            result.path = "/";
            result.node = Node{};
            result.node.kind = Node::Kind::directory;
        }
        std::deque<std::string> ahead;
        for (const std::string_view step : components(*target)) ahead.emplace_back(step);
        todo.insert(todo.begin(), ahead.begin(), ahead.end());
    }
    return result;
}

}  // namespace swrun
