#include "squashfs/hot_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <map>
#include <tuple>
#include <utility>

#include "support/byte_reader.h"
#include "support/fingerprint.h"
#include "support/io.h"
#include "support/path.h"

namespace swrun {
namespace {

constexpr std::string_view kMagic = "swrunHOT";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kIdentity = 32;
constexpr std::size_t kHeader = 48;
constexpr std::size_t kEntry = 32;
constexpr std::size_t kChecksum = 8;
constexpr std::uint32_t kMaxEntries = 1U << 16U;
constexpr std::uint32_t kMaxBlock = 1U << 20U;        // of squashfs
constexpr std::uint32_t kMaxMetadata = 8192;          // decoded
constexpr std::uint32_t kMaxStored = 2 + 8192;        // of metadata, with its header
constexpr std::size_t kFirstRead = 64U << 10U;        // 2000 entries
constexpr std::size_t kMostOfOneLaunch = 16U << 20U;  // the next one adds its own, until the file is full
constexpr std::size_t kWorthwhile = 8;  // a file is written anew for what adds at least this part of its size
constexpr const char* kTemporary = ".new";
constexpr std::time_t kAbandoned = 300;  // seconds: whoever began a file that long ago has been killed

auto order_of(BlockKey key) { return std::tuple(key.position, key.header); }
bool before(const HotEntry& a, const HotEntry& b) { return order_of(a.key) < order_of(b.key); }

Error damaged_file() { return make_error(Error::Kind::host, "the hot cache's file is damaged"); }

bool is_sane(const HotEntry& entry) {
    if (entry.size == 0) return false;
    if (entry.key.header != 0) return entry.stored == 0 && entry.size <= kMaxBlock;
    return entry.stored > 2 && entry.stored <= kMaxStored && entry.size <= kMaxMetadata;
}

template <class Number> void put(std::string& into, Number number) {
    for (std::size_t i = 0; i < sizeof number; ++i) into.push_back(static_cast<char>(number >> (8 * i)));
}

// Nobody but the caller may have had a hand in it.
Status check_own(int fd, bool directory, const std::string& path) {
    struct stat there {};
    if (::fstat(fd, &there) != 0) return sys_error(Error::Kind::host, "stat", path, errno);
    if (directory ? !S_ISDIR(there.st_mode) : !S_ISREG(there.st_mode))
        return make_error(Error::Kind::host, path + " is not what it should be");
    if (there.st_uid != ::geteuid()) return make_error(Error::Kind::host, path + " belongs to somebody else");
    if ((there.st_mode & 022U) != 0) return make_error(Error::Kind::host, path + " can be written by others");
    return {};
}

Result<Fd> open_directory(const std::string& path) {
    Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory) return sys_error(Error::Kind::host, "open", path, errno);
    SWRUN_CHECK(check_own(directory.get(), true, path));
    return directory;
}

// The last three components, as of ~/.cache/swrun/hot: a home that is not there is not made.
Result<Fd> make_directory(const std::string& path) {
    const std::string parent(parent_path(path));
    const std::string top(parent_path(parent));
    for (const std::string& each : {top, parent, path}) {
        if (::mkdir(each.c_str(), 0700) != 0 && errno != EEXIST && each == path)
            return sys_error(Error::Kind::host, "mkdir", each, errno);
    }
    return open_directory(path);
}

bool is_abandoned(const struct stat& there) { return std::time(nullptr) - there.st_mtim.tv_sec > kAbandoned; }

// Only one process at a time has it; the others need not wait, what they know is told again by a later launch.
Result<Fd> create_temporary(int directory, const std::string& name) {
    constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    Fd file(::openat(directory, name.c_str(), kFlags, 0600));
    struct stat there {};
    if (!file && errno == EEXIST && ::fstatat(directory, name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 &&
        is_abandoned(there)) {
        ::unlinkat(directory, name.c_str(), 0);
        file.reset(::openat(directory, name.c_str(), kFlags, 0600));
    }
    if (!file) return sys_error(Error::Kind::host, "create", name, errno);
    ::fchmod(file.get(), 0600);  // a umask may have taken too much
    return file;
}

bool is_same_file(int directory, const std::string& name, int file) {
    struct stat named {};
    struct stat open {};
    return ::fstatat(directory, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 && ::fstat(file, &open) == 0 &&
           named.st_dev == open.st_dev && named.st_ino == open.st_ino;
}

bool is_our_name(std::string_view name) {
    if (name.ends_with(kTemporary)) name.remove_suffix(std::string_view(kTemporary).size());
    return name.size() == kIdentity && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::size_t hot_head_size(std::span<const std::byte> start) {
    ByteReader reader(start);
    const std::span<const std::byte> magic = reader.take(kMagic.size());
    const std::uint32_t version = reader.u32();
    const std::uint32_t count = reader.u32();
    if (!reader.ok() || !std::ranges::equal(magic, bytes_of(kMagic)) || version != kVersion || count > kMaxEntries)
        return 0;
    return kHeader + std::size_t{count} * kEntry + kChecksum;
}

Result<std::vector<HotEntry>> parse_hot_head(std::span<const std::byte> head, std::uint64_t file_size,
                                             std::string_view identity) {
    const std::size_t size = hot_head_size(head);
    if (size == 0 || head.size() != size) return damaged_file();
    const std::span<const std::byte> summed = head.first(size - kChecksum);
    ByteReader sum(head.subspan(summed.size()));
    if (sum.u64() != checksum_of(summed)) return damaged_file();
    ByteReader reader(summed);
    reader.skip(kMagic.size() + 2 * sizeof(std::uint32_t));
    if (!std::ranges::equal(reader.take(kIdentity), bytes_of(identity))) return damaged_file();
    std::vector<HotEntry> entries;
    entries.reserve(reader.left() / kEntry);
    std::uint64_t offset = size;
    while (reader.left() > 0) {
        HotEntry entry;
        entry.key.position = reader.u64();
        entry.key.header = reader.u32();
        entry.stored = reader.u32();
        entry.size = reader.u32();
        reader.skip(sizeof(std::uint32_t));
        entry.checksum = reader.u64();
        entry.offset = offset;
        if (!reader.ok() || !is_sane(entry) || (!entries.empty() && !before(entries.back(), entry))) {
            return damaged_file();
        }
        offset += entry.size;
        entries.push_back(entry);
    }
    if (offset != file_size) return damaged_file();
    return entries;
}

std::string make_hot_head(std::span<const HotEntry> entries, std::string_view identity) {
    std::string head;
    head.reserve(kHeader + entries.size() * kEntry + kChecksum);
    head.append(kMagic);
    put(head, kVersion);
    put(head, static_cast<std::uint32_t>(entries.size()));
    head.append(identity);
    for (const HotEntry& entry : entries) {
        put(head, entry.key.position);
        put(head, entry.key.header);
        put(head, entry.stored);
        put(head, entry.size);
        put(head, std::uint32_t{0});
        put(head, entry.checksum);
    }
    put(head, checksum_of(bytes_of(head)));
    return head;
}

// The superblock as well: a file may be written anew without a new time.
std::string hot_identity(const ImageId& image, const SquashSuper& super) {
    Fingerprint fingerprint;
    fingerprint.add(kVersion).add(image.device).add(image.inode).add(static_cast<std::uint64_t>(image.changed));
    fingerprint.add(image.offset).add(image.size);
    for (const std::uint64_t number :
         {std::uint64_t{super.created}, std::uint64_t{super.inodes}, std::uint64_t{super.block_size},
          std::uint64_t{super.fragments}, super.root_inode, super.bytes_used, super.id_table, super.inode_table,
          super.directory_table, super.fragment_table}) {
        fingerprint.add(number);
    }
    return fingerprint.hex();
}

// One of the new file's blocks.
struct HotCache::Source {
    HotEntry entry;  // its offset does not matter
    BlockPtr block;  // null: in the old file
};

// Many launches that each know one more block would write the same over and over.
bool HotCache::is_worthwhile(std::span<const Source> sources) {
    std::size_t old = 0;
    std::size_t fresh = 0;
    for (const Source& source : sources) (source.block ? fresh : old) += source.entry.size;
    return fresh > 0 && fresh >= old / kWorthwhile;
}

Result<std::shared_ptr<const HotCache>> HotCache::open(const std::string& directory, const std::string& identity,
                                                       Limits limits) {
    std::shared_ptr<HotCache> hot(new HotCache(join_path(directory, "hot"), identity, limits));
    const Result<Fd> opened = open_directory(hot->directory_);
    if (!opened) {
        if (opened.error().sys_errno == ENOENT) return std::shared_ptr<const HotCache>(std::move(hot));
        return opened.error();
    }
    Fd file(::openat(opened->get(), identity.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (file) (void)hot->load(std::move(file));  // what is wrong is written anew
    return std::shared_ptr<const HotCache>(std::move(hot));
}

Status HotCache::load(Fd file) {
    SWRUN_CHECK(check_own(file.get(), false, identity_));
    struct stat there {};
    if (::fstat(file.get(), &there) != 0) return sys_error(Error::Kind::host, "stat", identity_, errno);
    std::vector<std::byte> head(kFirstRead);
    SWRUN_TRY(const std::size_t got, read_at(file.get(), head, 0));
    const std::size_t size = hot_head_size(std::span(head).first(got));
    if (size == 0) return damaged_file();
    head.resize(size);
    if (size > kFirstRead) {
        SWRUN_TRY(const std::size_t more, read_at(file.get(), std::span(head).subspan(kFirstRead), kFirstRead));
        if (more != size - kFirstRead) return damaged_file();
    } else if (size > got) {
        return damaged_file();
    }
    SWRUN_TRY(entries_, parse_hot_head(head, static_cast<std::uint64_t>(there.st_size), identity_));
    file_ = std::move(file);
    return {};
}

BlockPtr HotCache::find(BlockKey key) const {
    HotEntry wanted;
    wanted.key = key;
    const auto found = std::lower_bound(entries_.begin(), entries_.end(), wanted, before);
    if (found == entries_.end() || found->key != key) return nullptr;
    auto block = std::make_shared<Block>();
    block->bytes = block_memory(found->size);
    block->size = found->size;
    block->stored = found->stored;
    const std::span<std::byte> bytes(block->bytes.get(), block->size);
    const Result<std::size_t> got = read_at(file_.get(), bytes, found->offset);
    if (got && *got == bytes.size() && checksum_of(bytes) == found->checksum) return block;
    damaged_ = true;
    return nullptr;
}

std::size_t HotCache::room() const {
    std::size_t used = kHeader + kChecksum;
    for (const HotEntry& entry : entries_) used += kEntry + entry.size;
    const std::size_t left = used < limits_.file ? limits_.file - used : 0;
    const bool full = left < limits_.file / kWorthwhile || entries_.size() >= kMaxEntries;
    return full ? 0 : std::min(left, kMostOfOneLaunch);
}

void HotCache::attach(const std::shared_ptr<const HotCache>& hot, BlockCache& cache) {
    cache.look_first([hot](BlockKey key) { return hot->find(key); }, hot->room());
}

// Sorted, each key once, and no more than fits.
std::vector<HotCache::Source> HotCache::merge(const HotCache& current, const std::vector<KeptBlock>& blocks) const {
    const auto less = [](BlockKey a, BlockKey b) { return order_of(a) < order_of(b); };
    std::map<BlockKey, Source, decltype(less)> sources(less);
    std::size_t used = kHeader + kChecksum;
    const auto take = [&](const HotEntry& entry, BlockPtr block) {
        if (used + kEntry + entry.size > limits_.file || sources.size() >= kMaxEntries) return;
        if (!sources.emplace(entry.key, Source{entry, std::move(block)}).second) return;
        used += kEntry + entry.size;
    };
    for (const HotEntry& entry : current.entries_) {
        if (!damaged_ || current.find(entry.key)) take(entry, nullptr);
    }
    for (const auto& [key, block] : blocks) {
        HotEntry entry{key, block->stored, static_cast<std::uint32_t>(block->size), 0, checksum_of(block->view())};
        if (block->size <= kMaxBlock && is_sane(entry)) take(entry, block);
    }
    std::vector<Source> sorted;
    sorted.reserve(sources.size());
    for (auto& [key, source] : sources) sorted.push_back(std::move(source));
    return sorted;
}

Status HotCache::replace(int directory, int file, const std::string& temporary, const HotCache& current,
                         std::span<const Source> sources) const {
    std::vector<HotEntry> entries;
    entries.reserve(sources.size());
    for (const Source& source : sources) entries.push_back(source.entry);
    SWRUN_CHECK(write_all(file, make_hot_head(entries, identity_), temporary));
    for (const Source& source : sources) {
        const BlockPtr block = source.block ? source.block : current.find(source.entry.key);
        if (!block) {
            ::unlinkat(directory, identity_.c_str(), 0);  // the next launch begins a new one
            return damaged_file();
        }
        const std::span<const std::byte> bytes = block->view();
        SWRUN_CHECK(write_all(file, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, temporary));
    }
    if (!is_same_file(directory, temporary, file))
        return make_error(Error::Kind::host, temporary + " was taken for abandoned");
    if (::renameat(directory, temporary.c_str(), directory, identity_.c_str()) != 0)
        return sys_error(Error::Kind::host, "rename", temporary, errno);
    return {};
}

Status HotCache::add(const std::vector<KeptBlock>& blocks) const {
    if (blocks.empty() && !damaged_) return {};
    SWRUN_TRY(const Fd directory, make_directory(directory_));
    const std::string temporary = identity_ + kTemporary;
    SWRUN_TRY(const Fd file, create_temporary(directory.get(), temporary));
    // Another launch may have written it since.
    Result<std::shared_ptr<const HotCache>> current = open(std::string(parent_path(directory_)), identity_, limits_);
    Status done;
    bool renamed = false;
    if (!current) {
        done = current.error();
    } else if (const std::vector<Source> sources = merge(**current, blocks); sources.empty()) {
        if (damaged_) ::unlinkat(directory.get(), identity_.c_str(), 0);
    } else if (damaged_ || is_worthwhile(sources)) {
        done = replace(directory.get(), file.get(), temporary, **current, sources);
        renamed = done.has_value();
    }
    if (!renamed && is_same_file(directory.get(), temporary, file.get())) {
        ::unlinkat(directory.get(), temporary.c_str(), 0);
    }
    if (renamed) limit_directory(directory.get());
    return done;
}

// What is not ours stays, whatever it is.
void HotCache::limit_directory(int directory) const {
    struct File {
        std::int64_t modified = 0;  // nanoseconds
        std::string name;
        std::uint64_t size = 0;
    };
    const int fd = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const std::unique_ptr<DIR, int (*)(DIR*)> list(fd < 0 ? nullptr : ::fdopendir(fd), ::closedir);
    if (!list) {
        if (fd >= 0) ::close(fd);
        return;
    }
    std::vector<File> files;
    std::uint64_t total = 0;
    while (const dirent* entry = ::readdir(list.get())) {
        struct stat there {};
        if (!is_our_name(entry->d_name) || ::fstatat(directory, entry->d_name, &there, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(there.st_mode)) {
            continue;
        }
        const std::string name = entry->d_name;
        if (name.ends_with(kTemporary)) {
            if (is_abandoned(there)) ::unlinkat(directory, name.c_str(), 0);
            continue;
        }
        total += static_cast<std::uint64_t>(there.st_size);
        if (name == identity_) continue;
        files.push_back({there.st_mtim.tv_sec * 1'000'000'000 + there.st_mtim.tv_nsec, name,
                         static_cast<std::uint64_t>(there.st_size)});
    }
    std::ranges::sort(files, {}, &File::modified);
    for (const File& oldest : files) {
        if (total <= limits_.directory) break;
        if (::unlinkat(directory, oldest.name.c_str(), 0) == 0) total -= oldest.size;
    }
}

}  // namespace swrun
