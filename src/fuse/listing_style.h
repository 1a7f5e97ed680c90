// Whether the listing of a directory brings the attributes of its files along (READDIRPLUS).  Who looks at each file, as
// `ls -l` does, is spared a request per file; who only walks the tree, as find(1) does, waits for inodes that nobody
// wants: a walk takes two thirds longer with them.  Directories and links always come along: every path leads
// through them.  So files come along for a while after somebody has asked for one that was left out.  Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace swrun {

class ListingStyle {
public:
    // For each answer to a listing, by the directory's id: whether files come along.
    [[nodiscard]] bool brings_files(std::uint64_t directory);

    // A file was looked up by name.
    void note_lookup(std::uint64_t directory);

private:
    static constexpr std::uint32_t kCredit = 16;  // listings with files for each one missed
    static constexpr std::uint32_t kMost = 1024;

    [[nodiscard]] std::atomic<std::uint64_t>& slot(std::uint64_t directory) {
        return lean_[directory * 0x9E3779B97F4A7C15U >> 56U];
    }

    std::array<std::atomic<std::uint64_t>, 256> lean_{};  // directories listed without, by hash; id + 1
    std::atomic<std::uint32_t> credit_ = 0;
};

}  // namespace swrun
