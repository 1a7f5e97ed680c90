// What the image server has found out about a program's start, told to the launcher through memory that both share: the
// launcher has the kernel read those files in large pieces (runtime/read_ahead) before it becomes the program, whose own
// faults come page by page.  Two pages of memory; no lock, because either side may be killed at any time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace swrun {

// Bytes of a file that will be read.
struct PredictedRange {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;

    friend bool operator==(const PredictedRange&, const PredictedRange&) = default;
};

struct PredictedFile {
    std::string path;  // inside the image, links resolved
    std::vector<PredictedRange> ranges;

    friend bool operator==(const PredictedFile&, const PredictedFile&) = default;
};

// Shared with every process that is forked after it was made.  One thread adds, any lists.
class PredictedFiles {
public:
    // Null when the system has no memory for it: nothing is told then.
    [[nodiscard]] static std::shared_ptr<PredictedFiles> make(std::uint32_t block_size);

    // The number of the file from then on; nullopt when it is one too many or its path too long.
    [[nodiscard]] std::optional<std::size_t> add(const std::string& path, std::uint64_t size);
    // A block of the file, by its number in it; those far behind are not told.
    void add_block(std::size_t file, std::uint64_t block);
    // The file that the kernel maps, which has been added before.
    void mark_program(std::size_t file) { program_ = static_cast<std::uint32_t>(file); }

    // Those with blocks, in the order in which they were added, but the program last: its loader reads all others before it
    // touches more of that than its beginning.
    [[nodiscard]] std::vector<PredictedFile> list() const;

    // That the image has nothing at a path of StartHint::programs, by its number there, and no link on the way.
    void mark_absent(std::size_t program);
    [[nodiscard]] bool is_absent(std::size_t program) const;

private:
    static constexpr std::size_t kMaxFiles = 16;
    static constexpr std::size_t kMaxPath = 240;
    static constexpr std::size_t kMaxBlocks = 64;  // bits of `blocks`

    struct File {
        std::uint64_t size = 0;
        std::atomic<std::uint64_t> blocks = 0;
        char path[kMaxPath] = {};  // NUL terminated
    };

    [[nodiscard]] std::vector<PredictedRange> ranges_of(const File& file) const;
    explicit PredictedFiles(std::uint32_t block_size) : block_size_(block_size) {}

    const std::uint32_t block_size_;
    std::atomic<std::uint64_t> absent_ = 0;  // bits
    std::atomic<std::uint32_t> count_ = 0;
    std::atomic<std::uint32_t> program_ = kMaxFiles;
    File files_[kMaxFiles];
};

}  // namespace swrun
