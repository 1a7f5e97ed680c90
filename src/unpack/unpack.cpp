#include "unpack/unpack.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <unordered_map>
#include <utility>
#include <vector>

#include "image/image_view.h"
#include "support/log.h"
#include "support/path.h"
#include "support/text.h"
#include "unpack/file_tree.h"
#include "unpack/progress.h"
#include "unpack/survey.h"
#include "unpack/task_queue.h"
#include "unpack/tree_walk.h"
#include "unpack/xattrs.h"

namespace swrun {
namespace {

constexpr std::size_t kMaxThreads = 16;
constexpr std::size_t kTaskFiles = 256;
constexpr std::uint64_t kTaskBytes = 4U << 20U;

// A reader and a buffer for each thread.
class Hands : public Worker {
public:
    explicit Hands(SquashReader reader) : reader_(std::move(reader)), scratch_(reader_.source().super().block_size) {}

    // Writes blocks [first, last) of a file; what is a hole stays one.  Gives the bytes written.
    Result<std::uint64_t> write(int fd, const SquashNode& file, std::uint64_t first, std::uint64_t last) {
        std::uint64_t written = 0;
        for (std::uint64_t number = first; number < last; ++number) {
            SWRUN_TRY(const FileBlock block, reader_.block(file, number, scratch_));
            if (block.bytes.empty()) continue;
            SWRUN_CHECK(put(fd, block.bytes, number * scratch_.size()));
            written += block.size;
        }
        return written;
    }

    [[nodiscard]] SquashReader& reader() { return reader_; }

private:
    static Status put(int fd, std::span<const std::byte> bytes, std::uint64_t offset) {
        while (!bytes.empty()) {
            const ssize_t count = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
            if (count < 0) {
                const int err = errno;
                if (err == EINTR) continue;
                return sys_error(Error::Kind::host, "write", "", err);
            }
            bytes = bytes.subspan(static_cast<std::size_t>(count));
            offset += static_cast<std::uint64_t>(count);
        }
        return {};
    }

    SquashReader reader_;
    std::vector<std::byte> scratch_;
};

struct SmallFile {
    std::string name;
    SquashNode node;
};

// Files of one directory for one thread.
struct Batch {
    std::shared_ptr<const Fd> directory;
    std::vector<SmallFile> files;
    std::uint64_t bytes = 0;
    std::uint32_t fragment = kSquashNoFragment;
};

// A file that several threads write.
struct LargeFile {
    Fd fd;
    std::string name;
    SquashNode node;
    std::atomic<std::uint64_t> left = 0;  // parts
};

std::uint64_t blocks_of(const SquashNode& file, std::uint64_t block_size) {
    return file.size / block_size + (file.size % block_size != 0 ? 1 : 0);
}

Status set_size(int fd, const SquashNode& file) {
    if (file.size > INT64_MAX || ::ftruncate(fd, static_cast<off_t>(file.size)) != 0)
        return sys_error(Error::Kind::host, "ftruncate", "", file.size > INT64_MAX ? EFBIG : errno);
    return {};
}

bool is_device(const SquashNode& node) {
    return node.kind == SquashNode::Kind::block_device || node.kind == SquashNode::Kind::char_device;
}

class Unpacker : public TreeVisitor {
public:
    Unpacker(const UnpackSource& source, const UnpackTarget& target, std::uint64_t total)
        : source_(source),
          target_(target),
          block_size_(source.source->super().block_size),
          progress_("unpacking " + printable(source.name), total),
          queue_(unpack_threads(), [this] { return make_hands(); }) {}

    Status run(const SquashNode& start) {
        if (start.kind != SquashNode::Kind::directory) {
            SWRUN_CHECK(enter(""));
            SWRUN_CHECK(visit(kUnpackedFile, start));
            SWRUN_CHECK(leave());
        } else {
            directories_.push_back({"", start});
            SWRUN_CHECK(walk_tree(source_.reader, start, *this));
        }
        SWRUN_CHECK(queue_.finish([this] { progress_.show(); }));
        SWRUN_CHECK(make_links());
        SWRUN_CHECK(add_ghosts(target_.directory, target_.ghosts));
        SWRUN_CHECK(finish_directories());
        if (left_out_ > 0) {
            log_verbose("unpacking " + printable(source_.name) + ": " + std::to_string(left_out_) +
                        " devices are left out, only root can make them");
        }
        if (xattrs_left_out_ > 0) {
            log_verbose("unpacking " + printable(source_.name) + ": " + std::to_string(xattrs_left_out_) +
                        " extended attributes are left out, the file system does not take them");
        }
        return {};
    }

    Status enter(const std::string& path) override {
        SWRUN_TRY(Fd directory, open_directory_below(target_.directory, path));
        current_ = std::make_shared<const Fd>(std::move(directory));
        path_ = path;
        return {};
    }

    Status visit(const std::string& name, const SquashNode& node) override {
        progress_.show();
        const std::string path = path_.empty() ? name : join_path(path_, name);
        if (node.kind == SquashNode::Kind::directory) {
            directories_.push_back({path, node});
        } else if (node.nlink > 1 && !is_device(node)) {
            const auto [first, is_new] = linked_.emplace(node.id, path);
            if (!is_new) {
                links_.push_back({first->second, path});
                return {};
            }
        }
        return with_context(add(name, node), "unpacking /" + printable(path));
    }

    Status leave() override { return flush(); }

private:
    struct Made {
        std::string path;
        SquashNode node;
    };
    struct Link {
        std::string from;
        std::string to;
    };

    Result<std::unique_ptr<Worker>> make_hands() const {
        SWRUN_TRY(SquashReader reader, SquashReader::open(source_.source, source_.cache));
        return std::unique_ptr<Worker>(std::make_unique<Hands>(std::move(reader)));
    }

    Status add(const std::string& name, const SquashNode& node) {
        if (node.kind == SquashNode::Kind::file) return add_file(name, node);
        std::string target;
        if (node.kind == SquashNode::Kind::symlink) {
            SWRUN_TRY(target, source_.reader.read_link(node));
        }
        SWRUN_TRY(const bool made, create_node(current_->get(), name, node, target));
        if (!made) ++left_out_;
        if (!made || node.kind == SquashNode::Kind::directory) return {};
        return set_attributes_at(current_->get(), name, node, target_.owners);
    }

    Status add_file(const std::string& name, const SquashNode& node) {
        if (node.size > 2 * kTaskBytes) return add_large(name, node);
        // Files that share a fragment go to one thread: another would only wait for the same block.
        const bool shares = node.fragment == kSquashNoFragment || batch_.fragment == kSquashNoFragment ||
                            node.fragment == batch_.fragment;
        if (!shares || batch_.bytes >= kTaskBytes || batch_.files.size() >= kTaskFiles) SWRUN_CHECK(flush());
        if (batch_.files.empty()) batch_.directory = current_;
        batch_.files.push_back({name, node});
        batch_.bytes += node.size;
        if (node.fragment != kSquashNoFragment) batch_.fragment = node.fragment;
        return {};
    }

    Status flush() {
        if (batch_.files.empty()) return {};
        auto batch = std::make_shared<const Batch>(std::exchange(batch_, Batch{}));
        return queue_.submit(
            [this, batch](Worker& worker) { return write_batch(static_cast<Hands&>(worker), *batch); });
    }

    Status write_batch(Hands& hands, const Batch& batch) {
        for (const SmallFile& file : batch.files) {
            SWRUN_CHECK(
                with_context(write_small(hands, batch.directory->get(), file), "unpacking " + printable(file.name)));
        }
        return {};
    }

    Status write_small(Hands& hands, int directory, const SmallFile& file) {
        SWRUN_TRY(const Fd fd, create_file(directory, file.name));
        SWRUN_TRY(const std::uint64_t written, hands.write(fd.get(), file.node, 0, blocks_of(file.node, block_size_)));
        if (written != file.node.size) SWRUN_CHECK(set_size(fd.get(), file.node));
        progress_.add(written);
        return finish(hands.reader(), fd.get(), file.node);
    }

    Status add_large(const std::string& name, const SquashNode& node) {
        auto file = std::make_shared<LargeFile>();
        SWRUN_TRY(file->fd, create_file(current_->get(), name));
        SWRUN_CHECK(set_size(file->fd.get(), node));
        file->name = name;
        file->node = node;
        const std::uint64_t blocks = blocks_of(node, block_size_);
        const std::uint64_t step = std::max<std::uint64_t>(1, kTaskBytes / block_size_);
        file->left = (blocks + step - 1) / step;
        for (std::uint64_t first = 0; first < blocks; first += step) {
            progress_.show();
            const std::uint64_t last = std::min(blocks, first + step);
            SWRUN_CHECK(queue_.submit([this, file, first, last](Worker& worker) {
                return with_context(write_part(static_cast<Hands&>(worker), *file, first, last),
                                    "unpacking " + printable(file->name));
            }));
        }
        return {};
    }

    Status write_part(Hands& hands, LargeFile& file, std::uint64_t first, std::uint64_t last) {
        SWRUN_TRY(const std::uint64_t written, hands.write(file.fd.get(), file.node, first, last));
        progress_.add(written);
        if (file.left.fetch_sub(1) > 1) return {};
        return finish(hands.reader(), file.fd.get(), file.node);
    }

    // Of a file or directory with all its content.
    Status finish(SquashReader& reader, int file, const SquashNode& node) {
        SWRUN_TRY(const std::size_t refused, copy_xattrs(reader, node, file));
        xattrs_left_out_ += refused;
        return set_attributes(file, node, target_.owners);
    }

    // When all files are there.
    Status make_links() {
        for (const Link& link : links_) {
            SWRUN_CHECK(
                with_context(add_link(target_.directory, link.from, link.to), "unpacking /" + printable(link.to)));
        }
        return {};
    }

    // At last, what is deepest first: entries change the time of a directory, and its mode may lock out its owner.
    Status finish_directories() {
        for (auto made = directories_.rbegin(); made != directories_.rend(); ++made) {
            Result<Fd> directory = open_directory_below(target_.directory, made->path);
            Status done = directory ? finish(source_.reader, directory->get(), made->node)
                                    : Status(std::move(directory).error());
            SWRUN_CHECK(with_context(std::move(done), "unpacking /" + printable(made->path)));
        }
        return {};
    }

    const UnpackSource& source_;
    const UnpackTarget& target_;
    std::uint64_t block_size_;
    Progress progress_;
    std::shared_ptr<const Fd> current_;
    std::string path_;  // of that
    Batch batch_;
    std::vector<Made> directories_;
    std::unordered_map<std::uint64_t, std::string> linked_;  // inode id to its first name
    std::vector<Link> links_;
    std::uint64_t left_out_ = 0;
    std::atomic<std::uint64_t> xattrs_left_out_ = 0;
    TaskQueue queue_;  // last: its threads use the others
};

}  // namespace

std::size_t unpack_threads() {
    cpu_set_t set;
    if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    return std::clamp<std::size_t>(static_cast<std::size_t>(CPU_COUNT(&set)), 1, kMaxThreads);
}

Status unpack_image(const UnpackSource& source, const UnpackTarget& target) {
    const std::optional<SquashNode> start = ImageView(source.reader).find(source.part);
    if (!start) return make_error(Error::Kind::image, "the image has no readable " + source.part);
    SWRUN_TRY(const Survey survey, survey_tree(source.reader, *start, target.room));
    SWRUN_CHECK(check_room(survey, target.room, target.where));
    // The kernel reads further ahead; a hint that may be without effect.
    (void)::posix_fadvise(source.source->fd(), static_cast<off_t>(source.source->offset()), 0, POSIX_FADV_SEQUENTIAL);
    Status done = Unpacker(source, target, survey.bytes).run(*start);
    source.cache->clear();
    return done;
}

}  // namespace swrun
