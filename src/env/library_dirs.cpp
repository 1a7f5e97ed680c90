#include "env/library_dirs.h"

#include <algorithm>
#include <set>

#include "env/env_names.h"
#include "shell/shell_pattern.h"
#include "support/path.h"
#include "support/text.h"

namespace swrun {

namespace {

constexpr std::size_t kMaxConf = std::size_t{1} << 20;
constexpr int kMaxIncludes = 200;

class ConfReader {
public:
    explicit ConfReader(const TreeView& tree) : tree_(tree) {}

    void read(const std::string& path) {
        if (++files_ > kMaxIncludes) return;
        const ResolvedPath found = resolve_in(tree_, path);
        if (!found.exists() || found.node.kind != Node::Kind::file) return;
        const Result<std::string> text = tree_.read_text(found.path, kMaxConf);
        if (!text) return;
        for (std::string_view line : split(*text, '\n')) {
            line = trim(line.substr(0, line.find('#')));
            if (line.starts_with("include") && line.size() > 7 && (line[7] == ' ' || line[7] == '\t')) {
                include(line.substr(8), path);
            } else if (line.starts_with('/')) {
                add(std::string(trim(line.substr(0, line.find_first_of(" \t=,")))));
            }
        }
    }

    void add(const std::string& directory) {
        const std::string path = clean_path(directory);
        const ResolvedPath found = resolve_in(tree_, path);
        if (!found.exists() || found.node.kind != Node::Kind::directory) return;
        if (path.find(':') == std::string::npos && seen_.insert(found.path).second) directories.push_back(path);
    }

    std::vector<std::string> directories;

private:
    // Patterns, separated by blanks, with wildcards in the last component only: all that is in use.
    void include(std::string_view patterns, const std::string& from) {
        std::string flat(patterns);
        std::replace(flat.begin(), flat.end(), '\t', ' ');
        for (const std::string_view pattern : split(flat, ' ')) {
            if (pattern.empty()) continue;
            const std::string full = absolute_path(pattern, parent_path(from));
            const std::string directory(parent_path(full));
            const ResolvedPath found = resolve_in(tree_, directory);
            if (!found.exists()) continue;
            const Result<std::vector<std::string>> names = tree_.list(found.path);
            if (!names) continue;
            for (const std::string& name : *names) {
                std::size_t budget = 100000;
                const bool hidden = name.starts_with('.') && !base_name(full).starts_with('.');
                if (!hidden && match_pattern(base_name(full), name, budget).value_or(false))
                    read(join_path(directory, name));
            }
        }
    }

    const TreeView& tree_;
    std::set<std::string> seen_;
    int files_ = 0;
};

bool is_multiarch(const TreeView& tree) {
    const ResolvedPath lib = resolve_in(tree, "/usr/lib");
    if (!lib.exists()) return false;
    const Result<std::vector<std::string>> names = tree.list(lib.path);
    return names && std::any_of(names->begin(), names->end(),
                                [](const std::string& name) { return name.find("-linux-gnu") != std::string::npos; });
}

}  // namespace

std::vector<std::string> image_library_directories(const TreeView& container) {
    if (!resolve_in(container, "/sbin/ldconfig").exists()) return {};
    const bool configured = resolve_in(container, "/etc/ld.so.conf").exists() ||
                            resolve_in(container, "/etc/ld.so.cache").exists();
    if (!configured) return {};
    ConfReader reader(container);
    reader.read("/etc/ld.so.conf");
    // glibc's built-in directories: Debian's multiarch build has no lib64 among them.
    const bool multiarch = is_multiarch(container);
    for (const char* directory : {"/lib", "/lib64", "/usr/lib", "/usr/lib64"}) {
        if (!multiarch || !std::string_view(directory).ends_with("64")) reader.add(directory);
    }
    return reader.directories;
}

bool has_added_libraries(const TreeView& container) {
    const ResolvedPath libraries = resolve_in(container, std::string(kLibraryDirectory));
    if (!libraries.exists() || libraries.node.kind != Node::Kind::directory) return false;
    const Result<std::vector<std::string>> names = container.list(libraries.path);
    return names && !names->empty();
}

}  // namespace swrun
