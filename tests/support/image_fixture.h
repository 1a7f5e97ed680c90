// Images for tests: a temporary directory, squashfs files made by mksquashfs, and openers for them.  A test
// that needs a tool which the machine lacks skips by name.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "squashfs/block_cache.h"
#include "squashfs/squash_reader.h"
#include "squashfs/squash_source.h"
#include "support/fd.h"
#include "support/io.h"
#include "support/skip.h"
#include "support/text.h"

namespace swrun {

class TempDir {
public:
    TempDir() {
        std::string name = (std::filesystem::temp_directory_path() / "swrun-test-XXXXXX").string();
        if (mkdtemp(name.data()) != nullptr) path_ = std::filesystem::canonical(name).string();
    }
    ~TempDir() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;

    [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

inline void write_file(const std::string& path, const std::string& bytes) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
}

inline std::string slurp(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Bytes that do not compress, the same on every run.
inline std::string noise(std::size_t size, std::uint64_t seed) {
    std::string bytes(size, '\0');
    std::uint64_t state = seed * 2654435761U + 1;
    for (char& c : bytes) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        c = static_cast<char>(state >> 32);
    }
    return bytes;
}

inline bool run_command(const std::string& command) {
    const int status = std::system((command + " >/dev/null 2>&1").c_str());
    return status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

inline bool have_tool(const std::string& name) { return run_command("command -v " + name); }

inline bool make_squashfs(const std::string& from, const std::string& to, const std::string& options = "") {
    return run_command("mksquashfs " + shell_quote(from) + " " + shell_quote(to) +
                       " -noappend -no-progress -all-root -processors 1 " + options);
}

// While it lives, a test that root runs reads and writes as nobody does: root may do everything.
class AsNobody {
public:
    AsNobody() : was_root_(::geteuid() == 0 && ::seteuid(65534) == 0) {}
    ~AsNobody() {
        if (was_root_ && ::seteuid(0) != 0) std::abort();
    }
    AsNobody(const AsNobody&) = delete;
    AsNobody& operator=(const AsNobody&) = delete;

private:
    bool was_root_;
};

// A small tree with one of each thing that a squashfs can hold without privilege.
inline void make_small_tree(const std::string& root) {
    write_file(root + "/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
    write_file(root + "/bin/tool", noise(5000, 1));
    write_file(root + "/data/big", std::string(20000, 'b') + noise(9000, 2));
    write_file(root + "/data/empty", "");
    for (int i = 0; i < 30; ++i) write_file(root + "/many/entry" + std::to_string(i), std::to_string(i));
    std::filesystem::create_symlink("/etc/passwd", root + "/data/link");
    std::filesystem::create_hard_link(root + "/bin/tool", root + "/bin/same");
}

// A file that exists only in memory.
inline Fd memory_file(const std::string& bytes) {
    Fd fd(memfd_create("image", MFD_CLOEXEC));
    if (!write_all(fd.get(), bytes, "memfd")) return Fd();
    return fd;
}

inline Result<SquashReader> open_squash_bytes(const std::string& bytes, std::size_t cache = 8 << 20) {
    SWRUN_TRY(auto source, SquashSource::open(memory_file(bytes), 0, bytes.size()));
    return SquashReader::open(std::move(source), std::make_shared<BlockCache>(cache));
}

#define SWRUN_NEED_TOOL(name) \
    if (!have_tool(name)) SWRUN_SKIP() << "needs " << (name)

}  // namespace swrun
