#include "support/path.h"

namespace swrun {

std::string clean_path(std::string_view path) {
    const bool absolute = !path.empty() && path[0] == '/';
    std::vector<std::string_view> kept;
    for (const std::string_view part : components(path)) {
        if (part == ".") continue;
        if (part != "..") {
            kept.push_back(part);
        } else if (!kept.empty() && kept.back() != "..") {
            kept.pop_back();
        } else if (!absolute) {
            kept.push_back(part);
        }
    }
    std::string clean = absolute ? "/" : "";
    for (const std::string_view part : kept) {
        if (clean.size() > (absolute ? 1U : 0U)) clean.push_back('/');
        clean.append(part);
    }
    return clean.empty() ? "." : clean;
}

std::string absolute_path(std::string_view path, std::string_view base) {
    if (!path.empty() && path[0] == '/') return clean_path(path);
    return clean_path(join_path(base, path));
}

std::vector<std::string_view> components(std::string_view path) {
    std::vector<std::string_view> parts;
    std::size_t at = 0;
    while (at < path.size()) {
        const std::size_t end = std::min(path.find('/', at), path.size());
        if (end > at) parts.push_back(path.substr(at, end - at));
        at = end + 1;
    }
    return parts;
}

bool is_below(std::string_view path, std::string_view directory) {
    if (directory == "/") return !path.empty() && path[0] == '/';
    if (path.substr(0, directory.size()) != directory) return false;
    return path.size() == directory.size() || path[directory.size()] == '/';
}

std::string_view parent_path(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string_view::npos) return ".";
    return slash == 0 ? path.substr(0, 1) : path.substr(0, slash);
}

std::string_view base_name(std::string_view path) {
    if (path == "/") return path;
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string join_path(std::string_view directory, std::string_view name) {
    std::string path(directory);
    if (path.empty() || path.back() != '/') path.push_back('/');
    while (!name.empty() && name[0] == '/') name.remove_prefix(1);
    return path.append(name);
}

}  // namespace swrun
