#include "fuse/predicted_files.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace swrun {

static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "the two sides are different processes");

std::shared_ptr<PredictedFiles> PredictedFiles::make(std::uint32_t block_size) {
    void* memory = ::mmap(nullptr, sizeof(PredictedFiles), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return nullptr;
    return {new (memory) PredictedFiles(block_size),
            [](PredictedFiles* files) { ::munmap(files, sizeof(PredictedFiles)); }};
}

std::optional<std::size_t> PredictedFiles::add(const std::string& path, std::uint64_t size) {
    const std::uint32_t number = count_.load(std::memory_order_relaxed);
    if (number >= kMaxFiles || path.size() >= kMaxPath) return std::nullopt;
    files_[number].size = size;
    std::memcpy(files_[number].path, path.c_str(), path.size() + 1);
    count_.store(number + 1, std::memory_order_release);
    return number;
}

void PredictedFiles::add_block(std::size_t file, std::uint64_t block) {
    if (block < kMaxBlocks) files_[file].blocks.fetch_or(std::uint64_t{1} << block, std::memory_order_release);
}

void PredictedFiles::mark_absent(std::size_t program) {
    if (program < 64) absent_.fetch_or(std::uint64_t{1} << program, std::memory_order_release);
}

bool PredictedFiles::is_absent(std::size_t program) const {
    return program < 64 && (absent_.load(std::memory_order_acquire) >> program & 1U) != 0;
}

// The other side is a process that reads hostile images: what it wrote is read once and bounded.
std::vector<PredictedRange> PredictedFiles::ranges_of(const File& file) const {
    constexpr std::uint64_t kLargestBlock = 1U << 20U;
    const std::uint64_t block_size = std::min<std::uint64_t>(block_size_, kLargestBlock);
    const std::uint64_t blocks = file.blocks.load(std::memory_order_acquire);
    const std::uint64_t file_size = file.size;
    std::vector<PredictedRange> ranges;
    for (std::uint64_t block = 0; block < kMaxBlocks; ++block) {
        const std::uint64_t offset = block * block_size;
        if ((blocks >> block & 1U) == 0 || offset >= file_size) continue;
        const std::uint64_t size = std::min(block_size, file_size - offset);
        if (!ranges.empty() && ranges.back().offset + ranges.back().size == offset) {
            ranges.back().size += size;
        } else {
            ranges.push_back({offset, size});
        }
    }
    return ranges;
}

std::vector<PredictedFile> PredictedFiles::list() const {
    const std::size_t count = std::min<std::size_t>(count_.load(std::memory_order_acquire), kMaxFiles);
    const std::size_t program = program_.load(std::memory_order_acquire);
    std::vector<PredictedFile> all;
    const auto add_file = [&](const File& file) {
        if (std::vector<PredictedRange> ranges = ranges_of(file); !ranges.empty()) {
            all.push_back({std::string(file.path, ::strnlen(file.path, kMaxPath)), std::move(ranges)});
        }
    };
    for (std::size_t i = 0; i < count; ++i) {
        if (i != program) add_file(files_[i]);
    }
    if (program < count) add_file(files_[program]);
    return all;
}

}  // namespace swrun
