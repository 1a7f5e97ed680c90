// Finds out, from the image alone, which blocks the start of a program will read, before the kernel asks:
// the program, its interpreter, the libraries that they need, the loader's cache.  Runs in the image server
// while the launcher still makes namespaces.  A guess: what is wrong costs time and changes nothing.
#pragma once

#include <atomic>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "image/elf_needs.h"
#include "image/image_view.h"
#include "squashfs/block_cache.h"
#include "squashfs/squash_reader.h"

namespace swrun {

// What will be started, as far as it is known: paths inside the image, the first that exists counts.
struct StartHint {
    std::vector<std::string> programs;

    friend bool operator==(const StartHint&, const StartHint&) = default;
};

// A block that will be read.
struct PredictedBlock {
    std::string path;          // of the file, links resolved
    std::uint64_t size = 0;    // of the file, in bytes
    std::uint64_t number = 0;  // of the block in the file
    BlockKey key;
};

// What a prediction tells as it goes on.
struct PredictionSink {
    std::function<void(PredictedBlock)> found;  // each block of a file once, in the order in which they will be needed
    // A program of the hint, by its number: the image has nothing at that path, and no link on the way.
    std::function<void(std::size_t)> absent = [](std::size_t) {};
    // The path of the file that the kernel will map, some of whose blocks have been told: of a script, its interpreter.
    std::function<void(const std::string&)> program = [](const std::string&) {};
};

class Prediction {
public:
    // Sure: what every start reads, for who has no processor to spare: of a C library a third is never touched.  Likely: also
    // what most read, which costs nobody anything who decodes it aside.
    enum class Scope { sure, likely };

    // `reader` is borrowed and used by nobody else meanwhile.  `stop`: give up soon.
    Prediction(SquashReader& reader, const std::atomic<bool>& stop, Scope scope, PredictionSink sink)
        : reader_(reader), view_(reader), stop_(stop), scope_(scope), sink_(std::move(sink)) {}

    void run(const StartHint& hint);

private:
    struct File {
        std::string path;  // links resolved
        SquashNode node;
    };

    [[nodiscard]] std::optional<File> file_at(const ResolvedPath& found) const;
    [[nodiscard]] std::optional<File> find_file(const std::string& path) const;
    [[nodiscard]] std::optional<File> find_library(const std::string& name, const std::vector<std::string>& search);
    void add_program(const File& file, int depth);
    void add_libraries(const ElfNeeds& needs, int depth);
    void add_blocks(const File& file, const std::vector<std::uint64_t>& spots);
    void add_whole(const File& file, std::size_t blocks);
    void add_rest(const File& named);
    [[nodiscard]] std::size_t given_of(std::uint64_t id) const;

    SquashReader& reader_;
    ImageView view_;
    const std::atomic<bool>& stop_;
    Scope scope_;
    PredictionSink sink_;
    std::set<std::string> seen_;
    std::optional<File> program_;
    std::vector<File> libraries_;                              // in the order of need
    std::set<std::pair<std::uint64_t, std::uint64_t>> given_;  // inode, block
};

}  // namespace swrun
