// What is in an image: the second step after image_file has told what it is.

#include <fcntl.h>

#include <cerrno>

#include "ext/ext_view.h"
#include "image/directory_view.h"
#include "image/image_file.h"
#include "image/image_view.h"
#include "support/descriptors.h"
#include "support/log.h"

namespace swrun {
namespace {

// Decoded blocks kept by one server; more is rarely asked for twice, the kernel has its own cache.
constexpr std::size_t kCacheBytes = 48U << 20U;

// What earlier launches have kept; null: nothing is kept.
std::shared_ptr<const HotCache> open_hot(const std::string& directory, const ImageFacts& facts,
                                         const SquashSource& source) {
    if (directory.empty()) return nullptr;
    auto hot = HotCache::open(directory, hot_identity(facts.id(), source.super()));
    if (hot) return std::move(hot).value();
    log_verbose("no decoded blocks are kept: " + format_error(hot.error()));
    return nullptr;
}

Result<std::unique_ptr<SquashImage>> open_squashfs(const OpenedImage& image, const std::string& hot_directory) {
    Fd fd(with_room([&] { return ::fcntl(image.fd.get(), F_DUPFD_CLOEXEC, 3); }));
    if (!fd) return sys_error(Error::Kind::host, "fcntl F_DUPFD_CLOEXEC", image.facts.path, errno);
    SWRUN_TRY(auto source, SquashSource::open(std::move(fd), image.facts.offset, image.facts.size));
    auto cache = std::make_shared<BlockCache>(kCacheBytes);
    std::shared_ptr<const HotCache> hot = open_hot(hot_directory, image.facts, *source);
    if (hot) HotCache::attach(hot, *cache);
    SWRUN_TRY(SquashReader reader, SquashReader::open(source, cache, hot));
    return std::make_unique<SquashImage>(
        SquashImage{std::move(source), std::move(cache), std::move(reader), std::move(hot)});
}

Status open_view(OpenedImage& image, const std::string& hot_directory) {
    switch (image.facts.kind) {
        case ImageFacts::Kind::directory: image.view = std::make_unique<DirectoryView>(image.fd.get()); break;
        case ImageFacts::Kind::squashfs: {
            SWRUN_TRY(image.squashfs, open_squashfs(image, hot_directory));
            image.view = std::make_unique<ImageView>(image.squashfs->reader);
            break;
        }
        case ImageFacts::Kind::ext3: {
            SWRUN_TRY(image.view, ExtView::open(image.fd.get(), image.facts.offset, image.facts.size));
            break;
        }
    }
    return {};
}

}  // namespace

Status look_inside(OpenedImage& image, const std::string& hot_directory) {
    return with_context(open_view(image, hot_directory), "reading the image " + image.facts.path);
}

}  // namespace swrun
