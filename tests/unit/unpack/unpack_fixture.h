// An image in memory that can be unpacked, and ways to compare what came out.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <map>
#include <optional>
#include <set>

#include "support/image_fixture.h"
#include "unpack/unpack.h"

namespace swrun {

struct OpenImage {
    std::shared_ptr<const SquashSource> source;
    std::shared_ptr<BlockCache> cache;
    SquashReader reader;
};

inline Result<OpenImage> open_image_bytes(const std::string& bytes) {
    SWRUN_TRY(auto source, SquashSource::open(memory_file(bytes), 0, bytes.size()));
    auto cache = std::make_shared<BlockCache>(4 << 20);
    SWRUN_TRY(SquashReader reader, SquashReader::open(source, cache));
    return OpenImage{std::move(source), std::move(cache), std::move(reader)};
}

inline Space plenty() { return {UINT64_MAX, UINT64_MAX}; }

// Into a new directory at `path`.
inline Status unpack_bytes(const std::string& bytes, const std::string& path, const std::string& part = "/",
                           const std::vector<Ghost>& ghosts = {}, Space room = plenty()) {
    SWRUN_TRY(OpenImage image, open_image_bytes(bytes));
    std::filesystem::create_directory(path);
    const Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return unpack_image({"image", image.source, image.cache, image.reader, part},
                        {directory.get(), {}, ghosts, room, "of memory"});
}

inline struct stat stat_of(const std::string& path) {
    struct stat st {};
    EXPECT_EQ(::lstat(path.c_str(), &st), 0) << path;
    return st;
}

// Of a file or directory: "name=value ..." of its user.* attributes, by name.
inline std::string describe_xattrs(const std::string& path) {
    std::string names(4096, '\0');
    const ssize_t size = ::llistxattr(path.c_str(), names.data(), names.size());
    names.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    std::set<std::string> lines;
    for (const std::string_view name : split(names, '\0')) {
        if (!name.starts_with("user.")) continue;
        std::string value(65536, '\0');
        const ssize_t length = ::lgetxattr(path.c_str(), std::string(name).c_str(), value.data(), value.size());
        value.resize(length < 0 ? 0 : static_cast<std::size_t>(length));
        lines.insert(" " + std::string(name) + "=" + printable(value));
    }
    std::string text;
    for (const std::string& line : lines) text += line;
    return text;
}

// Path to type, mode, time, size, attributes and content of everything below a directory.
inline std::map<std::string, std::string> describe_tree(const std::string& root) {
    std::map<std::string, std::string> all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
        const std::string path = entry.path().string();
        const struct stat st = stat_of(path);
        std::string text = std::to_string(st.st_mode) + " " + std::to_string(st.st_mtim.tv_sec);
        if (!S_ISDIR(st.st_mode)) text += " " + std::to_string(st.st_nlink) + " " + std::to_string(st.st_size);
        if (S_ISLNK(st.st_mode)) text += " -> " + std::filesystem::read_symlink(entry.path()).string();
        text += describe_xattrs(path);
        if (S_ISREG(st.st_mode)) text += " " + std::to_string(std::hash<std::string>()(slurp(path)));
        all[path.substr(root.size())] = text;
    }
    return all;
}

}  // namespace swrun
