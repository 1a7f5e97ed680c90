#include "gpu/host/nvidia.h"

#include <elf.h>
#include <fcntl.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>

#include "gpu/gpu_plan.h"
#include "gpu/ld_cache.h"
#include "gpu/lib_list.h"
#include "support/io.h"
#include "support/path.h"
#include "support/text.h"

namespace swrun {
namespace {

constexpr std::size_t kElfHead = 20;  // up to and with e_machine, elf(5)
constexpr std::size_t kMachineOffset = 18;
constexpr std::size_t kLibListLimit = 1 << 20;
constexpr std::array<const char*, 2> kSockets = {"/var/run/nvidia-persistenced/socket",
                                                 "/var/run/nvidia-fabricmanager/socket"};

constexpr unsigned char kNativeClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
constexpr unsigned char kNativeData = std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;
#if defined(__x86_64__)
constexpr std::uint16_t kNativeMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr std::uint16_t kNativeMachine = EM_AARCH64;
#elif defined(__powerpc64__)
constexpr std::uint16_t kNativeMachine = EM_PPC64;
#elif defined(__riscv)
constexpr std::uint16_t kNativeMachine = EM_RISCV;
#elif defined(__s390x__)
constexpr std::uint16_t kNativeMachine = EM_S390;
#else
#error "name the ELF machine of this architecture"
#endif

bool fits_this_machine(std::string_view head) {
    if (head.size() < kElfHead || head.substr(0, SELFMAG) != ELFMAG) return false;
    if (head[EI_CLASS] != kNativeClass || head[EI_DATA] != kNativeData) return false;
    std::uint16_t machine = 0;
    std::memcpy(&machine, head.data() + kMachineOffset, sizeof machine);
    return machine == kNativeMachine;
}

class NvidiaSearch {
public:
    NvidiaSearch(const TreeView& host, const HeadReader& read_head) : host_(host), read_head_(read_head) {
        facts_.vendor = "nv";
    }

    void find_libraries(const LibList& list, std::string_view cache_bytes) {
        std::vector<LdCacheEntry> cache;
        if (!cache_bytes.empty()) {
            Result<std::vector<LdCacheEntry>> parsed = parse_ld_cache(cache_bytes);
            if (!parsed)
                facts_.notes.push_back({Level::warning, "not all libraries can be found: " + parsed.error().message});
            if (parsed) cache = std::move(*parsed);
        }
        const std::vector<std::string> inherited = names_in(kGpuLibraryDirectory);
        for (const std::string& entry : list.libraries) {
            if (entry[0] == '/') {
                find_library_at(clean_path(entry));
            } else if (!inherit(entry, inherited)) {
                find_in_cache(entry, cache);
            }
        }
    }

    void find_programs(const LibList& list, std::string_view path_variable) {
        for (const std::string& program : list.programs) {
            for (const std::string_view directory : split(path_variable, ':')) {
                if (directory.empty() || directory[0] != '/') continue;
                const std::string path = clean_path(join_path(directory, program));
                const Node node = look_through(path);
                if (node.kind != Node::Kind::file || (node.mode & 0111) == 0) continue;
                add_once(facts_.programs, path);
                break;
            }
        }
    }

    void find_files(const LibList& list) {
        for (const std::string& file : list.files) {
            const std::string path = clean_path(file);
            if (look_through(path).kind == Node::Kind::file) add_once(facts_.files, path);
        }
        for (const std::string path : kSockets) {
            if (look_through(path).kind == Node::Kind::other) facts_.sockets.push_back(path);
        }
    }

    void find_devices() {
        for (const std::string& name : names_in("/dev")) {
            if (!name.starts_with("nvidia")) continue;
            const std::string path = join_path("/dev", name);
            facts_.devices.push_back({path, host_.look(path).kind == Node::Kind::directory});
        }
    }

    GpuFacts take() { return std::move(facts_); }

private:
    [[nodiscard]] std::vector<std::string> names_in(const std::string& directory) const {
        return host_.list(directory).value_or(std::vector<std::string>{});
    }

    // What is at the path after all links.  Few paths end in one, so the walk by component is the exception.
    [[nodiscard]] Node look_through(const std::string& path) const {
        const Node node = host_.look(path);
        if (node.kind != Node::Kind::symlink) return node;
        const ResolvedPath resolved = resolve_in(host_, path);
        return resolved.exists() ? resolved.node : Node{};
    }

    [[nodiscard]] bool has_library(std::string_view name) const {
        return std::any_of(facts_.libraries.begin(), facts_.libraries.end(),
                           [&](const GpuLibrary& known) { return known.name == name; });
    }

    static void add_once(std::vector<std::string>& paths, const std::string& path) {
        if (std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(path);
    }

    // One directory holds all of them inside, so a name can be had once; the first wins.
    void add_library(std::string_view name, std::string_view path) {
        if (!has_library(name)) facts_.libraries.push_back({std::string(name), std::string(path)});
    }

    // In a nested launch: the libraries of the host, which the image around us knows nothing of.
    bool inherit(const std::string& entry, const std::vector<std::string>& inherited) {
        bool found = false;
        for (const std::string& name : inherited) {
            if (!name.starts_with(entry)) continue;
            add_library(name, join_path(kGpuLibraryDirectory, name));
            found = true;
        }
        return found;
    }

    void find_in_cache(const std::string& entry, std::span<const LdCacheEntry> cache) {
        for (const LibraryChoice& choice : matching_libraries(entry, cache)) {
            if (has_library(choice.name) || choice.name.find('/') != std::string_view::npos) continue;
            for (const std::string_view path : choice.paths) {
                if (path.empty() || path[0] != '/' || !fits_this_machine(read_head_(std::string(path)))) continue;
                add_library(choice.name, path);
                break;
            }
        }
    }

    // A library named by its path, and the links beside it (libX.so, libX.so.1) that lead to the same file.
    void find_library_at(const std::string& path) {
        if (!fits_this_machine(read_head_(path))) return;
        const std::string_view name = base_name(path);
        add_library(name, path);
        const std::string_view stem = name.substr(0, name.find(".so") + 3);
        const std::string directory(parent_path(path));
        const std::string file = resolve_in(host_, path).path;
        for (const std::string& beside : names_in(directory)) {
            const std::string other = join_path(directory, beside);
            if (!beside.starts_with(stem) || host_.look(other).kind != Node::Kind::symlink) continue;
            const ResolvedPath resolved = resolve_in(host_, other);
            if (resolved.exists() && resolved.path == file) add_library(beside, other);
        }
    }

    const TreeView& host_;
    const HeadReader& read_head_;
    GpuFacts facts_;
};

}  // namespace

std::string read_file_head(const std::string& path) {
    // Non-blocking: a fifo of that name must not stop the launch.
    const Result<Fd> fd = open_file(path, O_RDONLY | O_NOCTTY | O_NONBLOCK, Error::Kind::host);
    if (!fd) return {};
    std::array<std::byte, kElfHead> head{};
    const Result<std::size_t> count = read_at(fd->get(), head, 0);
    if (!count) return {};
    return std::string(reinterpret_cast<const char*>(head.data()), *count);
}

GpuFacts discover_nvidia(const TreeView& host, std::string_view ld_so_cache_bytes, std::string_view liblist,
                         std::string_view path_variable, const HeadReader& read_head) {
    const LibList list = parse_lib_list(liblist);
    NvidiaSearch search(host, read_head);
    search.find_libraries(list, ld_so_cache_bytes);
    search.find_programs(list, path_variable);
    search.find_files(list);
    search.find_devices();
    return search.take();
}

std::string nv_lib_list_text(const TreeView& host, const std::string& config_directory) {
    const Result<std::string> text = host.read_text(join_path(config_directory, "nvliblist.conf"), kLibListLimit);
    return text ? *text : std::string(default_nv_lib_list());
}

}  // namespace swrun
