// An ext2, ext3 or ext4 image: everything that a launch's plan may ask of it.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "ext/ext_view.h"
#include "support/image_fixture.h"

namespace {

void look_at(const swrun::ExtView& view, const std::string& path, int depth) {
    constexpr std::size_t kLimit = 1U << 20U;
    const swrun::Node node = view.look(path);
    const auto text = view.read_text(path, kLimit);
    if (text && text->size() != node.size) std::abort();
    const auto target = view.read_link(path);
    if (target && node.kind != swrun::Node::Kind::symlink) std::abort();
    const auto names = view.list(path);
    if (!names || depth == 0) return;
    for (std::size_t i = 0; i < std::min<std::size_t>(names->size(), 8); ++i) {
        const std::string& name = (*names)[i];
        if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos) std::abort();
        look_at(view, (path == "/" ? path : path + "/") + name, depth - 1);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const swrun::Fd file = swrun::memory_file(std::string(reinterpret_cast<const char*>(data), size));
    const auto view = swrun::ExtView::open(file.get(), 0, size);
    if (view) look_at(**view, "/", 3);
    return 0;
}
