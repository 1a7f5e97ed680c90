// HotCache: decoded blocks of one image that earlier launches have kept, in a file of the user's own cache directory:
// DIR/hot/IDENTITY.  A block is read from there in a fraction of the time that decoding it takes.  The file is
// believed as far as its owner is: it and its directory have to belong to the caller, and nobody else may write them.
// What is damaged is not used, and is replaced.  Blocks are read into memory, never mapped: a file that is cut
// short under a mapping ends the process (SIGBUS).  Immutable and thread-safe once it is open; crosses a fork.
//
// The file, little-endian: "swrunHOT", u32 version, u32 count, identity (32 bytes); `count` times u64 position, u32 header,
// u32 stored, u32 size, u32 zero, u64 checksum, in the order of their keys; u64 checksum of all so far; the blocks, one
// after the other, to the end of the file.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plan/image_facts.h"
#include "squashfs/block_cache.h"
#include "squashfs/squash_super.h"
#include "support/fd.h"
#include "support/result.h"

namespace swrun {

// One block of the file.  Metadata blocks are those without a header in their key; only they have `stored`.
struct HotEntry {
    BlockKey key;
    std::uint32_t stored = 0;  // as in Block
    std::uint32_t size = 0;
    std::uint64_t offset = 0;  // in the file: where the one before it ends
    std::uint64_t checksum = 0;

    friend bool operator==(const HotEntry&, const HotEntry&) = default;
};

// How many bytes at the start of a file are its head, of which `start` holds the first; 0: it is none of ours.
[[nodiscard]] std::size_t hot_head_size(std::span<const std::byte> start);

// What the file has.  `head`: of that size.  Fails on all that is not exactly as it was written.
[[nodiscard]] Result<std::vector<HotEntry>> parse_hot_head(std::span<const std::byte> head, std::uint64_t file_size,
                                                           std::string_view identity);

// The head for these, in their order.
[[nodiscard]] std::string make_hot_head(std::span<const HotEntry> entries, std::string_view identity);

// Names the file: one state of one file system, and this version of the format.
[[nodiscard]] std::string hot_identity(const ImageId& image, const SquashSuper& super);

class HotCache {
public:
    struct Limits {
        std::size_t file = 32U << 20U;
        std::size_t directory = 256U << 20U;  // of all files; the oldest go first
    };

    // `directory` need not exist.  A file that is missing or wrong is a success without blocks.  Errors: DIR/hot is
    // somebody else's, or open to others.
    [[nodiscard]] static Result<std::shared_ptr<const HotCache>> open(const std::string& directory,
                                                                      const std::string& identity, Limits limits);
    [[nodiscard]] static Result<std::shared_ptr<const HotCache>> open(const std::string& directory,
                                                                      const std::string& identity) {
        return open(directory, identity, Limits());
    }

    // Null when the file has none, or a damaged one.
    [[nodiscard]] BlockPtr find(BlockKey key) const;

    // Lets `cache` look here before it decodes, and keep what it then decodes for add(), as far as there is room.
    static void attach(const std::shared_ptr<const HotCache>& hot, BlockCache& cache);

    // Puts a new file in place of the old one that has these blocks too, as far as there is room.  Nothing happens
    // when little is new, or while another process does it.  Makes the directory, below one that exists.
    [[nodiscard]] Status add(const std::vector<KeptBlock>& blocks) const;

    // A block was damaged: add() even when there is nothing to add.
    [[nodiscard]] bool damaged() const { return damaged_; }
    [[nodiscard]] std::span<const HotEntry> entries() const { return entries_; }
    [[nodiscard]] int fd() const { return file_.get(); }  // -1: there is no file

private:
    struct Source;

    HotCache(std::string directory, std::string identity, Limits limits)
        : directory_(std::move(directory)), identity_(std::move(identity)), limits_(limits) {}
    [[nodiscard]] Status load(Fd file);
    [[nodiscard]] std::size_t room() const;
    [[nodiscard]] static bool is_worthwhile(std::span<const Source> sources);
    [[nodiscard]] std::vector<Source> merge(const HotCache& current, const std::vector<KeptBlock>& blocks) const;
    [[nodiscard]] Status replace(int directory, int file, const std::string& temporary, const HotCache& current,
                                 std::span<const Source> sources) const;
    void limit_directory(int directory) const;

    std::string directory_;  // DIR/hot
    std::string identity_;
    Limits limits_;
    Fd file_;
    std::vector<HotEntry> entries_;  // by key
    mutable std::atomic<bool> damaged_ = false;
};

}  // namespace swrun
