#include "fuse/server_stats.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/resource.h>

#include <cstdlib>
#include <string_view>
#include <utility>

#include "support/io.h"

namespace swrun {
namespace {

// Those that a read-only file system can meet; the rest goes by its number.
std::string name_of(std::size_t opcode) {
    static constexpr std::pair<std::size_t, std::string_view> kNames[] = {
        {FUSE_LOOKUP, "LOOKUP"},
        {FUSE_FORGET, "FORGET"},
        {FUSE_GETATTR, "GETATTR"},
        {FUSE_SETATTR, "SETATTR"},
        {FUSE_READLINK, "READLINK"},
        {FUSE_OPEN, "OPEN"},
        {FUSE_READ, "READ"},
        {FUSE_STATFS, "STATFS"},
        {FUSE_RELEASE, "RELEASE"},
        {FUSE_GETXATTR, "GETXATTR"},
        {FUSE_LISTXATTR, "LISTXATTR"},
        {FUSE_FLUSH, "FLUSH"},
        {FUSE_INIT, "INIT"},
        {FUSE_OPENDIR, "OPENDIR"},
        {FUSE_READDIR, "READDIR"},
        {FUSE_RELEASEDIR, "RELEASEDIR"},
        {FUSE_GETLK, "GETLK"},
        {FUSE_SETLK, "SETLK"},
        {FUSE_SETLKW, "SETLKW"},
        {FUSE_ACCESS, "ACCESS"},
        {FUSE_INTERRUPT, "INTERRUPT"},
        {FUSE_BMAP, "BMAP"},
        {FUSE_DESTROY, "DESTROY"},
        {FUSE_IOCTL, "IOCTL"},
        {FUSE_POLL, "POLL"},
        {FUSE_BATCH_FORGET, "BATCH_FORGET"},
        {FUSE_READDIRPLUS, "READDIRPLUS"},
        {FUSE_LSEEK, "LSEEK"},
    };
    for (const auto& [number, name] : kNames) {
        if (number == opcode) return std::string(name);
    }
    return "opcode " + std::to_string(opcode);
}

std::string number(std::string_view name, std::uint64_t value) {
    return ",\"" + std::string(name) + "\":" + std::to_string(value);
}

std::uint64_t microseconds(const timeval& time) {
    return static_cast<std::uint64_t>(time.tv_sec) * 1000000U + static_cast<std::uint64_t>(time.tv_usec);
}

}  // namespace

std::unique_ptr<ServerStats> ServerStats::wanted() {
    const char* file = std::getenv("SWRUN_SERVER_STATS");
    if (file == nullptr || *file != '/') return nullptr;
    return std::make_unique<ServerStats>(file);
}

void ServerStats::count(std::uint32_t opcode) {
    const std::size_t slot = opcode < kOpcodes ? opcode : kOpcodes - 1;
    requests_.at(slot).fetch_add(1, std::memory_order_relaxed);
}

std::string ServerStats::line(const BlockCache::Counters& blocks, std::uint64_t metadata_blocks) const {
    std::string requests;
    std::uint64_t total = 0;
    for (std::size_t opcode = 0; opcode < kOpcodes; ++opcode) {
        const std::uint64_t times = requests_.at(opcode).load(std::memory_order_relaxed);
        if (times == 0) continue;
        total += times;
        requests += number(name_of(opcode), times);
    }
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    std::string text = "{\"requests\":{" + (requests.empty() ? "" : requests.substr(1)) + "}";
    text += number("requests_total", total);
    text += number("blocks_decoded", blocks.decodes);
    text += number("blocks_decoded_twice", blocks.repeats);
    text += number("block_hits", blocks.hits);
    text += number("blocks_hot", blocks.hot);
    text += number("metadata_blocks_decoded", metadata_blocks);
    text += number("cpu_us", microseconds(used.ru_utime) + microseconds(used.ru_stime));
    text += number("minor_faults", static_cast<std::uint64_t>(used.ru_minflt));
    text += number("major_faults", static_cast<std::uint64_t>(used.ru_majflt));
    text += number("peak_rss_kib", static_cast<std::uint64_t>(used.ru_maxrss));
    return text + "}";
}

Status ServerStats::append(const BlockCache::Counters& blocks, std::uint64_t metadata_blocks) const {
    SWRUN_TRY(const Fd file, open_file(file_, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, Error::Kind::host, 0600));
    return write_all(file.get(), line(blocks, metadata_blocks) + "\n", file_);
}

}  // namespace swrun
