// Compares what SquashReader says of an image with what libsquashfuse alone says, everything and byte by byte.
//
//     squash_diff [--list] [--seed N] [--against OTHER] IMAGE [OFFSET [SIZE]]
//
// Prints each difference and, last, what was compared; status 1 with a difference.  --list prints the tree as our
// reader sees it, one line of fields per path, for who knows what should be in there; --against gives the library another
// image, to see that differences are seen:
//     PATH KIND MODE UID GID MTIME NLINK NUMBER SIZE MAJOR MINOR CRC TARGET     (bytes beyond ASCII, space and \ as \xNN)
//
// Extended attributes the reader does not have: they are counted, and have to disturb nothing.
#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "library_view.h"
#include "squashfs/squash_reader.h"

namespace {

using namespace differential;
using swrun::Result;
using swrun::SquashEntry;
using swrun::SquashNode;
using swrun::SquashReader;

constexpr std::size_t kChunk = std::size_t{1} << 20U;
constexpr std::uint64_t kReadWhole = std::uint64_t{64}
                                     << 20U;           // larger files: every block that is no hole, and samples
constexpr std::size_t kCache = std::size_t{4} << 20U;  // small: blocks are thrown out and decoded again
constexpr int kMostSaid = 50;

std::string printable(const std::string& text) {
    std::string shown;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte > ' ' && byte < 0x7f && byte != '\\') {
            shown.push_back(c);
        } else {
            std::array<char, 5> code{};
            std::snprintf(code.data(), code.size(), "\\x%02x", byte);
            shown.append(code.data());
        }
    }
    return shown;
}

char kind_of(SquashNode::Kind kind) {
    switch (kind) {
        case SquashNode::Kind::directory: return 'd';
        case SquashNode::Kind::file: return 'f';
        case SquashNode::Kind::symlink: return 'l';
        case SquashNode::Kind::block_device: return 'b';
        case SquashNode::Kind::char_device: return 'c';
        case SquashNode::Kind::fifo: return 'p';
        case SquashNode::Kind::socket: return 's';
    }
    return '?';
}

Node plain(const SquashNode& node) {
    return {kind_of(node.kind), node.mode,   node.uid,  node.gid,   node.mtime,
            node.nlink,         node.number, node.size, node.major, node.minor};
}

std::string shown(const Node& node) {
    std::ostringstream out;
    out << node.kind << ' ' << std::oct << node.mode << std::dec << ' ' << node.uid << ' ' << node.gid << ' '
        << node.mtime << ' ' << node.nlink << ' ' << node.number << ' ' << node.size << ' ' << node.major << ' '
        << node.minor;
    return out.str();
}

std::string shown(const Step& step) {
    return (step.path.empty() ? "(end of a directory)" : printable(step.path)) + " " + step.kind + " id " +
           std::to_string(step.id) + " number " + std::to_string(step.number);
}

std::string shown(const std::optional<Step>& step) { return step ? shown(*step) : "(absent)"; }

template <class T> T got(Result<T> result, const std::string& what) {
    if (!result) throw std::runtime_error("swrun: " + what + ": " + swrun::format_error(result.error()));
    return std::move(result).value();
}

class Comparison {
public:
    Comparison(const std::string& path, const std::string& against, std::uint64_t offset, std::uint64_t size,
               std::uint64_t seed, bool list)
        : library_(against.empty() ? path : against, offset), random_(seed), list_(list) {
        swrun::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        auto source = got(swrun::SquashSource::open(std::move(fd), offset, size), "open " + path);
        reader_ = std::make_unique<SquashReader>(
            got(SquashReader::open(std::move(source), std::make_shared<swrun::BlockCache>(kCache)), "open " + path));
        block_size_ = reader_->source().super().block_size;
    }

    int run() {
        const SquashNode root = got(reader_->root(), "root");
        same("root inode", root.id, library_.root());
        compare_node("", root);
        walk("", root);
        compare_walks();
        same("inodes", static_cast<std::uint32_t>(numbers_.size()), library_.inodes());
        if (differences_ > kMostSaid) std::cout << "DIFFERENT ... and " << differences_ - kMostSaid << " more\n";
        std::cout << "COMPARED " << paths_ << " paths, " << numbers_.size() << " inodes, " << files_ << " files, "
                  << bytes_ << " bytes, " << ranges_ << " ranges, " << lookups_ << " look-ups, " << exports_
                  << " exports, " << xattrs_ << " xattrs, " << differences_ << " differences\n";
        return differences_ == 0 ? 0 : 1;
    }

private:
    void differ(const std::string& text) {
        if (++differences_ <= kMostSaid) std::cout << "DIFFERENT " << text << "\n";
    }

    template <class T> void same(const std::string& what, const T& ours, const T& theirs) {
        if (ours == theirs) return;
        std::ostringstream text;
        if constexpr (requires { shown(ours); }) {
            text << what << ": swrun " << shown(ours) << ", libsquashfuse " << shown(theirs);
        } else {
            text << what << ": swrun " << ours << ", libsquashfuse " << theirs;
        }
        differ(text.str());
    }

    static Step step_of(const std::string& path, const SquashEntry& entry) {
        return {path, entry.id, entry.number, kind_of(entry.kind)};
    }

    // --- the tree ---

    void walk(const std::string& path, const SquashNode& directory) {
        const std::vector<SquashEntry> entries = got(reader_->list(directory, 0, ~std::size_t{0}), "list " + path);
        compare_pieces(path, directory, entries);
        compare_lookups(path, directory, entries);
        for (const SquashEntry& entry : entries) {
            const std::string child = path.empty() ? entry.name : path + "/" + entry.name;
            ours_.push_back(step_of(child, entry));
            const SquashNode node = got(reader_->node(entry.id), child);
            same(child + ": number in the directory and in the inode", entry.number, node.number);
            compare_node(child, node);
            if (node.kind == SquashNode::Kind::directory) {
                same(child + ": number of the parent", node.parent, directory.number);
                walk(child, node);
            }
        }
        if (!path.empty()) ours_.push_back({});
    }

    // Listed as the kernel asks for it: from where the last piece ended.
    void compare_pieces(const std::string& path, const SquashNode& directory, const std::vector<SquashEntry>& whole) {
        for (const std::size_t size : {std::size_t{1}, std::size_t{7}, std::size_t{100}}) {
            if (size == 1 && whole.size() > 1000) continue;  // quadratic within a group
            std::vector<SquashEntry> all;
            std::uint64_t from = 0;
            for (;;) {
                const auto piece = got(reader_->list(directory, from, size), "list " + path);
                if (piece.empty()) break;
                all.insert(all.end(), piece.begin(), piece.end());
                from = piece.back().next;
                if (all.size() > whole.size()) break;
            }
            if (all != whole) differ("in pieces of " + std::to_string(size) + ", other entries: " + printable(path));
        }
    }

    void compare_lookup(const std::string& path, const SquashNode& directory, const std::string& name) {
        ++lookups_;
        const auto found = got(reader_->lookup(directory, name), "look up " + path + "/" + name);
        same("look-up of " + printable(path + "/" + name), found ? std::optional(step_of(name, *found)) : std::nullopt,
             library_.lookup(directory.id, name));
    }

    void compare_lookups(const std::string& path, const SquashNode& directory,
                         const std::vector<SquashEntry>& entries) {
        for (const SquashEntry& entry : entries) {
            compare_lookup(path, directory, entry.name);
            std::string absent = entry.name;
            absent.back() = static_cast<char>(absent.back() == '~' ? '!' : absent.back() + 1);
            compare_lookup(path, directory, absent);
            if (entry.name.size() > 1) compare_lookup(path, directory, entry.name.substr(0, entry.name.size() - 1));
            if (entry.name.size() < 255) compare_lookup(path, directory, entry.name + "0");
        }
        for (const char* name : {"\x01", "!", "\xff", "zzzzzzzz", "nosuch"}) compare_lookup(path, directory, name);
    }

    void compare_walks() {
        const std::vector<Step> theirs = library_.walk();
        same("length of the walk", ours_.size(), theirs.size());
        for (std::size_t i = 0; i < std::min(ours_.size(), theirs.size()); ++i) {
            same("step " + std::to_string(i), ours_[i], theirs[i]);
        }
    }

    // --- one inode ---

    void compare_node(const std::string& path, const SquashNode& node) {
        ++paths_;
        const Node ours = plain(node);
        same("inode of " + printable(path), ours, library_.node(node.id));
        const bool first = numbers_.insert(node.number).second;
        std::string target;
        std::uint32_t crc = 0;
        if (node.kind == SquashNode::Kind::symlink) {
            target = got(reader_->read_link(node), path);
            same("target of " + printable(path), target, library_.target(node.id));
        }
        if (node.kind == SquashNode::Kind::file) {
            crc = compare_file(path, node, first);
        }
        if (first) {
            compare_xattrs(path, node);
            const auto exported = library_.exported(node.number);
            if (exported) {
                ++exports_;
                same("export of " + printable(path), node.id, *exported);
            }
        }
        if (list_) {
            std::printf("%s %c %o %u %u %u %u %u %llu %u %u %08x %s\n", path.empty() ? "." : printable(path).c_str(),
                        ours.kind, ours.mode, ours.uid, ours.gid, ours.mtime, ours.nlink, ours.number,
                        static_cast<unsigned long long>(ours.size), ours.major, ours.minor, crc,
                        printable(target).c_str());
        }
    }

    void compare_xattrs(const std::string& path, const SquashNode& node) {
        auto theirs = library_.xattrs(node.id);
        xattrs_ += theirs.size();
        std::erase_if(theirs, [&](const auto& one) {
            return !one.first.starts_with("user.") || node.kind == SquashNode::Kind::symlink;
        });
        std::string names;
        for (const auto& [name, value] : theirs) {
            names += name + ";";
            same("value of " + name + " of " + printable(path),
                 got(reader_->xattrs().value(node, name), path).value_or("(absent)"), value);
        }
        std::string ours;
        for (const std::string& name : got(reader_->xattrs().names(node), path)) ours += name + ";";
        same("attributes of " + printable(path), ours, names);
    }

    std::uint32_t compare_file(const std::string& path, const SquashNode& file, bool first) {
        if (!first && crcs_.contains(file.number)) return crcs_.at(file.number);  // a hard link
        ++files_;
        const std::string name = printable(path);
        compare_places(name, file);
        std::uint32_t crc = 0;
        if (file.size <= kReadWhole) crc = compare_whole(name, file);
        compare_blocks(name, file);
        for (const std::uint64_t at :
             {std::uint64_t{0}, block_size_, block_size_ * 512, block_size_ * 1024, file.size}) {
            for (const int delta : {-1, 0, 1}) {
                if (delta < 0 && at == 0) continue;
                const std::uint64_t start = at + static_cast<std::uint64_t>(std::int64_t{delta});
                for (const std::size_t size : {std::size_t{1}, std::size_t{2}, std::size_t{block_size_} + 1}) {
                    compare_range(name, file, start, size);
                }
            }
        }
        for (int i = 0; i < 20 && file.size > 0; ++i) {
            const std::uint64_t start = random_() % file.size;
            const std::uint64_t most = i % 4 == 0 ? 16 : i % 4 == 1 ? 4096 : block_size_ * (i % 4);
            compare_range(name, file, start, static_cast<std::size_t>(1 + random_() % most));
        }
        crcs_[file.number] = crc;
        return crc;
    }

    void compare_range(const std::string& name, const SquashNode& file, std::uint64_t offset, std::size_t size) {
        ++ranges_;
        std::vector<std::byte> ours(size);
        ours.resize(got(reader_->read(file, offset, ours), "read " + name));
        // The library takes a start behind the end for an error; ours has nothing to say there.
        const std::vector<std::byte> theirs = offset > file.size ? std::vector<std::byte>()
                                                                 : library_.read(file.id, offset, size);
        bytes_ += ours.size();
        if (ours != theirs) {
            differ("bytes of " + name + " at " + std::to_string(offset) + ", " + std::to_string(size) + " wanted, " +
                   std::to_string(ours.size()) + " and " + std::to_string(theirs.size()) + " read");
        }
    }

    std::uint32_t compare_whole(const std::string& name, const SquashNode& file) {
        uLong crc = ::crc32(0, nullptr, 0);
        std::vector<std::byte> buffer(kChunk);
        std::uint64_t at = 0;
        for (;;) {
            const std::size_t size = got(reader_->read(file, at, buffer), "read " + name);
            const std::vector<std::byte> theirs = library_.read(file.id, at, kChunk);
            if (theirs.size() != size || std::memcmp(theirs.data(), buffer.data(), size) != 0) {
                differ("bytes of " + name + " at " + std::to_string(at));
            }
            crc = ::crc32(crc, reinterpret_cast<const Bytef*>(buffer.data()), static_cast<uInt>(size));
            bytes_ += size;
            at += size;
            if (size < kChunk) break;
        }
        same("length of " + name, at, file.size);
        return static_cast<std::uint32_t>(crc);
    }

    // The way of the unpacker: block by block, holes left out.
    void compare_blocks(const std::string& name, const SquashNode& file) {
        std::vector<std::byte> scratch(block_size_);
        std::uint64_t filled = 0;
        std::uint64_t at = 0;
        for (std::uint64_t number = 0;; ++number) {
            const swrun::FileBlock block = got(reader_->block(file, number, scratch), "block of " + name);
            if (block.size == 0) break;
            if (!block.bytes.empty()) {
                filled += block.size;
                const std::vector<std::byte> theirs = library_.read(file.id, at, static_cast<std::size_t>(block.size));
                bytes_ += theirs.size();
                if (!std::ranges::equal(theirs, block.bytes)) differ("block " + std::to_string(number) + " of " + name);
            }
            at += block.size;
        }
        same("sum of the blocks of " + name, at, file.size);
        same("bytes in no hole of " + name, got(reader_->filled_size(file), name), filled);
    }

    void compare_places(const std::string& name, const SquashNode& file) {
        const std::vector<Place> theirs = library_.places(file.id);
        for (std::uint64_t number = 0; number <= theirs.size(); ++number) {
            const auto key = got(reader_->key_of(file, number), "block of " + name);
            std::optional<Place> place;
            if (number < theirs.size()) place = theirs[static_cast<std::size_t>(number)];
            if (place && swrun::SquashSource::stored_size(place->second) == 0) place.reset();
            const bool equal = key.has_value() == place.has_value() &&
                               (!key || (key->position == place->first && key->header == place->second));
            if (!equal) differ("place of block " + std::to_string(number) + " of " + name);
        }
    }

    LibraryView library_;
    std::unique_ptr<SquashReader> reader_;
    std::uint64_t block_size_ = 0;
    std::mt19937_64 random_;
    bool list_;
    std::vector<Step> ours_;
    std::set<std::uint32_t> numbers_;
    std::map<std::uint32_t, std::uint32_t> crcs_;
    int differences_ = 0;
    std::size_t paths_ = 0;
    std::size_t files_ = 0;
    std::uint64_t bytes_ = 0;
    std::size_t ranges_ = 0;
    std::size_t lookups_ = 0;
    std::size_t exports_ = 0;
    std::size_t xattrs_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    std::vector<std::string> words(argv + 1, argv + argc);
    bool list = false;
    std::string against;
    std::uint64_t seed = 1;
    while (!words.empty() && words.front().starts_with("--")) {
        if (words.front() == "--list") {
            list = true;
        } else if (words.front() == "--seed" && words.size() > 1) {
            seed = std::strtoull(words[1].c_str(), nullptr, 10);
            words.erase(words.begin());
        } else if (words.front() == "--against" && words.size() > 1) {
            against = words[1];
            words.erase(words.begin());
        } else {
            words.clear();
            break;
        }
        words.erase(words.begin());
    }
    if (words.empty() || words.size() > 3) {
        std::cerr << "usage: squash_diff [--list] [--seed N] [--against OTHER] IMAGE [OFFSET [SIZE]]\n";
        return 2;
    }
    try {
        const std::uint64_t offset = words.size() > 1 ? std::strtoull(words[1].c_str(), nullptr, 10) : 0;
        const int fd = ::open(words[0].c_str(), O_RDONLY | O_CLOEXEC);
        const off_t end = ::lseek(fd, 0, SEEK_END);
        ::close(fd);
        if (end < 0) throw std::runtime_error("cannot open " + words[0]);
        const std::uint64_t size = words.size() > 2 ? std::strtoull(words[2].c_str(), nullptr, 10)
                                                    : static_cast<std::uint64_t>(end) - offset;
        return Comparison(words[0], against, offset, size, seed, list).run();
    } catch (const std::exception& error) {
        std::cout << "FAILED " << error.what() << "\n";
        return 1;
    }
}
