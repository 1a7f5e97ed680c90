// Decoded blocks between launches: what is kept is found, and nothing that anybody does to the files does harm.
#include "squashfs/hot_cache.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <set>

#include "support/byte_reader.h"
#include "support/fingerprint.h"
#include "support/image_fixture.h"

namespace swrun {
namespace {

namespace fs = std::filesystem;

const std::string kName = "0123456789abcdef0123456789abcdef";
const std::string kOther = "fedcba9876543210fedcba9876543210";
constexpr std::uint32_t kHeader = 77;

BlockPtr block_of(const std::string& bytes, std::uint32_t stored = 0) {
    auto block = std::make_shared<Block>();
    block->bytes = block_memory(bytes.size());
    block->size = bytes.size();
    block->stored = stored;
    std::memcpy(block->bytes.get(), bytes.data(), bytes.size());
    return block;
}

KeptBlock data_block(std::uint64_t position, const std::string& bytes) {
    return {{position, kHeader}, block_of(bytes)};
}

KeptBlock metadata_block(std::uint64_t position, const std::string& bytes) {
    return {{position, 0}, block_of(bytes, 100)};
}

std::string text_of(const BlockPtr& block) {
    if (!block) return "none";
    return {reinterpret_cast<const char*>(block->bytes.get()), block->size};
}

class Hot : public testing::Test {
protected:
    using Pointer = std::shared_ptr<const HotCache>;

    [[nodiscard]] Pointer open(const std::string& identity = kName, HotCache::Limits limits = {}) const {
        auto hot = HotCache::open(dir.path(), identity, limits);
        EXPECT_TRUE(hot) << format_error(hot.error());
        return hot ? *hot : nullptr;
    }
    void keep(std::vector<KeptBlock> blocks, const std::string& identity = kName, HotCache::Limits limits = {}) const {
        const Status added = open(identity, limits)->add(std::move(blocks));
        EXPECT_TRUE(added) << format_error(added.error());
    }
    // Three blocks of known content.
    void fill() const { keep({data_block(5000, "five"), metadata_block(9000, "nine"), data_block(2000, "two")}); }
    [[nodiscard]] std::string file() const { return dir / ("hot/" + kName); }
    [[nodiscard]] std::vector<std::string> names() const {
        std::vector<std::string> found;
        for (const auto& entry : fs::directory_iterator(dir / "hot")) found.push_back(entry.path().filename());
        std::ranges::sort(found);
        return found;
    }
    void overwrite(const std::string& bytes) const { write_file(file(), bytes); }

    TempDir dir;
};

TEST_F(Hot, WhatIsKeptIsFound) {
    EXPECT_EQ(open()->find({5000, kHeader}), nullptr) << "there is no directory yet";
    fill();
    const Pointer hot = open();
    EXPECT_EQ(hot->entries().size(), 3U);
    EXPECT_EQ(text_of(hot->find({5000, kHeader})), "five");
    EXPECT_EQ(text_of(hot->find({2000, kHeader})), "two");
    const BlockPtr metadata = hot->find({9000, 0});
    EXPECT_EQ(text_of(metadata), "nine");
    EXPECT_EQ(metadata->stored, 100U);
    for (const BlockKey key : {BlockKey{5000, 0}, {5000, kHeader + 1}, {1, kHeader}, {9000, kHeader}, {99999, 0}}) {
        EXPECT_EQ(hot->find(key), nullptr) << key.position << " " << key.header;
    }
    EXPECT_FALSE(hot->damaged());
}

TEST_F(Hot, OnlyItsOwnerSeesIt) {
    const mode_t mask = ::umask(0);
    fill();
    ::umask(mask);
    struct stat there {};
    ASSERT_EQ(::stat((dir / "hot").c_str(), &there), 0);
    EXPECT_EQ(there.st_mode & 0777U, 0700U);
    ASSERT_EQ(::stat(file().c_str(), &there), 0);
    EXPECT_EQ(there.st_mode & 0777U, 0600U);
    EXPECT_EQ(names(), std::vector{kName}) << "no temporary file is left";
}

TEST_F(Hot, LaterLaunchesAddToIt) {
    fill();
    keep({data_block(7000, "seven"), data_block(5000, "FIVE")});
    const Pointer hot = open();
    EXPECT_EQ(hot->entries().size(), 4U);
    EXPECT_EQ(text_of(hot->find({7000, kHeader})), "seven");
    EXPECT_EQ(text_of(hot->find({5000, kHeader})), "five") << "what is there stays";
}

TEST_F(Hot, WhatAnotherLaunchHasWrittenMeanwhileStays) {
    const Pointer early = open();
    fill();
    ASSERT_TRUE(early->add({data_block(7000, "seven")}));
    EXPECT_EQ(open()->entries().size(), 4U);
}

TEST_F(Hot, LittleThatIsNewIsNotWorthAFile) {
    keep({data_block(1000, noise(8000, 1))});
    const auto written = fs::last_write_time(file());
    const ino_t inode = [&] {
        struct stat there {};
        ::stat(file().c_str(), &there);
        return there.st_ino;
    }();
    keep({data_block(2000, noise(900, 2))});
    EXPECT_EQ(open()->entries().size(), 1U);
    EXPECT_EQ(fs::last_write_time(file()), written);
    keep({data_block(2000, noise(1000, 2))});
    EXPECT_EQ(open()->entries().size(), 2U);
    struct stat there {};
    ASSERT_EQ(::stat(file().c_str(), &there), 0);
    EXPECT_NE(there.st_ino, inode) << "a new file, never the old one written over";
}

TEST_F(Hot, AFileHasABound) {
    const HotCache::Limits limits{.file = 10000, .directory = 1U << 20U};
    std::vector<KeptBlock> blocks;
    for (std::uint64_t i = 0; i < 30; ++i) blocks.push_back(data_block(i * 1000, noise(900, i)));
    keep(std::move(blocks), kName, limits);
    EXPECT_LE(fs::file_size(file()), limits.file);
    EXPECT_EQ(open()->entries().size(), 10U);
    BlockCache cache(1U << 20U);
    HotCache::attach(open(kName, limits), cache);
    (void)cache.get({1, kHeader}, []() -> Result<BlockPtr> { return block_of("new"); });
    EXPECT_TRUE(cache.take_kept().empty()) << "what would not fit is not kept in memory";
}

TEST_F(Hot, OfManyFilesTheOldestGo) {
    const HotCache::Limits limits{.file = 10000, .directory = 25000};
    for (int i = 0; i < 6; ++i) {
        std::string name = kName;
        name[0] = static_cast<char>('0' + i);
        keep({data_block(1, noise(8000, 1))}, name, limits);
        const timespec times[] = {{1000 + i, 0}, {1000 + i, 0}};
        ASSERT_EQ(::utimensat(AT_FDCWD, (dir / ("hot/" + name)).c_str(), times, 0), 0);
        write_file(dir / "hot/mine", noise(30000, 2));  // not a name of ours
    }
    EXPECT_EQ(names(),
              (std::vector<std::string>{"3" + kName.substr(1), "4" + kName.substr(1), "5" + kName.substr(1), "mine"}));
}

TEST_F(Hot, AHomeThatIsNotThereIsNotMade) {
    for (const std::string& directory : {dir / "a/b/c/d", std::string("/proc/none/x"), std::string("/dev/null/x")}) {
        const auto hot = HotCache::open(directory, kName);
        if (!hot) continue;
        EXPECT_FALSE((*hot)->add({data_block(1, "x")})) << directory;
    }
    EXPECT_FALSE(fs::exists(dir / "a"));
    const auto hot = HotCache::open(dir / ".cache/swrun", kName);
    ASSERT_TRUE(hot);
    EXPECT_TRUE((*hot)->add({data_block(1, "x")}));
    EXPECT_TRUE(fs::exists(dir / (".cache/swrun/hot/" + kName)));
}

TEST_F(Hot, WhileOneWritesAnotherDoesNot) {
    fs::create_directory(dir / "hot");
    fs::permissions(dir / "hot", fs::perms::owner_all);
    const std::string temporary = file() + ".new";
    write_file(temporary, "begun");
    EXPECT_FALSE(open()->add({data_block(1, "x")}));
    EXPECT_EQ(slurp(temporary), "begun");
    // Its writer has been killed long ago.
    const timespec times[] = {{1000, 0}, {1000, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, temporary.c_str(), times, 0), 0);
    keep({data_block(1, "x")});
    EXPECT_EQ(names(), std::vector{kName});
}

TEST_F(Hot, ADirectoryThatOthersMayWriteIsRefused) {
    fill();
    for (const unsigned mode : {0770U, 0702U, 0777U}) {
        ASSERT_EQ(::chmod((dir / "hot").c_str(), mode), 0);
        EXPECT_FALSE(HotCache::open(dir.path(), kName)) << std::oct << mode;
    }
    ASSERT_EQ(::chmod((dir / "hot").c_str(), 0700), 0);
    fs::rename(dir / "hot", dir / "elsewhere");
    fs::create_directory_symlink("elsewhere", dir / "hot");
    EXPECT_FALSE(HotCache::open(dir.path(), kName)) << "a link";
}

TEST_F(Hot, ADirectoryOfSomebodyElseIsRefused) {
    if (::geteuid() != 0) SWRUN_SKIP() << "only root can give a directory away";
    fill();
    ASSERT_EQ(::chown((dir / "hot").c_str(), 12345, 12345), 0);
    EXPECT_FALSE(HotCache::open(dir.path(), kName));
    ASSERT_EQ(::chown((dir / "hot").c_str(), 0, 0), 0);
    ASSERT_EQ(::chown(file().c_str(), 12345, 12345), 0);
    EXPECT_TRUE(open()->entries().empty());
}

TEST_F(Hot, AFileThatIsNotOursAloneIsNotReadAndReplaced) {
    const auto check = [&](const std::string& what) {
        EXPECT_TRUE(open()->entries().empty()) << what;
        keep({data_block(1, "new")});
        EXPECT_EQ(open()->entries().size(), 1U) << what;
        fs::remove(file());
        fill();
    };
    fill();
    ASSERT_EQ(::chmod(file().c_str(), 0620), 0);
    check("writable by the group");
    ASSERT_EQ(::chmod(file().c_str(), 0602), 0);
    check("writable by others");
    fs::rename(file(), dir / "target");
    fs::create_symlink("../target", file());
    check("a link");
    EXPECT_FALSE(slurp(dir / "target").empty());
    fs::remove(file());
    ASSERT_EQ(::mkfifo(file().c_str(), 0600), 0);
    check("a pipe");
}

TEST_F(Hot, AFileCutAnywhereIsNotUsed) {
    fill();
    const std::string whole = slurp(file());
    ASSERT_LT(whole.size(), 400U);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        overwrite(whole.substr(0, size));
        EXPECT_TRUE(open()->entries().empty()) << size;
    }
    overwrite(whole + "x");
    EXPECT_TRUE(open()->entries().empty()) << "longer";
    keep({data_block(1, "new")});
    EXPECT_EQ(open()->entries().size(), 1U) << "written anew";
}

TEST_F(Hot, EveryFlippedBitIsFound) {
    fill();
    const std::string whole = slurp(file());
    const std::size_t head = hot_head_size(bytes_of(whole));
    ASSERT_EQ(head + 11, whole.size());
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
        std::string changed = whole;
        changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
        overwrite(changed);
        const Pointer hot = open();
        if (bit / 8 < head) {
            EXPECT_TRUE(hot->entries().empty()) << bit;
            continue;
        }
        std::size_t found = 0;
        for (const HotEntry& entry : hot->entries()) found += hot->find(entry.key) != nullptr ? 1 : 0;
        EXPECT_EQ(found, 2U) << bit;
        EXPECT_TRUE(hot->damaged()) << bit;
    }
}

TEST_F(Hot, ADamagedBlockIsReplaced) {
    fill();
    std::string bytes = slurp(file());
    bytes[bytes.find("five")] = 'F';
    overwrite(bytes);
    const Pointer hot = open();
    EXPECT_EQ(hot->find({5000, kHeader}), nullptr);
    ASSERT_TRUE(hot->add({data_block(5000, "five")}));
    EXPECT_EQ(text_of(open()->find({5000, kHeader})), "five");
    EXPECT_EQ(text_of(open()->find({2000, kHeader})), "two");
}

TEST_F(Hot, ADamagedBlockGoesEvenWhenNothingIsNew) {
    fill();
    std::string bytes = slurp(file());
    bytes[bytes.find("five")] = 'F';
    overwrite(bytes);
    const Pointer hot = open();
    EXPECT_EQ(hot->find({5000, kHeader}), nullptr);
    ASSERT_TRUE(hot->add({}));
    EXPECT_EQ(open()->entries().size(), 2U);
    // All of them.
    bytes = slurp(file());
    bytes[bytes.find("two")] = 'T';
    bytes[bytes.find("nine")] = 'N';
    overwrite(bytes);
    const Pointer worse = open();
    EXPECT_EQ(worse->find({2000, kHeader}), nullptr);
    ASSERT_TRUE(worse->add({}));
    EXPECT_TRUE(names().empty());
}

TEST_F(Hot, AFileThatIsCutWhileItIsOpenDoesNoHarm) {
    keep({data_block(1, noise(100000, 1)), data_block(2, noise(100000, 2))});
    const Pointer hot = open();
    ASSERT_EQ(::truncate(file().c_str(), 150000), 0);
    EXPECT_NE(hot->find({1, kHeader}), nullptr);
    EXPECT_EQ(hot->find({2, kHeader}), nullptr);
    ASSERT_EQ(::truncate(file().c_str(), 0), 0);
    EXPECT_EQ(hot->find({1, kHeader}), nullptr);
}

TEST_F(Hot, AFileThatIsReplacedWhileItIsOpenStaysWhatItWas) {
    fill();
    const Pointer hot = open();
    fs::remove(file());
    keep({data_block(5000, "else")});
    EXPECT_EQ(text_of(hot->find({5000, kHeader})), "five");
}

TEST_F(Hot, AnotherIdentityIsAnotherFile) {
    fill();
    fs::rename(file(), dir / ("hot/" + kOther));
    EXPECT_TRUE(open(kOther)->entries().empty()) << "the name alone does not make it one";
}

TEST_F(Hot, AFullDiskLeavesNothing) {
    fill();
    fs::remove(file());
    // The limit of file sizes stands for the disk's.
    const pid_t child = fork();
    if (child == 0) {
        const rlimit limit{1000, 1000};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        std::signal(SIGXFSZ, SIG_IGN);
        const auto hot = HotCache::open(dir.path(), kName);
        _exit(hot && !(*hot)->add({data_block(1, noise(5000, 1))}) ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_TRUE(names().empty());
}

// --- the head alone ---

std::vector<HotEntry> sample_entries() {
    return {{{100, 0}, 50, 8192, 0, 1}, {{200, 7}, 0, 1U << 20U, 0, 2}, {{200, 8}, 0, 1, 0, 3}};
}

std::uint64_t size_of(const std::string& head, const std::vector<HotEntry>& entries) {
    std::uint64_t size = head.size();
    for (const HotEntry& entry : entries) size += entry.size;
    return size;
}

TEST(HotHead, IsReadAsItWasWritten) {
    for (const std::vector<HotEntry>& entries : {sample_entries(), std::vector<HotEntry>()}) {
        const std::string head = make_hot_head(entries, kName);
        EXPECT_EQ(hot_head_size(bytes_of(head)), head.size());
        const auto parsed = parse_hot_head(bytes_of(head), size_of(head, entries), kName);
        ASSERT_TRUE(parsed);
        std::vector<HotEntry> wanted = entries;
        std::uint64_t offset = head.size();
        for (HotEntry& entry : wanted) {
            entry.offset = offset;
            offset += entry.size;
        }
        EXPECT_EQ(*parsed, wanted);
    }
}

TEST(HotHead, CutAnywhereIsRefused) {
    const std::string head = make_hot_head(sample_entries(), kName);
    const std::uint64_t size = size_of(head, sample_entries());
    for (std::size_t length = 0; length < head.size(); ++length) {
        EXPECT_FALSE(parse_hot_head(bytes_of(head).first(length), size, kName)) << length;
        EXPECT_FALSE(parse_hot_head(bytes_of(head).first(length), length, kName)) << length;
    }
    EXPECT_FALSE(parse_hot_head(bytes_of(head + "x"), size, kName));
    EXPECT_FALSE(parse_hot_head(bytes_of(head), size + 1, kName));
    EXPECT_FALSE(parse_hot_head(bytes_of(head), size, kOther));
}

// With a checksum that is right, as somebody would write it who means harm.
TEST(HotHead, WhatCannotBeIsRefused) {
    const auto refused = [](const HotEntry& wrong) {
        for (const std::vector<HotEntry>& entries :
             {std::vector{wrong}, std::vector{HotEntry{{50, 1}, 0, 1, 0, 1}, wrong}}) {
            const std::string head = make_hot_head(entries, kName);
            EXPECT_FALSE(parse_hot_head(bytes_of(head), size_of(head, entries), kName))
                << wrong.key.position << " " << wrong.key.header << " " << wrong.stored << " " << wrong.size;
        }
    };
    refused({{100, 1}, 0, 0, 0, 1});                // empty
    refused({{100, 1}, 0, (1U << 20U) + 1, 0, 1});  // larger than any block
    refused({{100, 1}, 0, 0xffffffff, 0, 1});
    refused({{100, 1}, 5, 10, 0, 1});  // data that is metadata
    refused({{100, 0}, 0, 10, 0, 1});  // metadata that leads nowhere
    refused({{100, 0}, 2, 10, 0, 1});
    refused({{100, 0}, 8195, 10, 0, 1});
    refused({{100, 0}, 50, 8193, 0, 1});
    for (const std::vector<HotEntry>& entries :
         {std::vector{HotEntry{{100, 1}, 0, 1, 0, 1}, HotEntry{{100, 1}, 0, 1, 0, 1}},
          std::vector{HotEntry{{100, 2}, 0, 1, 0, 1}, HotEntry{{100, 1}, 0, 1, 0, 1}}}) {
        const std::string head = make_hot_head(entries, kName);
        EXPECT_FALSE(parse_hot_head(bytes_of(head), size_of(head, entries), kName)) << "not in order";
    }
}

TEST(HotHead, ACountThatIsNotThereTakesNoMemory) {
    std::string head = make_hot_head(sample_entries(), kName);
    for (const std::uint32_t count : {0x10001U, 0xffffffffU}) {
        for (std::size_t i = 0; i < sizeof count; ++i) head[12 + i] = static_cast<char>(count >> (8 * i));
        EXPECT_EQ(hot_head_size(bytes_of(head)), 0U);
        EXPECT_FALSE(parse_hot_head(bytes_of(head), head.size(), kName));
    }
}

TEST(HotIdentity, TellsEveryStateOfAnImage) {
    const ImageId id{1, 2, 3, 4, 5};
    SquashSuper super;
    const std::string name = hot_identity(id, super);
    EXPECT_EQ(name.size(), 32U);
    EXPECT_EQ(hot_identity(id, super), name);
    std::set<std::string> names = {name};
    for (const ImageId& other : {ImageId{9, 2, 3, 4, 5}, ImageId{1, 9, 3, 4, 5}, ImageId{1, 2, 9, 4, 5},
                                 ImageId{1, 2, 3, 9, 5}, ImageId{1, 2, 3, 4, 9}}) {
        EXPECT_TRUE(names.insert(hot_identity(other, super)).second);
    }
    super.created = 1;
    EXPECT_TRUE(names.insert(hot_identity(id, super)).second);
}

// --- with the cache in memory ---

TEST_F(Hot, ACacheDecodesOnlyWhatIsNotThere) {
    fill();
    BlockCache cache(1U << 20U);
    HotCache::attach(open(), cache);
    const auto decode = []() -> Result<BlockPtr> { return block_of("decoded"); };
    EXPECT_EQ(text_of(cache.get({5000, kHeader}, decode).value()), "five");
    EXPECT_EQ(text_of(cache.get({5000, kHeader}, decode).value()), "five");
    EXPECT_EQ(text_of(cache.get({6000, kHeader}, decode).value()), "decoded");
    const BlockCache::Counters counters = cache.counters();
    EXPECT_EQ(counters.hot, 1U);
    EXPECT_EQ(counters.hits, 1U);
    EXPECT_EQ(counters.decodes, 1U);
    cache.clear();
    const std::vector<KeptBlock> kept = cache.take_kept();
    ASSERT_EQ(kept.size(), 1U) << "also what has been dropped";
    EXPECT_EQ(kept[0].key, (BlockKey{6000, kHeader}));
    EXPECT_TRUE(cache.take_kept().empty());
}

TEST_F(Hot, AnImageIsReadWithoutDecodingAgain) {
    SWRUN_NEED_TOOL("mksquashfs");
    for (int i = 0; i < 40; ++i)
        write_file(dir / ("tree/f" + std::to_string(i)), std::string(20000, static_cast<char>('a' + i % 26)));
    ASSERT_TRUE(make_squashfs(dir / "tree", dir / "image"));
    std::uint64_t decoded[2] = {};
    std::string seen[2];
    for (int turn = 0; turn < 2; ++turn) {
        Fd fd = open_file(dir / "image", O_RDONLY, Error::Kind::image).value();
        const auto source = SquashSource::open(std::move(fd), 0, fs::file_size(dir / "image")).value();
        auto cache = std::make_shared<BlockCache>(1U << 20U);
        const Pointer hot = open();
        HotCache::attach(hot, *cache);
        SquashReader reader = SquashReader::open(source, cache, hot).value();
        const SquashNode root = reader.root().value();
        const std::vector<SquashEntry> listed = reader.list(root, 0, 1000).value();
        for (const SquashEntry& entry : listed) {
            const SquashNode node = reader.node(entry.id).value();
            std::string bytes(node.size, '\0');
            ASSERT_EQ(reader.read(node, 0, std::as_writable_bytes(std::span(bytes))).value(), bytes.size());
            seen[turn] += entry.name + bytes;
        }
        decoded[turn] = cache->counters().decodes + reader.metadata_cache().counters().decodes;
        std::vector<KeptBlock> kept = cache->take_kept();
        for (KeptBlock& one : reader.metadata_cache().take_kept()) kept.push_back(std::move(one));
        ASSERT_TRUE(hot->add(std::move(kept)));
    }
    EXPECT_GT(decoded[0], 4U);
    EXPECT_EQ(decoded[1], 0U);
    EXPECT_EQ(seen[0], seen[1]);
}

}  // namespace
}  // namespace swrun
