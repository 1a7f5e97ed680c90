// Prints the tree of an ext2, ext3 or ext4 image as swrun's reader sees it: a line for each path, with kind, mode, inode,
// size, and the checksum of the content or the target.  Everything goes through the TreeView, as a launch's plan does.
//   ext_list IMAGE [OFFSET]
#include <fcntl.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "ext/ext_view.h"
#include "support/io.h"
#include "support/path.h"

namespace {

using namespace swrun;

int failures = 0;

std::string printable(std::string_view name) {
    std::string text;
    for (const char c : name) {
        std::array<char, 8> code{};
        std::snprintf(code.data(), code.size(), "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
        const bool plain = c > 0x20 && c < 0x7f && c != '\\';
        text += plain ? std::string(1, c) : code.data();
    }
    return text;
}

// As of zlib: the polynomial 0xEDB88320.
std::uint32_t crc_of(std::string_view bytes) {
    static const auto kTable = [] {
        std::array<std::uint32_t, 256> table{};
        for (std::uint32_t i = 0; i < table.size(); ++i) {
            std::uint32_t crc = i;
            for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ (0xEDB88320U & (0U - (crc & 1U)));
            table[i] = crc;
        }
        return table;
    }();
    std::uint32_t crc = 0xffffffff;
    for (const char c : bytes) crc = (crc >> 8U) ^ kTable[(crc ^ static_cast<unsigned char>(c)) & 0xffU];
    return ~crc;
}

void fail(const std::string& path, const Error& error) {
    ++failures;
    std::printf("FAILED %s %s\n", printable(path).c_str(), format_error(error).c_str());
}

std::string last_field(const ExtView& view, const std::string& path, const Node& node) {
    if (node.kind == Node::Kind::symlink) {
        const auto target = view.read_link(path);
        if (!target) fail(path, target.error());
        return target ? printable(*target) : "";
    }
    if (node.kind != Node::Kind::file) return "-";
    const auto text = view.read_text(path, std::size_t{256} << 20U);
    if (!text) fail(path, text.error());
    std::array<char, 16> crc{};
    std::snprintf(crc.data(), crc.size(), "%08x", text ? crc_of(*text) : 0);
    return crc.data();
}

void print(const ExtView& view, const std::string& path) {
    const Node node = view.look(path);
    constexpr std::string_view kKinds = "-dfl?!";  // in the order of Node::Kind
    std::printf("%s %c %o %llu %llu %s\n", printable(path).c_str(), kKinds[static_cast<std::size_t>(node.kind)],
                node.mode, static_cast<unsigned long long>(node.inode), static_cast<unsigned long long>(node.size),
                last_field(view, path, node).c_str());
    if (node.kind != Node::Kind::directory) return;
    const auto names = view.list(path);
    if (!names) return fail(path, names.error());
    for (const std::string& name : *names) print(view, join_path(path, name));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) return std::fprintf(stderr, "usage: %s IMAGE [OFFSET]\n", argv[0]), 2;
    const auto fd = open_file(argv[1], O_RDONLY, Error::Kind::image);
    if (!fd) return fail(argv[1], fd.error()), 1;
    const std::uint64_t offset = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 0;
    const auto view = ExtView::open(fd->get(), offset, std::filesystem::file_size(argv[1]) - offset);
    if (!view) return fail(argv[1], view.error()), 1;
    print(**view, "/");
    return failures == 0 ? 0 : 1;
}
