// ServerStats: what one image server did, counted for benchmarks and tests, where noise cannot touch it.
// Off unless SWRUN_SERVER_STATS names a file, by an absolute path because the server lives in "/"; each
// server that ends then appends one line of JSON to it.  Counting is thread-safe.  The request numbers
// are those of the kernel's protocol (linux/fuse.h, fuse(4)); what it does not name is counted too.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "squashfs/block_cache.h"
#include "support/result.h"

namespace swrun {

class ServerStats {
public:
    // Null when nobody wants to know.
    [[nodiscard]] static std::unique_ptr<ServerStats> wanted();

    explicit ServerStats(std::string file) : file_(std::move(file)) {}

    // One request of the kernel, by the opcode in its header (linux/fuse.h).
    void count(std::uint32_t opcode);

    // The line that the file gets, without its end: {"requests":{"LOOKUP":27,...},"requests_total":62,...}
    // `metadata_blocks` is how many were decompressed, whoever reads it adds up several servers.
    [[nodiscard]] std::string line(const BlockCache::Counters& blocks, std::uint64_t metadata_blocks) const;

    [[nodiscard]] Status append(const BlockCache::Counters& blocks, std::uint64_t metadata_blocks) const;

private:
    static constexpr std::size_t kOpcodes = 64;

    std::string file_;
    std::array<std::atomic<std::uint64_t>, kOpcodes> requests_{};  // the last one: every higher number
};

}  // namespace swrun
