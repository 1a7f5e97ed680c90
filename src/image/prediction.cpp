#include "image/prediction.h"

#include <algorithm>
#include <array>
#include <optional>

#include "support/path.h"
#include "support/text.h"

namespace swrun {
namespace {

constexpr std::size_t kSmallFile = 4;           // blocks: files up to that size are read whole, at once
constexpr std::uint64_t kMaxWhole = 2U << 20U;  // bytes: libraries up to that size, in the end
constexpr std::uint64_t kMaxProgram = 8U << 20U;
constexpr std::size_t kMaxBlocks = 18;  // in all, as far as this goes: the rest of a libc at most
constexpr std::size_t kMaxFiles = 64;   // programs and libraries of one start
constexpr int kMaxDepth = 4;            // scripts whose interpreter is a script
constexpr std::size_t kMaxScriptLine = 256;

// Where loaders look without being told (ld.so(8)); the first three are the usual ones.
constexpr std::array<const char*, 12> kLibraryDirectories = {"/lib/x86_64-linux-gnu",
                                                             "/usr/lib/x86_64-linux-gnu",
                                                             "/lib64",
                                                             "/usr/lib64",
                                                             "/lib/aarch64-linux-gnu",
                                                             "/usr/lib/aarch64-linux-gnu",
                                                             "/lib/powerpc64le-linux-gnu",
                                                             "/usr/lib/powerpc64le-linux-gnu",
                                                             "/lib",
                                                             "/usr/lib",
                                                             "/usr/local/lib",
                                                             "/usr/local/lib64"};

bool is_c_library(std::string_view name) { return name == "libc.so.6" || name.starts_with("libc.musl-"); }

}  // namespace

std::optional<Prediction::File> Prediction::file_at(const ResolvedPath& found) const {
    if (!found.exists() || found.node.kind != Node::Kind::file) return std::nullopt;
    const std::optional<SquashNode> node = view_.find(found.path);
    if (!node) return std::nullopt;
    return File{found.path, *node};
}

std::optional<Prediction::File> Prediction::find_file(const std::string& path) const {
    return file_at(resolve_in(view_, clean_path(path)));
}

std::optional<Prediction::File> Prediction::find_library(const std::string& name,
                                                         const std::vector<std::string>& search) {
    if (name.find('/') != std::string::npos) return find_file(name);
    for (const std::string& directory : search) {
        if (stop_) return std::nullopt;
        if (directory.starts_with('/')) {
            if (auto file = find_file(join_path(directory, name))) return file;
        }
    }
    for (const char* directory : kLibraryDirectories) {
        if (stop_) return std::nullopt;
        if (auto file = find_file(join_path(directory, name))) return file;
    }
    return std::nullopt;
}

void Prediction::add_blocks(const File& file, const std::vector<std::uint64_t>& spots) {
    const SquashNode& node = file.node;
    const std::uint64_t block_size = reader_.source().super().block_size;
    for (const std::uint64_t spot : spots) {
        if (stop_ || spot >= node.size || !given_.insert({node.id, spot / block_size}).second) continue;
        const Result<std::optional<BlockKey>> key = reader_.key_of(node, spot / block_size);
        if (key && *key) sink_.found({file.path, node.size, spot / block_size, **key});
    }
}

void Prediction::add_whole(const File& file, std::size_t blocks) {
    const std::uint64_t block_size = reader_.source().super().block_size;
    std::vector<std::uint64_t> spots;
    for (std::uint64_t at = 0; at < file.node.size && spots.size() < blocks; at += block_size) spots.push_back(at);
    add_blocks(file, spots);
}

// How many blocks of an inode have been given.
std::size_t Prediction::given_of(std::uint64_t id) const {
    const auto is_of = [id](const auto& one) { return one.first == id; };
    return static_cast<std::size_t>(std::count_if(given_.begin(), given_.end(), is_of));
}

// Faults bring in neighbours, and relocations and constructors lie all over: of a library of usual size little is
// left out.  The last one is the one that all others need, libc.  A large program is one that begins with much work,
// as interpreters do.
void Prediction::add_rest(const File& named) {
    for (auto library = libraries_.rbegin(); library != libraries_.rend(); ++library) {
        if (library->node.size <= kMaxWhole && given_.size() < kMaxBlocks) {
            add_whole(*library, kMaxBlocks - given_.size() + given_of(library->node.id));
        }
    }
    const std::uint64_t block_size = reader_.source().super().block_size;
    for (const File& file : {program_.value_or(named), named}) {
        if (file.node.size <= kMaxProgram) add_whole(file, file.node.size / block_size + 1);
    }
}

void Prediction::add_program(const File& file, int depth) {
    if (stop_ || depth > kMaxDepth || seen_.size() >= kMaxFiles || !seen_.insert(file.path).second) return;
    add_blocks(file, {0});
    const auto read = [&](std::uint64_t offset, std::span<std::byte> into) {
        const Result<std::size_t> got = reader_.read(file.node, offset, into);
        return got && *got == into.size();
    };
    std::optional<ElfNeeds> needs = elf_needs(read);
    if (!needs) {
        std::string line(std::min<std::uint64_t>(file.node.size, kMaxScriptLine), '\0');
        if (!read(0, std::as_writable_bytes(std::span(line))) || !line.starts_with("#!")) return;
        line = trim(std::string_view(line).substr(2, line.find('\n') - 2));
        if (const auto interpreter = find_file(line.substr(0, line.find_first_of(" \t")))) {
            add_program(*interpreter, depth + 1);
        }
        return;
    }
    if (!program_) {
        program_ = file;
        sink_.program(file.path);
    }
    if (!needs->interpreter.empty()) {
        if (const auto loader = find_file(needs->interpreter); loader && seen_.insert(loader->path).second) {
            add_whole(*loader, kSmallFile);
        }
    }
    const std::uint64_t block_size = reader_.source().super().block_size;
    if (file.node.size <= kSmallFile * block_size) {
        add_whole(file, kSmallFile);
    } else {
        add_blocks(file, needs->spots);
    }
    if (!needs->interpreter.empty()) {
        if (const auto cache = find_file("/etc/ld.so.cache")) add_whole(*cache, kSmallFile);
    }
    add_libraries(*needs, depth);
}

// The C library before all others, and whole: every program needs most of it, and it is said before somebody waits.
void Prediction::add_libraries(const ElfNeeds& needs, int depth) {
    std::vector<File> libraries;
    for (const std::string& name : needs.needed) {
        auto library = find_library(name, needs.search);
        if (!library || seen_.contains(library->path)) continue;
        if (scope_ == Scope::likely && is_c_library(name) && library->node.size <= kMaxWhole) {
            add_whole(*library, kMaxBlocks);
        }
        libraries.push_back(*std::move(library));
    }
    for (const File& library : libraries) {
        libraries_.push_back(library);
        add_program(library, depth);
    }
}

void Prediction::run(const StartHint& hint) {
    for (std::size_t i = 0; i < hint.programs.size() && !stop_; ++i) {
        const std::string path = clean_path(hint.programs[i]);
        const ResolvedPath found = resolve_in(view_, path);
        if (const auto program = file_at(found)) {
            add_program(*program, 0);
            if (scope_ == Scope::likely) add_rest(*program);
            return;
        }
        if (!found.exists() && !found.loop && found.path == path) sink_.absent(i);
    }
}

}  // namespace swrun
