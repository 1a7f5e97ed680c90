// A whole squashfs: opened, walked, read and asked for extended attributes, as the image server does; and looked over as
// before it is unpacked.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "squashfs/squash_reader.h"
#include "support/io.h"
#include "unpack/survey.h"

namespace {

using swrun::SquashEntry;
using swrun::SquashNode;
using swrun::SquashReader;

constexpr int kMostNodes = 40;
constexpr int kDeepest = 8;
constexpr std::size_t kCache = 1U << 20U;

void require(bool holds) {
    if (!holds) std::abort();
}

class Visitor {
public:
    explicit Visitor(SquashReader& reader) : reader_(reader) {}

    void visit(const SquashNode& node, int depth) {
        if (++visited_ > kMostNodes || depth > kDeepest) return;
        read(node);
        (void)reader_.read_link(node);
        (void)reader_.filled_size(node);
        if (const auto names = reader_.xattrs().names(node)) {
            for (const std::string& name : *names) {
                require(name.starts_with("user.") && name.size() <= 255);
                const auto value = reader_.xattrs().value(node, name);
                require(!value || (*value && (*value)->size() <= 65536));
            }
        }
        list(node, depth);
    }

private:
    void read(const SquashNode& node) {
        std::byte buffer[2000];
        for (const std::uint64_t at : {std::uint64_t{0}, node.size / 2, node.size - 1, std::uint64_t{1} << 45U}) {
            const auto count = reader_.read(node, at, buffer);
            require(!count || *count <= sizeof buffer);
            (void)reader_.keys_of(node, at, sizeof buffer);
            (void)reader_.keys_beyond(node, at, 4);
        }
        std::vector<std::byte> scratch(reader_.source().super().block_size);
        (void)reader_.block(node, 0, scratch);
    }

    void list(const SquashNode& directory, int depth) {
        (void)reader_.lookup(directory, "name");
        std::uint64_t from = 0;
        for (int piece = 0; piece < 3; ++piece) {
            const auto entries = reader_.list(directory, from, 10);
            if (!entries || entries->empty()) return;
            for (const SquashEntry& entry : *entries) {
                require(!entry.name.empty() && entry.name.size() <= 256 && entry.name != "." && entry.name != "..");
                require(entry.name.find('/') == std::string::npos && entry.name.find('\0') == std::string::npos);
                (void)reader_.lookup(directory, entry.name);
                if (const auto child = reader_.node(entry.id)) visit(*child, depth + 1);
            }
            require(entries->back().next > from);
            from = entries->back().next;
        }
    }

    SquashReader& reader_;
    int visited_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    swrun::Fd file(::memfd_create("image", MFD_CLOEXEC));
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    if (!file || !swrun::write_all(file.get(), bytes, "image")) return 0;
    auto source = swrun::SquashSource::open(std::move(file), 0, size);
    if (!source) return 0;
    auto reader = SquashReader::open(*source, std::make_shared<swrun::BlockCache>(kCache));
    if (!reader) return 0;
    (void)reader->xattrs().may_exist();
    const auto root = reader->root();
    if (!root) return 0;
    Visitor(*reader).visit(*root, 0);
    (void)survey_tree(*reader, *root, {1U << 16U, 64});
    return 0;
}
