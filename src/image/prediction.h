// Finds out, from the image alone, which blocks the start of a program will read, before the kernel asks:
// the program, its interpreter, the libraries that they need, the loader's cache.  Runs in the image server
// while the launcher still makes namespaces.  A guess: what is wrong costs time and changes nothing.
#pragma once

#include <atomic>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "image/block_cache.h"
#include "image/image_view.h"
#include "image/squash_reader.h"

namespace swrun {

// What will be started, as far as it is known: paths inside the image, the first that exists counts.
struct StartHint {
    std::vector<std::string> programs;

    friend bool operator==(const StartHint&, const StartHint&) = default;
};

class Prediction {
public:
    // `found` gets each block once, in the order in which they will be needed.  `reader` is borrowed and used
    // by nobody else meanwhile.  `stop`: give up soon.
    Prediction(SquashReader& reader, const std::atomic<bool>& stop, std::function<void(BlockKey)> found)
        : reader_(reader), view_(reader), stop_(stop), found_(std::move(found)) {}

    void run(const StartHint& hint);

private:
    struct File {
        std::string path;  // links resolved
        SquashNode node;
    };

    [[nodiscard]] std::optional<File> find_file(const std::string& path) const;
    [[nodiscard]] std::optional<File> find_library(const std::string& name, const std::vector<std::string>& search);
    void add_program(const File& file, int depth);
    void add_blocks(const SquashNode& node, const std::vector<std::uint64_t>& spots);
    void add_whole(const SquashNode& node, std::size_t blocks);
    void add_rest();
    [[nodiscard]] std::size_t given_of(std::uint64_t id) const;

    SquashReader& reader_;
    ImageView view_;
    const std::atomic<bool>& stop_;
    std::function<void(BlockKey)> found_;
    std::set<std::string> seen_;
    std::vector<SquashNode> libraries_;                        // in the order of need
    std::set<std::pair<std::uint64_t, std::uint64_t>> given_;  // inode, block
};

}  // namespace swrun
